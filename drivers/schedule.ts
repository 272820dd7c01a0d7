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

/** Like `timeoutSchedule`, but what is scheduled does not keep the process alive. */
export function quietSchedule(delay_us: number, fn: () => void): () => void {
  const id = setTimeout(fn, Math.ceil(delay_us / 1000));
  const { Deno } = globalThis as unknown as { Deno?: { unrefTimer?(id: number): void } };
  if (typeof (id as unknown) === "number") Deno?.unrefTimer?.(id as unknown as number);
  else (id as unknown as { unref?(): void }).unref?.();
  return () => clearTimeout(id);
}
