/**
 * Which rings are served by this thread: a call that blocks there would wait for itself.
 *
 * @module
 */

const served = new Set<string>();

/** A ring is served by this thread, by the name of its client's lock. */
export function markLocal(name: string): void {
  served.add(name);
}

/** It is no more. */
export function unmarkLocal(name: string): void {
  served.delete(name);
}

/** True if this thread serves it. */
export function isLocal(name: string): boolean {
  return served.has(name);
}
