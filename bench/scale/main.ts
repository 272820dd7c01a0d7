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
import type { Stack } from "../../mod.ts";
import { cpuSeconds } from "../cpu_time.ts";
import { type Crowded, grow, rest, startCrowd } from "./crowded.ts";
import { measureClose, measureTimers } from "./timers.ts";

const LEVELS = [1_000, 10_000, 100_000, 1_000_000];
const SEGMENTS = 200_000;
const WARM = 20_000;
const PAGE_BYTES = 4096;
/** Words of the engine that a connection takes. */
const EACH_WORDS = 128;
const READS = 4_000_000;

/** What was seen with so many connections. */
export interface Level {
  /** How many there were. */
  readonly connections: number;
  /** Connections accepted a second, from the level before on. */
  readonly accept_per_s: number;
  /** The processor's time for a segment of one at random: driver, engine, JavaScript. */
  readonly segment_ns: number;
  /** For a word at random of a table that is as large as what they take. */
  readonly random_read_ns: number;
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

/** Nanoseconds for a segment of a connection at random. */
async function segment_ns({ stack, crowd }: Crowded, connections: number): Promise<number> {
  let peer = 1;
  const segments = () => {
    for (let sent = 0; sent < SEGMENTS; stack.turn()) {
      for (let i = 0; i < Limits.RING; i++) {
        peer = (Math.imul(peer, 1664525) + 1013904223) >>> 0;
        crowd.repeat(Math.floor(peer / 2 ** 32 * connections));
      }
      sent += Limits.RING;
    }
  };
  return await cpuSeconds(segments) * 1e9 / SEGMENTS;
}

/** Has V8 compile what is to be measured. */
async function warmUp(): Promise<void> {
  const crowded = await startCrowd(WARM);
  grow(crowded, WARM);
  await rest(crowded);
  await segment_ns(crowded, WARM);
  await crowded.stack.close();
}

/**
 * What of that is the machine's: nanoseconds to read one word at random in a table as large as what
 * the connections take. A segment takes several such words, one behind the other.
 */
async function random_read_ns(connections: number): Promise<number> {
  const words = new Uint32Array(connections * EACH_WORDS);
  words.fill(1); // so that there is memory behind it
  let place = 1;
  const read = () => {
    // The next place depends on what was read, so that the processor has to wait for it.
    for (let i = 0; i < READS; i++) {
      place = (Math.imul(place, 1664525) + 1013904222 + words[at(place, connections)]) >>> 0;
    }
  };
  return await cpuSeconds(read) * 1e9 / READS;
}

function at(place: number, connections: number): number {
  return Math.floor(place / 2 ** 32 * connections) * EACH_WORDS;
}

/** Measures one level after the other. */
export async function measure(most: number, told: (level: Level) => void): Promise<void> {
  await warmUp();
  const crowded = await startCrowd(most);
  const { stack } = crowded;
  const first = used(stack);
  let before = 0;
  for (const connections of LEVELS.filter((level) => level <= most)) {
    const [time_ms, turn_ms_max] = grow(crowded, connections);
    await rest(crowded);
    const now = used(stack);
    const each = now.map((bytes, i) => Math.round((bytes - first[i]) / connections));
    told({
      connections,
      accept_per_s: Math.round((connections - before) * 1000 / time_ms),
      segment_ns: Math.round(await segment_ns(crowded, connections)),
      random_read_ns: Math.round(await random_read_ns(connections)),
      engine_B: each[0],
      process_B: each[1],
      heap_B: each[2],
      turn_ms_max: Math.round(turn_ms_max * 100) / 100,
    });
    before = connections;
  }
}

async function main(): Promise<void> {
  const at = Deno.args.indexOf("--most");
  const most = at < 0 ? LEVELS.at(-1)! : Number(Deno.args[at + 1]);
  const json = Deno.args.includes("--json");
  const told: object[] = [];
  const tell = (row: object) => {
    told.push(row);
    if (!json) console.log(JSON.stringify(row));
  };
  await measure(most, tell);
  for (const timers of [LEVELS[0], most]) tell(await measureTimers(timers));
  for (const connections of [LEVELS[0], most]) {
    const close_us = Math.round(await measureClose(connections) * 100) / 100;
    tell({ connections, close_us });
  }
  if (json) console.log(JSON.stringify(told));
}

if (import.meta.main) await main();
