/**
 * The simulated internet: `deno task sim [OPTIONS]`. docs/sim.md tells what happens in its worlds.
 *
 * The exit status is 0 if nothing failed, 1 if something did, 2 for arguments that make no sense.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { drawWorld } from "./draw.ts";
import { loadEngine } from "./engine.ts";
import { runPool } from "./pool.ts";
import { record, type Recording, showPlan } from "./record.ts";
import { summary, Totals } from "./totals.ts";

const SEEDS = 300;
const SEED_MAX = 2 ** 48;
const WORKERS_MAX = 64;
const OUT = "out/sim";
/** Failures of one run that are run again and recorded. */
const RECORDED_MAX = 10;
const PROGRESS_MS = 1_000;

const HELP = `deno task sim [OPTIONS]
    Runs simulated worlds: stacks, routers and bad links, all drawn from a seed, on a virtual clock.
    What fails is run again, and recorded: a capture of all links, snapshots of all engines, a log.
      --seeds N     how many worlds; ${SEEDS} unless told
      --from N      seed of the first one; 1 unless told
      --seed N      this world alone, recorded whether it fails or not
      --verbose     with --seed: prints the plan, and the log with every frame
      --out DIR     where recordings go; ${OUT} unless told
      --workers N   threads, 1 to ${WORKERS_MAX}; one for each processor unless told
      --json        prints totals and failures as JSON instead
      --help        this text`;

/** What the arguments say. */
interface SimArguments {
  readonly from: number;
  readonly seeds: number;
  readonly single: boolean;
  readonly workers: number;
  readonly out: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Ends the program: the arguments make no sense. */
function refuse(words: string): never {
  console.error(`sim: ${words}\nTry: deno task sim --help`);
  Deno.exit(2);
}

function parse() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        seeds: text,
        from: text,
        seed: text,
        out: text,
        workers: text,
        json: flag,
        verbose: flag,
        help: { ...flag, short: "h" },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    if (error instanceof TypeError) refuse(error.message.split(". ")[0]);
    throw error;
  }
}

function whole(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  refuse(`--${name} takes a whole number from 1 to ${most}, not "${text}"`);
}

function readArguments(): SimArguments | undefined {
  const values = parse();
  if (values.help) return undefined;
  const { seed, json = false, verbose = false } = values;
  const single = seed !== undefined;
  for (const name of ["seeds", "from", "workers"] as const) {
    if (single && values[name] !== undefined) refuse(`--seed and --${name} exclude each other`);
  }
  if (verbose && !single) refuse("--verbose needs --seed");
  if (verbose && json) refuse("--verbose and --json exclude each other");
  const seeds = whole("seeds", values.seeds, SEEDS, 1e9);
  const cores = Math.min(navigator.hardwareConcurrency, WORKERS_MAX);
  return {
    from: single ? whole("seed", seed, 1, SEED_MAX) : whole("from", values.from, 1, SEED_MAX),
    seeds: single ? 1 : seeds,
    single,
    workers: whole("workers", values.workers, Math.min(cores, seeds), WORKERS_MAX),
    out: values.out ?? OUT,
    json,
    verbose,
  };
}

/** Writes what was recorded; answers the folder. */
async function write(out: string, { files }: Recording): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  for (const { name, bytes } of files) await Deno.writeFile(`${out}/${name}`, bytes);
}

/** One line that is written over and over on a terminal; elsewhere a line now and then. */
class Progress {
  readonly #terminal = Deno.stderr.isTerminal();
  readonly #begin = performance.now();
  #last = this.#begin;

  constructor(readonly all: number) {}

  get seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  show(totals: Totals): void {
    const now = performance.now();
    if (now - this.#last < PROGRESS_MS * (this.#terminal ? 1 : 30)) return;
    this.#last = now;
    const rate = totals.worlds / this.seconds;
    const left_s = Math.round((this.all - totals.worlds) / rate);
    this.#write(
      `${totals.worlds} of ${this.all} worlds, ${rate.toFixed(1)} a second, ` +
        `${totals.failures.length} failed, ${left_s} s left`,
    );
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.#terminal) this.#write("");
  }

  #write(text: string): void {
    const line = this.#terminal ? `\r\x1b[K${text}` : `${text}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  }
}

async function runMany(args: SimArguments): Promise<number> {
  const totals = new Totals();
  const progress = new Progress(args.seeds);
  await runPool({
    from: args.from,
    seeds: args.seeds,
    workers: args.workers,
    onResult(result) {
      totals.add(result);
      if (result.fault !== undefined) {
        progress.clear();
        console.error(`seed ${result.seed}: ${result.fault}`);
        console.error(`  again: deno task sim --seed ${result.seed} --verbose`);
      }
      progress.show(totals);
    },
  });
  progress.clear();
  const { seconds } = progress;
  for (const { seed, hash } of totals.failures.slice(0, RECORDED_MAX)) {
    // Without a hash it never ended: to run it here would not end either.
    if (hash === "") continue;
    const recording = await record(drawWorld(seed), { engine: await loadEngine("checked") });
    await write(args.out, recording);
    const same = recording.result.hash === hash ? "" : ", which went ANOTHER WAY this time";
    console.error(`seed ${seed}: recorded in ${args.out}/seed-${seed}.*${same}`);
  }
  if (args.json) console.log(JSON.stringify({ ...totals, seconds }, null, 2));
  else for (const line of summary(totals, seconds)) console.log(line);
  return totals.failures.length === 0 ? 0 : 1;
}

async function runOne(args: SimArguments): Promise<number> {
  const plan = drawWorld(args.from);
  if (args.verbose) console.log(showPlan(plan));
  const engine = await loadEngine("checked");
  const print = args.verbose ? (line: string) => console.log(line) : undefined;
  const begin = performance.now();
  const recording = await record(plan, { engine, print });
  const { result } = recording;
  await write(args.out, recording);
  console.error(`recorded in ${args.out}/seed-${plan.seed}.*`);
  const totals = new Totals();
  totals.add(result);
  if (args.json) console.log(JSON.stringify(result, null, 2));
  else {
    const seconds = (performance.now() - begin) / 1000;
    for (const line of summary(totals, seconds)) console.log(line);
    console.log(`seed ${result.seed} (trace ${result.hash}): ${result.fault ?? "passed"}`);
  }
  return result.fault === undefined ? 0 : 1;
}

async function main(): Promise<number> {
  const args = readArguments();
  if (args === undefined) {
    console.log(HELP);
    return 0;
  }
  return args.single ? await runOne(args) : await runMany(args);
}

if (import.meta.main) Deno.exit(await main());
