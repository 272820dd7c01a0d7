/**
 * Locks by which threads see each other's death: a Worker that has ended, however it ended, holds
 * none any more (Web Locks). While a Worker computes or blocks it counts as alive, also after
 * `terminate`: Deno lets it run on until it comes back to its event loop.
 *
 * @module
 */

interface Options {
  readonly mode?: "exclusive" | "shared";
  readonly signal?: AbortSignal;
}

interface LockManager {
  request(name: string, options: Options, held: () => unknown): Promise<unknown>;
}

/** The host's locks; `undefined` where there are none. */
const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;

/** Takes a lock and holds it; answers what releases it, or `undefined` where there are no locks. */
export function holdLock(name: string): Promise<() => Promise<void>> | undefined {
  if (locks === undefined) return undefined;
  return new Promise((resolve, reject) => {
    const held = () => {
      const { promise, resolve: release } = Promise.withResolvers<void>();
      resolve(async () => {
        release();
        await done;
      });
      return promise;
    };
    const done = locks.request(name, { mode: "exclusive" }, held).then(() => {}, reject);
  });
}

/** Calls `freed` when nobody holds the lock any more; answers what ends the watch. */
export function watchLock(name: string, freed: () => void): () => Promise<void> {
  if (locks === undefined) return () => Promise.resolve();
  const watch = new AbortController();
  // Shared: many may watch one lock, and none of them keeps it.
  const options: Options = { mode: "shared", signal: watch.signal };
  const done = locks.request(name, options, () => {
    if (!watch.signal.aborted) freed();
  }).catch(() => {});
  return async () => {
    watch.abort();
    await done;
  };
}

/** A random name that no other lock has. */
export function lockName(): string {
  return `godwit/${crypto.randomUUID()}`;
}
