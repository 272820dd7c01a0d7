/**
 * Results as a table for people.
 *
 * @module
 */

import { Table } from "console-table-printer";
import type { Result } from "./row.ts";

/** A figure with three digits that matter. */
export function figure(value: number): string {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

/** A fraction as per cent; nothing for one that there is not. */
export function percent(fraction: number | undefined): string {
  return fraction === undefined ? "" : `${(fraction * 100).toFixed(0)} %`;
}

/** What a result shows, column by column. */
export const COLUMNS: readonly {
  readonly title: string;
  readonly alignment: "left" | "right";
  cell(result: Result): string;
}[] = [
  { title: "row", alignment: "left", cell: ({ row }) => row },
  { title: "unit", alignment: "left", cell: ({ unit }) => unit },
  { title: "ours", alignment: "right", cell: ({ ours }) => figure(ours) },
  { title: "spread", alignment: "right", cell: ({ spread }) => percent(spread) },
  { title: "reference", alignment: "left", cell: ({ reference }) => reference?.name ?? "" },
  {
    title: "theirs",
    alignment: "right",
    cell: ({ reference }) => reference ? figure(reference.value) : "",
  },
  // Columns are told apart by their titles: this one's ends in a space.
  { title: "spread ", alignment: "right", cell: ({ reference }) => percent(reference?.spread) },
  {
    title: "ratio",
    alignment: "right",
    cell: ({ ratio }) => ratio === null ? "" : ratio.toFixed(2),
  },
];

/** How the table is to be read. */
export const LEGEND = "Medians. Spread: from the lowest to the highest run, over the median. " +
  "Ratio: how many times as good\nas the reference; where the unit is a time or a size, less is " +
  "good.";

/** A table for a terminal. Columns are told apart by their titles. */
export function textTable(
  columns: readonly { readonly title: string; readonly alignment: "left" | "right" }[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    shouldDisableColors: true,
    columns: columns.map(({ title, alignment }) => ({ name: title, alignment })),
  });
  for (const row of rows) {
    table.addRow(Object.fromEntries(columns.map(({ title }, i) => [title, row[i]])));
  }
  return table.render();
}

/** The table of results. */
export function render(results: readonly Result[]): string {
  return textTable(COLUMNS, results.map((result) => COLUMNS.map(({ cell }) => cell(result))));
}

/** A line for each result that has more to tell than a figure. */
export function details(results: readonly Result[]): string[] {
  return results.flatMap(({ row, detail }) => {
    if (!detail) return [];
    const parts = Object.entries(detail).map(([name, value]) => `${name} ${figure(value)}`);
    return [`${row}: ${parts.join("; ")}`];
  });
}
