/**
 * A long transfer: nothing may be left behind by it.
 *
 * @module
 */

import type { Stack } from "../../mod.ts";
import { seconds } from "../cpu_time.ts";
import { part, type Row, type Subject } from "../row.ts";
import { closeAll, connectStacks, twoHosts } from "../stacks.ts";
import { transferOver } from "./bulk.ts";
import { collectGarbage } from "./memory.ts";

const TOTAL_BYTES = 16 * 2 ** 30;
const CHUNK_BYTES = 65_536;
/** Buffers have grown and code is compiled after so much. */
const WARM_BYTES = 128 * 2 ** 20;
/** What may be left: other parts of the program come and go, but not with the data. */
const HEAP_BYTES_MAX = 8 * 2 ** 20;
const PROCESS_BYTES_MAX = 48 * 2 ** 20;
const RUN_MS_MAX = 600_000;

/** What could grow. */
interface Footprint {
  /** Mbufs in use by both stacks. */
  readonly mbufs: number;
  /** JavaScript's heap, in bytes. */
  readonly heap: number;
  /** Memory that the system has given to the process, in bytes. */
  readonly process: number;
}

function footprint(stacks: readonly Stack[]): Footprint {
  collectGarbage();
  const { rss, heapUsed } = Deno.memoryUsage();
  const mbufs = stacks.reduce((sum, stack) => {
    const { small, cluster } = stack.netstat().mbufs;
    return sum + small.used + cluster.used;
  }, 0);
  return { mbufs, heap: heapUsed, process: rss };
}

/** Lets what is on its way arrive and be acknowledged. */
async function settle({ left, right }: { left: Stack; right: Stack }): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  left.turn();
  right.turn();
}

function mustBeFlat(before: Footprint, after: Footprint): void {
  const heap = after.heap - before.heap;
  const process = after.process - before.process;
  if (after.mbufs > before.mbufs) {
    throw new Error(`${after.mbufs - before.mbufs} mbufs were left behind`);
  }
  if (heap > HEAP_BYTES_MAX) throw new Error(`JavaScript's heap has grown by ${heap} bytes`);
  if (process > PROCESS_BYTES_MAX) throw new Error(`the process has grown by ${process} bytes`);
}

async function soak(share: number): Promise<Subject> {
  const pair = await twoHosts(1500);
  const stacks = [pair.left, pair.right];
  const transfer = transferOver(pair, ...await connectStacks(pair));
  await transfer(WARM_BYTES);
  await settle(pair);
  const before = footprint(stacks);
  const bytes = part(TOTAL_BYTES / CHUNK_BYTES, share) * CHUNK_BYTES;
  let after = before;
  return {
    async measure() {
      const time_s = await seconds(() => transfer(bytes));
      await settle(pair);
      after = footprint(stacks);
      mustBeFlat(before, after);
      return bytes * 8 / time_s / 1e9;
    },
    detail: () => ({
      "mbufs before": before.mbufs,
      "mbufs after": after.mbufs,
      "heap growth, KiB": (after.heap - before.heap) / 1024,
      "process growth, KiB": (after.process - before.process) / 1024,
    }),
    close: () => closeAll(pair),
  };
}

/** 16 GiB through two stacks; fails unless memory stays flat. */
export const soakRows: readonly Row[] = [{
  name: "tcp-soak-16g",
  unit: "Gbit/s",
  about: "16 GiB from one stack to another over the pipe; fails if anything is left in memory",
  exact: true,
  run_ms_max: RUN_MS_MAX,
  ours: soak,
}];
