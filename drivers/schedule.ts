/**
 * How drivers ask to be called later. It is injected, so that tests run on a virtual clock.
 *
 * @module
 */

/**
 * Calls `fn` once, `delay_us` microseconds from now. May return a function that cancels the call.
 */
export type Schedule = (delay_us: number, fn: () => void) => (() => void) | void;

/** The default: `setTimeout`, rounded up to whole milliseconds. */
export function timeoutSchedule(delay_us: number, fn: () => void): () => void {
  const id = setTimeout(fn, Math.ceil(delay_us / 1000));
  return () => clearTimeout(id);
}
