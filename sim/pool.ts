/**
 * Runs the worlds of many seeds on several threads.
 *
 * @module
 */

import type { Result } from "./run.ts";

/** What is to be run, and how. */
export interface PoolOptions {
  /** The first seed. */
  readonly from: number;
  /** How many seeds. */
  readonly seeds: number;
  /** How many threads. */
  readonly workers: number;
  /** Told of each result, in the order in which they come. */
  readonly onResult: (result: Result) => void;
  /** Longest that one world may take by the machine's clock; two minutes unless told. */
  readonly limit_ms?: number;
}

/** Seeds that a thread is given at once. */
const CHUNK = 10;
const LIMIT_MS = 120_000;

interface FromWorker {
  readonly begins?: number;
  readonly result?: Result;
  readonly idle?: boolean;
}

/** A result for a world that never told one. */
function lost(seed: number, fault: string): Result {
  return {
    seed,
    fault,
    hash: "",
    frames: 0,
    turns: 0,
    virtual_us: 0,
    restored: 0,
    lines: undefined,
    outcomes: {},
  };
}

/** A thread. A world that hangs or kills it is a failure of that seed; another takes its place. */
class Crew {
  #worker: Worker | undefined = undefined;
  /** Seeds that this thread has been given and has no result of. */
  #seeds: number[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(
    readonly options: PoolOptions,
    readonly next: () => number[],
    readonly finished: () => void,
  ) {
    this.#more([]);
  }

  #more(left: number[]): void {
    this.#seeds = left.length > 0 ? left : this.next();
    if (this.#seeds.length === 0) {
      this.#stop();
      this.finished();
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#seeds);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#told(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the thread died: ${event.message}`);
    };
    return worker;
  }

  #told({ begins, result, idle }: FromWorker): void {
    clearTimeout(this.#timer);
    if (idle) return this.#more([]);
    if (result) {
      this.#seeds = this.#seeds.filter((seed) => seed !== result.seed);
      this.options.onResult(result);
    }
    if (begins === undefined) return;
    const limit_ms = this.options.limit_ms ?? LIMIT_MS;
    this.#timer = setTimeout(() => {
      this.#lose(`still running after ${limit_ms / 1000} s of the machine's clock`);
    }, limit_ms);
  }

  /** Gives the seed up that the thread is at, and goes on with another thread. */
  #lose(words: string): void {
    this.#stop();
    const [seed, ...left] = this.#seeds;
    if (seed !== undefined) this.options.onResult(lost(seed, words));
    this.#more(left);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Runs them all; the promise is kept when the last one has ended. */
export function runPool(options: PoolOptions): Promise<void> {
  const end = options.from + options.seeds;
  let seed = options.from;
  const next = () => {
    const chunk: number[] = [];
    while (chunk.length < CHUNK && seed < end) chunk.push(seed++);
    return chunk;
  };
  return new Promise((resolve) => {
    let busy = options.workers;
    const finished = () => {
      if (--busy === 0) resolve();
    };
    for (let i = 0; i < options.workers; i++) new Crew(options, next, finished);
  });
}
