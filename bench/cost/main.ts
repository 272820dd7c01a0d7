/**
 * `deno task bench:cost`: what work costs the engine, counted in instructions and not in time, so
 * that it is the same on every machine. See docs/benchmarks/README.md.
 *
 * @module
 */

import { compile, readSources } from "../../build.ts";
import { Arguments } from "../arguments.ts";
import { figure, textTable } from "../table.ts";
import { type Costs, EXPECTED, readExpected, TOLERANCE, worse, writeExpected } from "./compare.ts";
import { type Counted, countWork, KINDS } from "./count.ts";
import { meter, type Metered } from "./meter.ts";
import { type Work, WORKS } from "./work.ts";

const ENGINE = new URL("../../runtime/wasm/engine.wasm", import.meta.url);
const FUNCTIONS_SHOWN = 25;
const PROFILE_COLUMNS = [
  { title: "function", alignment: "left" },
  { title: "instructions", alignment: "right" },
  { title: "share", alignment: "right" },
] as const;

const HELP = `deno task bench:cost [OPTIONS]
    Counts the engine's instructions, memory accesses, bytes moved, calls, mbufs and packets for
    fixed work on a virtual clock, and compares them with bench/cost/expected.json. The exit status
    is 1 if one is more than ${TOLERANCE * 100} % worse.
      --write         writes the counts down in that file instead
      --profile WORK  shows the functions that most instructions of this work are spent in
      --json          prints the counts as JSON
      --help          this text

Work:
${WORKS.map(({ name, once }) => `      ${name.padEnd(26)}${once}`).join("\n")}`;

function table(costs: Costs): string {
  const right = KINDS.map((title) => ({ title, alignment: "right" as const }));
  const rows = Object.entries(costs).map(([work, cost]) => [
    work,
    ...KINDS.map((kind) => figure(cost[kind])),
  ]);
  return textTable([{ title: "work", alignment: "left" }, ...right], rows);
}

/** Counts with an engine whose functions have names, and prints where it went. */
async function profile(work: Work): Promise<void> {
  const { wasm } = await compile(await readSources(), { named: true });
  const { cost, functions }: Counted = await countWork(work, await meter(wasm));
  const rows = functions.slice(0, FUNCTIONS_SHOWN).map(({ name, instructions }) => [
    name,
    instructions.toFixed(1),
    `${(100 * instructions / cost.instructions).toFixed(1)} %`,
  ]);
  console.log(`${work.name}: ${cost.instructions.toFixed(0)} instructions for ${work.once}`);
  console.log(textTable(PROFILE_COLUMNS, rows));
}

async function countAll(metered: Metered): Promise<Costs> {
  const costs: Record<string, Counted["cost"]> = {};
  for (const work of WORKS) costs[work.name] = (await countWork(work, metered)).cost;
  return costs;
}

async function main(): Promise<number> {
  const args = new Arguments("bench:cost");
  const { values } = args.parse({
    options: {
      write: { type: "boolean" },
      profile: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.profile !== undefined) {
    const work = WORKS.find(({ name }) => name === values.profile);
    await profile(work ?? args.refuse(`there is no work "${values.profile}"`));
    return 0;
  }
  const costs = await countAll(await meter(await Deno.readFile(ENGINE)));
  console.log(values.json ? JSON.stringify(costs, undefined, 2) : table(costs));
  if (values.write) {
    await writeExpected(costs);
    return 0;
  }
  const lines = worse(await readExpected(), costs);
  for (const line of lines) console.error(line);
  if (lines.length === 0) return 0;
  console.error(
    `Worse than in ${EXPECTED.pathname.split("/").slice(-3).join("/")}. If that is wanted: ` +
      "deno task bench:cost --write",
  );
  return 1;
}

if (import.meta.main) Deno.exit(await main());
