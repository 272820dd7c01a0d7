/**
 * When events are due, and whether what happened was on time.
 *
 * @module
 */

import type { When } from "./ast.ts";
import { Mismatch } from "./errors.ts";
import { showTime } from "./show.ts";

/** A time that something may happen at, script time in microseconds. */
export interface Due {
  readonly from_us: number;
  readonly to_us: number;
  /** False: any time will do. */
  readonly bound: boolean;
}

/** How far off is still on time. */
export interface Tolerance {
  readonly us: number;
  readonly percent: number;
}

/** When an event is due; `anchor_us` is when the one before was over. */
export function dueAt(when: When, anchor_us: number): Due {
  if (when.kind === "any") return { from_us: anchor_us, to_us: Infinity, bound: false };
  const base = when.kind === "rel" ? anchor_us : 0;
  const from_us = base + when.at_us;
  return {
    from_us,
    to_us: when.until_us === undefined ? from_us : base + when.until_us,
    bound: true,
  };
}

/** Microseconds that something may be off; `span_us` is the time since the event before. */
export function allowance(tolerance: Tolerance, span_us: number): number {
  return Math.max(tolerance.us, (Math.abs(span_us) * tolerance.percent) / 100);
}

/** How far outside of its time something happened; 0 if inside. */
export function offBy(due: Due, actual_us: number): number {
  if (!due.bound) return 0;
  return Math.max(due.from_us - actual_us, actual_us - due.to_us, 0);
}

/** Throws a `Mismatch` unless something was on time. */
export function mustBeOnTime(
  what: string,
  due: Due,
  actual_us: number,
  allowed_us: number,
  lines: { readonly expected: string; readonly got: string },
): void {
  if (offBy(due, actual_us) <= allowed_us) return;
  const wanted = due.from_us === due.to_us
    ? showTime(due.from_us)
    : `${showTime(due.from_us)}~${showTime(due.to_us)}`;
  throw new Mismatch(
    `${what} at ${showTime(actual_us)} instead of ${wanted}`,
    `${wanted} ${lines.expected}`,
    `${showTime(actual_us)} ${lines.got}`,
  );
}
