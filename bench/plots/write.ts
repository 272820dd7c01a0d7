/**
 * Writes a run down: its results, the plots of them, and the table in the README of the folder.
 *
 * @module
 */

import { COLUMNS, details } from "../table.ts";
import { drawAll } from "./plots.ts";
import type { Run } from "./run.ts";

const RUN = "run.json";
const README = "README.md";
const BEGIN = "<!-- Written by deno task bench --plots: begin -->";
const END = "<!-- Written by deno task bench --plots: end -->";

/** Writes all files; what the README says before and after the written part stays. */
export async function writeRun(folder: string, run: Run): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/${RUN}`, JSON.stringify(run, undefined, 2) + "\n");
  await drawRun(folder, run);
}

/** Draws the run that was written to a folder once more. */
export async function redraw(folder: string): Promise<void> {
  await drawRun(folder, JSON.parse(await Deno.readTextFile(`${folder}/${RUN}`)));
}

async function drawRun(folder: string, run: Run): Promise<void> {
  const plots = drawAll(run.results);
  for (const { file, svg } of plots) await Deno.writeTextFile(`${folder}/${file}`, svg);
  const pictures = plots.map(({ file, about }) => `![${about}](${file})`);
  const path = `${folder}/${README}`;
  const written = [facts(run), ...pictures, tableOf(run)].join("\n\n");
  await Deno.writeTextFile(path, replacePart(await readOr(path, `${BEGIN}\n${END}\n`), written));
}

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return otherwise;
  }
}

/** A text with another part between the marks; at its end if it has none. */
export function replacePart(text: string, part: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  const whole = `${BEGIN}\n\n${part}\n\n${END}`;
  if (begin < 0 || end < begin) return `${text.trimEnd()}\n\n${whole}\n`;
  return text.slice(0, begin) + whole + text.slice(end + END.length);
}

function facts({ command, machine, host, repeats }: Run): string {
  return [
    `- Command: \`${command}\``,
    `- Machine: ${machine}`,
    `- Program: ${host}`,
    `- Runs that count, on either side: ${repeats}`,
  ].join("\n");
}

/** The table in Markdown, lined up as the formatter does it. */
function tableOf({ results }: Run): string {
  const rows = results.map((result) => COLUMNS.map(({ cell }) => cell(result)));
  const titles = COLUMNS.map(({ title }) => title.trim());
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((r) => r[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) =>
        COLUMNS[i].alignment === "right" ? cell.padStart(widths[i]) : cell.padEnd(widths[i])
      ).join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    COLUMNS[i].alignment === "right" ? "-".repeat(width - 1) + ":" : "-".repeat(width)
  );
  const more = details(results).map((words) => `\n${words}`);
  return [line(titles), line(rule), ...rows.map(line), ...more].join("\n");
}
