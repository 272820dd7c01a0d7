/**
 * The options of `deno task bench`.
 *
 * @module
 */

import { Arguments } from "./arguments.ts";
import { GROUPS } from "./groups.ts";
import type { Plan } from "./measure.ts";
import type { Row, RowGroup } from "./row.ts";

const WARMUPS = 2;
/** How long each side goes on warming up after these. */
const WARMUP_MS = 300;
const REPEATS = 5;
const REPEATS_MAX = 100;
/** How much of the work is done with `--short`. */
const SHORT_SHARE = 1 / 500;

const HELP = `deno task bench [OPTIONS]
    Measures this stack beside the kernel's sockets through Deno. Each row warms up with
    ${WARMUPS} runs on either side, which do not count; then both sides are measured in turn.
    The table gives medians.
      --only ROW...  measure only these rows, or groups of rows; may be repeated
      --long         also the groups that take minutes
      --repeats N    runs on either side, 1 to ${REPEATS_MAX}; ${REPEATS} unless told
      --short        a small part of the work, without warm-up: to see that all works
      --plots FOLDER also write results, plots and a table there
      --json         print an array of { row, unit, ours, spread, reference, ratio } instead
      --help         this text

Rows, by group:
${GROUPS.map(groupHelp).join("\n")}`;

function groupHelp({ name, about, rows, long }: RowGroup): string {
  const head = `  ${name}: ${about}${long ? " (only if asked for)" : ""}`;
  return [head, ...rows.map((row) => `      ${row.name.padEnd(31)}${row.about}`)].join("\n");
}

/** What is to be measured, and how it is told. */
export interface BenchOptions {
  /** Rows with the groups they are from, in the order of the table. */
  readonly rows: readonly { readonly row: Row; readonly group: RowGroup }[];
  /** How they are measured. */
  readonly plan: Plan;
  /** Results are wanted as JSON. */
  readonly json: boolean;
  /** Folder for plots. */
  readonly plots: string | undefined;
}

/** Reads the program's arguments; prints the help and answers `undefined` if that is wanted. */
export function readOptions(): BenchOptions | undefined {
  const args = new Arguments("bench");
  const { values, positionals } = args.parse({
    options: {
      only: { type: "string", multiple: true },
      long: { type: "boolean", default: false },
      repeats: { type: "string" },
      short: { type: "boolean", default: false },
      plots: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  if (positionals.length > 0 && !values.only) args.refuse(`what is "${positionals[0]}"?`);
  const names = values.only && [...values.only, ...positionals];
  const all = GROUPS.flatMap((group) => group.rows.map((row) => ({ row, group })));
  for (const name of names ?? []) {
    if (all.some(({ row, group }) => row.name === name || group.name === name)) continue;
    args.refuse(`there is no row "${name}"`);
  }
  const wanted = ({ row, group }: typeof all[number]) =>
    names ? names.includes(row.name) || names.includes(group.name) : values.long || !group.long;
  const repeats = args.whole("repeats", values.repeats, REPEATS_MAX, REPEATS);
  return {
    rows: all.filter(wanted),
    plan: values.short
      ? { warmups: 0, warmup_ms: 0, repeats, share: SHORT_SHARE }
      : { warmups: WARMUPS, warmup_ms: WARMUP_MS, repeats, share: 1 },
    json: values.json,
    plots: values.plots,
  };
}
