/**
 * Many stacks in Workers behind one device: each Worker has a stack of its own, flows are shared
 * out by {@link Rss}, and every stack listens on the same ports.
 *
 * ```ts ignore
 * import { shards } from "@godwit/godwit/drivers/shards";
 * const all = await shards(device, { count: 2, module: new URL("./server.ts", import.meta.url) });
 * ```
 *
 * The module runs in each Worker:
 *
 * ```ts ignore
 * const { driver, ready } = await shard();
 * const stack = await createStack({ interfaces: [{ driver, addresses: ["10.0.0.1/24"] }] });
 * const listener = stack.listen({ port: 80 });
 * ready();
 * ```
 *
 * @module
 */

import type { NetDriver } from "../runtime/device/driver.ts";
import { Rss, type RssHandle, RssPort } from "./rss.ts";

export { Rss, type RssHandle, type RssOptions, RssPort } from "./rss.ts";

/** How many Workers, and what they run. */
export interface ShardsOptions {
  /** How many, 1 to 64. */
  readonly count: number;
  /** The module that each of them runs. */
  readonly module: string | URL;
  /** Something for all of them, which must be cloneable. */
  readonly data?: unknown;
  /** Frames that may wait in each direction of each stack; 1024 unless told. */
  readonly queue?: number;
}

/** Workers with their stacks. */
export interface Shards extends AsyncDisposable {
  /** Who shares the frames out. */
  readonly rss: Rss;
  /** The Workers. */
  readonly workers: readonly Worker[];
  /** Ends the Workers as they are, and closes the device. */
  close(): Promise<void>;
}

/** What a Worker is told first. */
interface Begin {
  readonly godwitShard: number;
  readonly count: number;
  readonly handle: RssHandle;
  readonly data: unknown;
}

/** What a Worker says when it is ready. */
const READY = "godwit-shard-ready";

/** A Worker as its module sees it. */
export interface Shard {
  /** Its number, from 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
  /** The driver for its stack. */
  readonly driver: RssPort;
  /** What the options of {@link shards} had for all. */
  readonly data: unknown;
  /** Says that the stack is there: `shards` waits for that. */
  ready(): void;
}

/**
 * Starts Workers and waits until all are ready. Fails with what the device throws, or with the
 * first error of a Worker; nothing is left behind then.
 */
export async function shards(device: NetDriver, options: ShardsOptions): Promise<Shards> {
  const { count, module, data, queue } = options;
  const rss = await Rss.open(device, { shards: count, queue });
  const workers: Worker[] = [];
  const close = async () => {
    for (const worker of workers) worker.terminate();
    await rss.close();
  };
  try {
    for (let i = 0; i < count; i++) workers.push(new Worker(module, { type: "module" }));
    await Promise.all(workers.map((worker, i) => {
      const begin: Begin = { godwitShard: i, count, handle: rss.handle(i), data };
      return started(worker, begin);
    }));
  } catch (error) {
    await close();
    throw error;
  }
  return { rss, workers, close, [Symbol.asyncDispose]: close };
}

function started(worker: Worker, begin: Begin): Promise<void> {
  return new Promise((resolve, reject) => {
    const heard = ({ data }: MessageEvent) => {
      if (data === READY) done();
    };
    const failed = (event: ErrorEvent) => {
      event.preventDefault();
      done(new Error(`a shard failed: ${event.message}`));
    };
    const done = (error?: Error) => {
      worker.removeEventListener("message", heard);
      worker.removeEventListener("error", failed);
      if (error) reject(error);
      else resolve();
    };
    worker.addEventListener("message", heard);
    worker.addEventListener("error", failed);
    worker.postMessage(begin);
  });
}

/** In a Worker that {@link shards} has started: its part. To be called once, and at once. */
export function shard(): Promise<Shard> {
  const self = globalThis as unknown as Pick<
    Worker,
    "addEventListener" | "removeEventListener" | "postMessage"
  >;
  return new Promise((resolve) => {
    const heard = ({ data }: MessageEvent<Begin>) => {
      if (data?.handle === undefined || data.godwitShard === undefined) return;
      self.removeEventListener("message", heard);
      resolve({
        index: data.godwitShard,
        count: data.count,
        driver: new RssPort(data.handle),
        data: data.data,
        ready: () => self.postMessage(READY),
      });
    };
    self.addEventListener("message", heard);
  });
}
