/**
 * `deno task bench`: this stack beside the kernel's sockets through Deno, in one run.
 *
 * Figures are of wall-clock time on whatever machine this is; the ratios are what can be compared.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Table } from "console-table-printer";
import { measureRow, type Result, type Row } from "./row.ts";
import { bulkLoopback, bulkPipe } from "./rows/bulk.ts";
import { connectionsLoopback, connectionsPipe } from "./rows/connections.ts";
import { datagramsLoopback, datagramsPipe } from "./rows/datagrams.ts";
import { roundTripLoopback, roundTripPipe } from "./rows/round_trip.ts";

const ROWS: readonly Row[] = [
  bulkPipe,
  bulkLoopback,
  roundTripPipe,
  roundTripLoopback,
  connectionsPipe,
  connectionsLoopback,
  datagramsPipe,
  datagramsLoopback,
];
const WARMUPS = 2;
const REPEATS = 5;
const REPEATS_MAX = 100;

const HELP = `deno task bench [OPTIONS]
    Measures this stack beside the kernel's sockets through Deno. Each row warms up with
    ${WARMUPS} runs on either side, which do not count; then both sides are measured in turn.
    The table gives medians.
      --only ROW    measure this row only; may be repeated
      --repeats N   runs on either side, 1 to ${REPEATS_MAX}; ${REPEATS} unless told
      --json        print an array of { row, unit, ours, spread, reference, ratio } instead
      --help        this text

Rows:
${ROWS.map(({ name, about }) => `      ${name.padEnd(26)}${about}`).join("\n")}`;

interface BenchOptions {
  readonly rows: readonly Row[];
  readonly repeats: number;
  readonly json: boolean;
}

/** Ends the program: the options make no sense. */
function refuse(words: string): never {
  console.error(`bench: ${words}\nTry: deno task bench --help`);
  Deno.exit(2);
}

function parse() {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        only: { type: "string", multiple: true },
        repeats: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    if (error instanceof TypeError) refuse(error.message.split(". ")[0]);
    throw error;
  }
}

function readOptions(): BenchOptions | undefined {
  const values = parse();
  if (values.help) return undefined;
  const repeats = Number(values.repeats ?? REPEATS);
  if (!(Number.isInteger(repeats) && repeats >= 1 && repeats <= REPEATS_MAX)) {
    refuse(`--repeats takes a whole number from 1 to ${REPEATS_MAX}, not "${values.repeats}"`);
  }
  const rows = values.only?.map((name) =>
    ROWS.find((row) => row.name === name) ?? refuse(`there is no row "${name}"`)
  );
  return { rows: rows ?? ROWS, repeats, json: values.json ?? false };
}

/** One line that is written over and over on a terminal; elsewhere one line for each row. */
function progress(row: Row): (done: number, all: number) => void {
  if (!Deno.stderr.isTerminal()) {
    console.error(`${row.name} ...`);
    return () => {};
  }
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  return (done, all) => {
    write(`\r\x1b[K${row.name}: run ${done + 1} of ${all}${done + 1 === all ? "\r\x1b[K" : ""}`);
  };
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(0)} %`;
}

function print(results: readonly Result[]): void {
  const right = (name: string) => ({ name, alignment: "right" as const });
  const left = (name: string) => ({ name, alignment: "left" as const });
  const table = new Table({
    shouldDisableColors: true,
    columns: [
      left("row"),
      left("unit"),
      right("ours"),
      right("spread"),
      left("reference"),
      right("theirs"),
      right("spread "),
      right("ratio"),
    ],
  });
  for (const result of results) {
    table.addRow({
      "row": result.row,
      "unit": result.unit,
      "ours": figure(result.ours),
      "spread": percent(result.spread),
      "reference": result.reference.name,
      "theirs": figure(result.reference.value),
      "spread ": percent(result.reference.spread),
      "ratio": result.ratio.toFixed(2),
    });
  }
  console.log(table.render());
  console.log("Medians; more is better. Spread: from lowest to highest run, over the median.");
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return console.log(HELP);
  const { rows, repeats, json } = options;
  console.error(
    `${rows.length} row${
      rows.length === 1 ? "" : "s"
    }: ${WARMUPS} runs to warm up, then ${repeats} that count, on either side ` +
      `in turn (Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.target})`,
  );
  const results: Result[] = [];
  for (const row of rows) {
    results.push(await measureRow(row, { warmups: WARMUPS, repeats }, progress(row)));
  }
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else print(results);
}

await main();
