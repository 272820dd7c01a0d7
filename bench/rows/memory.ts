/**
 * What an established connection takes while nothing happens on it.
 *
 * @module
 */

import { part, type Row, type Subject } from "../row.ts";
import { closeAll, connectMany, type StackPair, twoHosts } from "../stacks.ts";

const CONNECTIONS = 10_000;
const FEWER = 1 / 10;
/** A short form would drown in what else the process does. */
const CONNECTIONS_MIN = 2_000;
const IDLE_MS = 300;
const MEMORY_BYTES = 512 * 2 ** 20;
/** The system gives memory to a process in these. */
const PAGE_BYTES = 4096;
const TARGET_BYTES = 1024;

/** Memory that is in use, in bytes. */
interface Used {
  /** Pages of the engines' memories that are not empty. */
  readonly engine: number;
  /** Those, and JavaScript's heap after garbage was collected. */
  readonly total: number;
}

/** Collects garbage, where the program was started with V8's --expose-gc. */
export function collectGarbage(): void {
  const { gc } = globalThis as { gc?: () => void };
  // What is found to be free by the first run may have held what the second finds.
  gc?.();
  gc?.();
}

function heapBytes(): number {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

function touchedBytes(memory: Uint8Array<ArrayBuffer>): number {
  const words = new BigUint64Array(memory.buffer);
  const step = PAGE_BYTES / 8;
  let pages = 0;
  for (let at = 0; at < words.length; at += step) {
    for (let i = at; i < at + step; i++) {
      if (words[i] === 0n) continue;
      pages++;
      break;
    }
  }
  return pages * PAGE_BYTES;
}

/** Lets the stacks find out which connections are idle. */
async function rest({ left, right }: StackPair, connections: number): Promise<void> {
  await new Promise((done) => setTimeout(done, IDLE_MS));
  for (let i = 0; i <= connections / 32; i++) {
    left.turn();
    right.turn();
  }
}

/** What two stacks made for so many connections take once these are there. */
async function usedBy(connections: number): Promise<Used> {
  const memory = {
    bytes: MEMORY_BYTES,
    sockets: connections + 16,
    tcbs: connections + 16,
    mbufs_small: 4 * connections,
    mbufs_cluster: 4096,
  };
  const heap = heapBytes();
  const pair = await twoHosts(1500, { memory, descriptors: connections + 16 });
  try {
    await connectMany(pair, connections);
    await rest(pair, connections);
    const engine = touchedBytes(pair.left.engine.memory) + touchedBytes(pair.right.engine.memory);
    return { engine, total: engine + Math.max(0, heapBytes() - heap) };
  } finally {
    await closeAll(pair);
  }
}

/** Bytes for each end of a connection: what more of them take more. */
function perConnection(kind: keyof Used, share: number): Subject {
  const many = Math.max(CONNECTIONS_MIN, part(CONNECTIONS, share));
  const few = part(many, FEWER);
  return {
    async measure() {
      const [less, more] = [await usedBy(few), await usedBy(many)];
      return Math.max(1, (more[kind] - less[kind]) / (2 * (many - few)));
    },
    close() {},
  };
}

function row(kind: keyof Used, about: string): Row {
  return {
    name: `memory-connection-${kind}`,
    unit: "B",
    better: "less",
    about,
    exact: true,
    ours: (share) => Promise.resolve(perConnection(kind, share)),
    reference: { name: "target", value: TARGET_BYTES },
  };
}

/** Memory of idle connections. */
export const memoryRows: readonly Row[] = [
  row("engine", "an end of an idle connection, in the engine: pages that are not empty"),
  row("total", "the same, and what it has in JavaScript: its descriptor and its socket"),
];
