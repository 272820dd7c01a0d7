/**
 * The table of docs/goodput.md: its cells, and how it is written.
 *
 * @module
 */

import { type Cell, type Measured, PACKET_BYTES, SEGMENT_BYTES } from "./goodput.ts";
import { type Algorithm, requiredBps } from "./goodput_model.ts";

/** The file with the table. */
export const TABLE_FILE: URL = new URL("../docs/goodput.md", import.meta.url);

const LOSSES = [0, 0.0001, 0.001, 0.01, 0.03, 0.1];
const RTTS_MS = [1, 20, 100, 300];
const RATES_MBPS = [10, 100, 1000];
const ALGORITHMS: readonly Algorithm[] = ["newreno", "cubic"];

const HEAD = [
  "| loss | RTT | link | NewReno | at least | CUBIC | at least |",
  "| ---: | --: | ---: | ------: | -------: | ----: | -------: |",
];

/** All cells, row by row. */
export function allCells(): Cell[] {
  return LOSSES.flatMap((loss) =>
    RTTS_MS.flatMap((rtt_ms) =>
      RATES_MBPS.flatMap((mbps) =>
        ALGORITHMS.map((algorithm) => (
          { loss, rtt_us: rtt_ms * 1000, rate_bps: mbps * 1e6, algorithm }
        ))
      )
    )
  );
}

/** What has to be reached in a cell, bits a second. */
export function requiredOf(cell: Cell): number {
  return requiredBps(cell, cell.algorithm, SEGMENT_BYTES, PACKET_BYTES);
}

function mbps(bps: number): string {
  const value = bps / 1e6;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** One row: the cells of both algorithms on one path. */
export function formatRow(cells: readonly Cell[], results: readonly Measured[]): string {
  const [{ loss, rtt_us, rate_bps }] = cells;
  const figures = cells.flatMap((cell, i) => [
    mbps(results[i].goodput_bps),
    mbps(requiredOf(cell)),
  ]);
  const path = [`${loss * 100} %`, `${rtt_us / 1000} ms`, `${rate_bps / 1e6}`];
  return `| ${[...path, ...figures].join(" | ")} |`;
}

/** The whole table. */
export function formatTable(cells: readonly Cell[], results: readonly Measured[]): string[] {
  const lines = [...HEAD];
  for (let i = 0; i < cells.length; i += ALGORITHMS.length) {
    const row = [i, i + ALGORITHMS.length] as const;
    lines.push(formatRow(cells.slice(...row), results.slice(...row)));
  }
  return lines;
}

/** Cells of a row without what `deno fmt` adds to line columns up. */
function squeeze(line: string): string {
  return line.replace(/ +/g, " ").replace(/-+/g, "-").trim();
}

/** The rows of the table in a text, as {@link formatRow} writes them. */
export function readRows(text: string): string[] {
  return text.split("\n").filter((line) => /^\| *[\d.]+ % /.test(line)).map(squeeze);
}

/** The text with another table in place of the one it has. */
export function replaceTable(text: string, table: readonly string[]): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => squeeze(line) === squeeze(HEAD[0]));
  if (first < 0) throw new Error("docs/goodput.md has no table");
  let last = first;
  while (lines[last + 1]?.startsWith("|")) last++;
  lines.splice(first, last - first + 1, ...table);
  return lines.join("\n");
}

/** A cell in words. */
export function nameOf({ loss, rtt_us, rate_bps, algorithm }: Cell): string {
  return `${algorithm}, loss ${loss * 100} %, RTT ${rtt_us / 1000} ms, ${rate_bps / 1e6} Mbit/s`;
}

/** What a measurement falls short of; empty if it is enough. */
export function shortfall(cell: Cell, { goodput_bps }: Measured): string {
  const required = requiredOf(cell);
  if (goodput_bps >= required) return "";
  return `${nameOf(cell)}: ${mbps(goodput_bps)} Mbit/s, not ${mbps(required)}`;
}
