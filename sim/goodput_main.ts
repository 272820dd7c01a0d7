/**
 * Measures the table of docs/goodput.md: `deno task goodput [--check | --write]`.
 *
 * The exit status is 0 if every cell reaches what is required and, with `--check`, the table in the
 * file is the one measured; 1 if not; 2 for arguments that make no sense.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { runCrew } from "./crew.ts";
import type { Cell, Measured } from "./goodput.ts";
import * as table from "./goodput_table.ts";

/** A cell and its place in the table. */
export interface NumberedCell {
  /** The place. */
  readonly n: number;
  /** The cell. */
  readonly cell: Cell;
}

/** What became of a cell: the measurement, or why there is none. */
export interface NumberedResult {
  /** Its place in the table. */
  readonly n: number;
  /** What was measured. */
  readonly measured?: Measured;
  /** What went wrong. */
  readonly fault?: string;
}

const HELP = `deno task goodput [OPTIONS]
    Measures goodput in simulated worlds: loss, round-trip time and rate of the link, NewReno and
    CUBIC, and compares it with what their response functions predict. See docs/goodput.md.
      --check      also compares with the table in docs/goodput.md
      --write      puts the table into docs/goodput.md
      --workers N  threads; one for each processor unless told
      --help       this text`;

const LIMIT_MS = 600_000;

/** Ends the program: the arguments make no sense. */
function refuse(words: string): never {
  console.error(`goodput: ${words}\nTry: deno task goodput --help`);
  Deno.exit(2);
}

function parse() {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        check: { type: "boolean" },
        write: { type: "boolean" },
        workers: { type: "string" },
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

/** Measures cells on several threads; answers results in the order of the cells. */
async function measureAll(cells: readonly Cell[], workers: number): Promise<NumberedResult[]> {
  const results: NumberedResult[] = new Array(cells.length);
  let [begun, done] = [0, 0];
  await runCrew<NumberedCell, NumberedResult>({
    module: new URL("./goodput_worker.ts", import.meta.url),
    next: () => begun < cells.length ? [{ n: begun, cell: cells[begun++] }] : [],
    workers,
    onResult(result) {
      results[result.n] = result;
      done++;
      const name = table.nameOf(cells[result.n]);
      const said = result.fault ?? `${(result.measured!.goodput_bps / 1e6).toPrecision(4)} Mbit/s`;
      console.error(`${done} of ${cells.length}: ${name}: ${said}`);
    },
    lost: ({ n }, fault) => ({ n, fault }),
    limit_ms: LIMIT_MS,
  });
  return results;
}

async function main(): Promise<number> {
  const { check, write, workers: asked, help } = parse();
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (check && write) refuse("--check and --write exclude each other");
  const workers = Number(asked ?? navigator.hardwareConcurrency);
  if (!(Number.isInteger(workers) && workers >= 1 && workers <= 64)) {
    refuse(`--workers takes a whole number from 1 to 64, not "${asked}"`);
  }
  const cells = table.allCells();
  const results = await measureAll(cells, workers);
  const faults = results.flatMap(({ n, fault }) =>
    fault === undefined ? [] : [`${table.nameOf(cells[n])}: ${fault}`]
  );
  if (faults.length > 0) {
    for (const fault of faults) console.log(fault);
    return 1;
  }
  const measured = results.map((result) => result.measured!);
  const lines = table.formatTable(cells, measured);
  const short = cells.flatMap((cell, i) => table.shortfall(cell, measured[i]) || []);
  const text = await Deno.readTextFile(table.TABLE_FILE);
  if (write) await Deno.writeTextFile(table.TABLE_FILE, table.replaceTable(text, lines));
  else for (const line of lines) console.log(line);
  for (const line of short) console.log(`too little: ${line}`);
  const rows = table.readRows(lines.join("\n"));
  const written = table.readRows(text);
  const other = check ? rows.filter((row, i) => row !== written[i]) : [];
  for (const row of other) console.log(`not as in docs/goodput.md: ${row}`);
  console.log(`${cells.length} cells, ${short.length} below what is required`);
  return short.length === 0 && other.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
