/**
 * `deno task bench`: this stack beside the kernel's sockets through Deno, in one run.
 *
 * Figures of whole transfers are of wall-clock time on whatever machine this is: the ratios are
 * what can be compared. Standard output has the results and nothing else.
 *
 * @module
 */

import { measureRow, type Plan } from "./measure.ts";
import { readOptions } from "./options.ts";
import { type Result, type Row, type RowGroup, Unsupported } from "./row.ts";
import { details, LEGEND, render } from "./table.ts";

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

/** Measures a row; `undefined`, with a line that says why, if that cannot be done here. */
async function tryRow(row: Row, { missing }: RowGroup, plan: Plan): Promise<Result | undefined> {
  try {
    const reason = missing?.();
    if (reason !== undefined) throw new Unsupported(reason);
    return await measureRow(row, plan, progress(row));
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    console.error(`${row.name}: left out: ${error.message}`);
  }
}

/** Writes the results down with plots of them. */
async function keep(folder: string, results: readonly Result[], plan: Plan): Promise<void> {
  // Loaded only when wanted: what draws takes longer to load than some rows to measure.
  const { writeRun } = await import("./plots/write.ts");
  const { describeRun } = await import("./plots/run.ts");
  await writeRun(folder, describeRun(results, plan.repeats));
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  const { rows, plan, json, plots } = options;
  console.error(
    `${rows.length} row${rows.length === 1 ? "" : "s"}: ${plan.warmups} runs to warm up, then ` +
      `${plan.repeats} that count, on either side in turn ` +
      `(Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.target})`,
  );
  const results: Result[] = [];
  for (const { row, group } of rows) {
    const result = await tryRow(row, group, plan);
    if (result) results.push(result);
  }
  if (plots !== undefined) await keep(plots, results, plan);
  if (json) console.log(JSON.stringify(results, undefined, 2));
  else console.log([render(results), LEGEND, ...details(results)].join("\n"));
}

await main();
