/**
 * Numbers and tables for people.
 *
 * @module
 */

import { Table } from "console-table-printer";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes as `64 MiB` or `1.5 KiB`. */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${shorten(value)} ${UNITS[unit]}`;
}

/** `64MiB`, `10 MB`, `1500`: a number of bytes; undefined if the text is something else. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const power = match[2] === undefined ? 0 : "kmgt".indexOf(match[2].toLowerCase()) + 1;
  const base = match[3] ? 1024 : 1000;
  return Math.round(Number(match[1]) * base ** power);
}

/** Bits in a second as `3.2 Gbit/s`. */
export function bitRate(byteCount: number, seconds: number): string {
  const rate = seconds > 0 ? byteCount * 8 / seconds : 0;
  if (rate >= 1e9) return `${shorten(rate / 1e9)} Gbit/s`;
  if (rate >= 1e6) return `${shorten(rate / 1e6)} Mbit/s`;
  return `${shorten(rate / 1e3)} kbit/s`;
}

/** A count with thin groups: `46,349`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three figures at most after which a person stops reading. */
function shorten(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A value in a table. */
export type Cell = string | number;

/**
 * Rows as a table of text. Columns of numbers are set to the right; so are those whose title ends
 * in a space, which is taken off.
 */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const numeric = titles.map((title, i) =>
    title.endsWith(" ") || rows.length > 0 && rows.every((row) => typeof row[i] === "number")
  );
  const printed = new Table({
    shouldDisableColors: true,
    columns: titles.map((title, i) => ({
      name: String(i),
      title: title.trimEnd(),
      alignment: numeric[i] ? "right" : "left",
    })),
  });
  for (const row of rows) {
    const cells: Record<string, string> = {};
    row.forEach((cell, i) => cells[i] = typeof cell === "number" ? count(cell) : cell);
    printed.addRow(cells);
  }
  return printed.render();
}
