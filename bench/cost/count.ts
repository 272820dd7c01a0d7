/**
 * Counts what work costs the engine: instructions, memory, calls, mbufs, packets. All of it is the
 * same in every run, so a change of a count is a change of the program.
 *
 * @module
 */

import { type Stack, Stat } from "../../mod.ts";
import { watchCalls } from "../watch_calls.ts";
import { type Metered, readFunctions, readMeter } from "./meter.ts";
import { end, type Work } from "./work.ts";

/** What one piece of work costs, on average; both ends together. */
export interface Cost {
  /** Instructions of the engine. */
  readonly instructions: number;
  /** Those that load or store. */
  readonly accesses: number;
  /** Bytes moved by memory.copy and memory.fill. */
  readonly bytes_moved: number;
  /** Calls of the engine's exports. */
  readonly calls: number;
  /** Mbufs allocated. */
  readonly mbufs: number;
  /** IP packets sent. */
  readonly packets: number;
}

/** A cost and where it comes from. */
export interface Counted {
  /** The cost. */
  readonly cost: Cost;
  /** Instructions by function, most first. */
  readonly functions: readonly { readonly name: string; readonly instructions: number }[];
}

/** Counts calls of a stack's engine from here on, but for those that read the meter. */
function countCalls(stack: Stack): () => number {
  let count = 0;
  watchCalls(stack, (name, call) => (...args) => {
    if (name !== "cost_at") count++;
    return call(...args);
  });
  return () => count;
}

/** What is counted of a stack so far. */
function read(stack: Stack, metered: Metered, calls: () => number): Cost {
  const { engine } = stack;
  const made = calls();
  const counter = (stat: Stat) =>
    Number(engine.view.getBigUint64(engine.calls.counters() + 8 * stat, true));
  return {
    ...readMeter(engine.calls, metered),
    calls: made,
    mbufs: counter(Stat.MBUF_ALLOCATED),
    packets: counter(Stat.IP_OUT),
  };
}

/** Names of what is counted. */
export const KINDS: readonly (keyof Cost)[] = [
  "instructions",
  "accesses",
  "bytes_moved",
  "calls",
  "mbufs",
  "packets",
];

/** Does the work with a metered engine and answers what it cost. */
export async function countWork(work: Work, metered: Metered): Promise<Counted> {
  const bench = await work.start(metered.module);
  try {
    const { left, right } = bench.pair;
    const stacks = (left === right ? [left] : [left, right]).map((stack) => {
      const calls = countCalls(stack);
      return { stack, calls, functions: readFunctions(stack.engine.calls, metered) };
    });
    const before = stacks.map(({ stack, calls }) => read(stack, metered, calls));
    const times = await bench.run();
    const after = stacks.map(({ stack, calls }) => read(stack, metered, calls));
    const sums = KINDS.map((kind) =>
      after.reduce((sum, cost, i) => sum + cost[kind] - before[i][kind], 0) / times
    );
    return {
      cost: Object.fromEntries(KINDS.map((kind, i) => [kind, sums[i]])) as unknown as Cost,
      functions: byFunction(metered, times, stacks),
    };
  } finally {
    await end(bench);
  }
}

function byFunction(
  metered: Metered,
  times: number,
  stacks: readonly { readonly stack: Stack; readonly functions: readonly number[] }[],
): Counted["functions"] {
  const sums = metered.functions.map(() => 0);
  for (const { stack, functions } of stacks) {
    const now = readFunctions(stack.engine.calls, metered);
    now.forEach((count, i) => sums[i] += count - functions[i]);
  }
  return metered.functions.map((name, i) => ({ name, instructions: sums[i] / times }))
    .filter(({ instructions }) => instructions > 0)
    .toSorted((a, b) => b.instructions - a.instructions);
}
