/**
 * What many worlds came to, all together.
 *
 * @module
 */

import type { LineStats } from "./line.ts";
import type { Result } from "./run.ts";

/** Sums over worlds. */
export class Totals {
  /** Worlds that ended. */
  worlds = 0;
  /** Those in which something went wrong, in the order in which they ended. */
  readonly failures: Result[] = [];
  /** Frames sent. */
  frames = 0;
  /** Turns, after each of which the invariants were checked. */
  turns = 0;
  /** Virtual time. */
  virtual_us = 0;
  /** Stacks that went on from a snapshot. */
  restored = 0;
  /** What happened on links. */
  readonly lines: Partial<LineStats> = {};
  /** How ends of connections came out. */
  readonly outcomes: Record<string, number> = {};
  /** Counters of all stacks. */
  readonly counters: Record<string, number> = {};

  /** Adds a world. */
  add(result: Result): void {
    this.worlds++;
    this.frames += result.frames;
    this.turns += result.turns;
    this.virtual_us += result.virtual_us;
    this.restored += result.restored;
    addTo(this.lines, result.lines ?? {});
    addTo(this.outcomes, result.outcomes);
    addTo(this.counters, result.counters);
    if (result.fault !== undefined) this.failures.push(result);
  }
}

function addTo<T extends object>(sums: T, more: Partial<T>): void {
  for (const [key, value] of Object.entries(more)) {
    const counts = sums as Record<string, number>;
    counts[key] = (counts[key] ?? 0) + (value as number);
  }
}

/** A whole number with commas. */
function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function list(counts: object): string {
  const entries = Object.entries(counts) as [string, number][];
  const sorted = entries.filter(([, value]) => value > 0).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, value]) => `${count(value)} ${name}`).join(", ");
}

/** The summary that a run closes with. */
export function summary(totals: Totals, seconds: number): string[] {
  const { worlds, failures, frames, turns, restored, virtual_us } = totals;
  const days = virtual_us / 86_400e6;
  return [
    `${count(frames)} frames, ${count(turns)} turns with all invariants checked, ` +
    `${count(restored)} stacks restored from snapshots, ${days.toFixed(1)} days of virtual time`,
    `links: ${list(totals.lines)}`,
    `ends of connections: ${list(totals.outcomes)}`,
    `${count(worlds)} worlds in ${seconds.toFixed(1)} s: ` +
    `${count(worlds - failures.length)} passed, ${count(failures.length)} failed`,
  ];
}
