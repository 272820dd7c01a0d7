/**
 * Runs the worlds of many seeds on several threads.
 *
 * @module
 */

import { runCrew } from "./crew.ts";
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
    counters: {},
  };
}

/** Runs them all; the promise is kept when the last one has ended. */
export function runPool(options: PoolOptions): Promise<void> {
  const { from, seeds, workers, onResult, limit_ms = LIMIT_MS } = options;
  let seed = from;
  const next = () => {
    const chunk: number[] = [];
    while (chunk.length < CHUNK && seed < from + seeds) chunk.push(seed++);
    return chunk;
  };
  const module = new URL("./worker.ts", import.meta.url);
  return runCrew({ module, next, workers, onResult, lost, limit_ms });
}
