/**
 * Many connections in one stack: what one more takes, in time and memory, when there are a thousand
 * and when there are a million.
 *
 * ```
 *   deno task bench:scale [--most 1000000] [--json]
 * ```
 *
 * @module
 */

import { Limits } from "../../assembly/abi/limits.ts";
import { Af, createStack, Sock, SocketError, type Stack } from "../../mod.ts";
import { Crowd } from "./crowd.ts";

const PORT = 7000;
/** 10.0.0.1 */
const ADDRESS = 0x0a000001;
const LEVELS = [1_000, 10_000, 100_000, 1_000_000];
const SEGMENTS = 50_000;
const CONTROL_BYTES = 512 * 2 ** 20;
const EACH_BYTES = 3000;
const MEMORY_MAX = 2 ** 32 - 65536;
const PAGE_BYTES = 4096;
/** So long do connections wait to be parked. */
const IDLE_MS = 300;

/** What was seen with so many connections. */
export interface Level {
  /** How many there were. */
  readonly connections: number;
  /** Connections accepted a second, from the level before on. */
  readonly accept_per_s: number;
  /** For a segment of a connection at random: driver, engine, JavaScript. */
  readonly segment_ns: number;
  /** Pages of the engine that are not empty, more than before the first connection, for each. */
  readonly engine_B: number;
  /** Memory of the process and JavaScript's heap, the same way. */
  readonly process_B: number;
  readonly heap_B: number;
  /** The longest turn with its accepts since the level before. */
  readonly turn_ms_max: number;
}

/** Memory in use: of the engine, of the process, of JavaScript. */
type Used = readonly [engine: number, process: number, heap: number];

function used({ engine }: Stack): Used {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  return [touched(engine.u32), rss, heapUsed];
}

/** Bytes of the pages that hold something; pages nobody has written to stay the system's. */
function touched(words: Uint32Array): number {
  const step = PAGE_BYTES / 4;
  let pages = 0;
  for (let at = 0; at < words.length; at += step) {
    let i = at;
    while (i < at + step && words[i] === 0) i++;
    if (i < at + step) pages++;
  }
  return pages * PAGE_BYTES;
}

/** Takes all connections that wait; answers how many. */
function acceptAll({ sys }: Stack, listener: number): number {
  for (let count = 0;; count++) {
    try {
      sys.nb.accept(listener);
    } catch (error) {
      if (error instanceof SocketError) return count;
      throw error;
    }
  }
}

/** Lets the crowd grow to `count` connections; answers the time, and the longest turn. */
function grow(stack: Stack, crowd: Crowd, listener: number, count: number): [number, number] {
  crowd.open(count);
  const begin = performance.now();
  let longest = 0;
  let before = begin;
  for (let idle = 0; idle < 3;) {
    const work = stack.turn() + acceptAll(stack, listener);
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
    idle = work > 0 ? 0 : idle + 1;
  }
  if (crowd.resets > 0) throw new Error(`${crowd.resets} connections were refused`);
  return [before - begin, longest];
}

/** Nanoseconds for a segment of a connection at random. */
function segment_ns(stack: Stack, crowd: Crowd, connections: number): number {
  const begin = performance.now();
  let peer = 1;
  for (let sent = 0; sent < SEGMENTS; stack.turn()) {
    for (let i = 0; i < Limits.RING; i++) {
      peer = (Math.imul(peer, 1664525) + 1013904223) >>> 0;
      crowd.repeat(peer % connections);
    }
    sent += Limits.RING;
  }
  return (performance.now() - begin) * 1e6 / SEGMENTS;
}

/** Lets the stack find out which connections are idle. */
async function rest(stack: Stack, crowd: Crowd): Promise<void> {
  await new Promise((done) => setTimeout(done, IDLE_MS));
  for (let i = 0; i < crowd.answered / 32 + 1; i++) stack.turn();
}

/** Measures one level after the other. */
export async function measure(most: number, told: (level: Level) => void): Promise<void> {
  const crowd = new Crowd({ address: ADDRESS, port: PORT, peers: most });
  const stack = await createStack({
    descriptors: most + 16,
    memory: {
      bytes: Math.min(CONTROL_BYTES + most * EACH_BYTES, MEMORY_MAX),
      sockets: most + 16,
      mbufs_small: 8192,
      mbufs_cluster: 8192,
    },
    interfaces: [{ driver: crowd, addresses: ["10.0.0.1/32"], name: "crowd0" }],
  });
  stack.route.add("default", { interface: "crowd0" });
  const listener = stack.sys.socket(Af.INET, Sock.STREAM);
  stack.sys.bind(listener, { address: "10.0.0.1", port: PORT });
  stack.sys.listen(listener, 1024);
  const first = used(stack);
  let before = 0;
  for (const connections of LEVELS.filter((level) => level <= most)) {
    const [time_ms, turn_ms_max] = grow(stack, crowd, listener, connections);
    if (crowd.answered < connections) throw new Error(`only ${crowd.answered} connections`);
    await rest(stack, crowd);
    const now = used(stack);
    const each = now.map((bytes, i) => Math.round((bytes - first[i]) / connections));
    told({
      connections,
      accept_per_s: Math.round((connections - before) * 1000 / time_ms),
      segment_ns: Math.round(segment_ns(stack, crowd, connections)),
      engine_B: each[0],
      process_B: each[1],
      heap_B: each[2],
      turn_ms_max: Math.round(turn_ms_max * 100) / 100,
    });
    before = connections;
  }
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--most");
  const most = at < 0 ? LEVELS.at(-1)! : Number(Deno.args[at + 1]);
  const levels: Level[] = [];
  await measure(most, (level) => {
    levels.push(level);
    if (!Deno.args.includes("--json")) console.log(JSON.stringify(level));
  });
  if (Deno.args.includes("--json")) console.log(JSON.stringify(levels));
  Deno.exit(); // to close a million connections in order would take longer than all else
}
