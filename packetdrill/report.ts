/**
 * Verdicts for people: a table with a line for each folder and mode, then what failed and what is
 * missing.
 *
 * @module
 */

import type { Judgment, Verdict } from "./judge.ts";

const COLUMNS = ["pass", "fail", "unsupported"] as const;
/** Features that the list at the end names at most. */
const FEATURES_SHOWN = 40;

/** How many there are of each verdict. */
export type Tally = Record<Verdict["verdict"], number>;

/** Counts verdicts. */
export function tally(verdicts: readonly Verdict[]): Tally {
  const counts: Tally = { pass: 0, fail: 0, unsupported: 0 };
  for (const { verdict } of verdicts) counts[verdict]++;
  return counts;
}

function group<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const list = groups.get(name);
    if (list) list.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

function folderOf(file: string): string {
  const at = file.lastIndexOf("/");
  return at < 0 ? "." : file.slice(0, at);
}

/** Lines of a table; the first column is text, the others are numbers. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i].length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)];
}

/** The report as text. */
export function report(judgments: readonly Judgment[]): string {
  const rows = [...group(judgments, ({ file, mode }) => `${folderOf(file)}\0${mode}`)]
    .sort(([a], [b]) => a < b ? -1 : 1).map(([key, list]) => {
      const counts = tally(list);
      return [...key.split("\0"), ...COLUMNS.map((name) => String(counts[name]))];
    });
  const total = tally(judgments);
  rows.push(["all", "", ...COLUMNS.map((name) => String(total[name]))]);
  const lines = table(["folder", "mode", ...COLUMNS], rows);
  for (const j of judgments.filter(({ verdict }) => verdict === "fail")) {
    lines.push("", ...failure(j));
  }
  lines.push(...missing(judgments), ...timing(judgments));
  return lines.join("\n");
}

function failure({ file, mode, line, reason, expected, got }: Judgment): string[] {
  const lines = [`${file}:${line} [${mode}] ${reason}`];
  if (expected) lines.push(`  expected  ${expected}`);
  if (got) lines.push(`  got       ${got}`);
  return lines;
}

/** What scripts ask for that is not there, the most wanted first. */
function missing(judgments: readonly Judgment[]): string[] {
  const unsupported = judgments.filter(({ verdict }) => verdict === "unsupported");
  if (unsupported.length === 0) return [];
  const features = [...group(unsupported, ({ reason }) => reason)]
    .sort(([, a], [, b]) => b.length - a.length);
  const shown = features.slice(0, FEATURES_SHOWN)
    .map(([feature, list]) => `  ${String(list.length).padStart(5)}  ${feature}`);
  const more = features.length - shown.length;
  return ["", "unsupported:", ...shown, ...more > 0 ? [`         and ${more} more`] : []];
}

/** Times that are within the tolerance of the scripts but not exact: told, not judged. */
function timing(judgments: readonly Judgment[]): string[] {
  const inexact = judgments.filter(({ verdict, notes }) => verdict === "pass" && notes?.inexact);
  if (inexact.length === 0) return [];
  const most = Math.max(...inexact.map(({ notes }) => notes?.off_us ?? 0));
  const what = `${inexact.length} passed with times off by more than 50 us`;
  return ["", `${what}, by ${Math.round(most)} us at most`];
}
