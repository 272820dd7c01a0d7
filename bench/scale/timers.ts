/**
 * Many timers, and many connections that are closed: what one of them takes.
 *
 * @module
 */

import { So, Sol } from "../../mod.ts";
import { cpuSeconds } from "../cpu_time.ts";
import { grow, rest, startCrowd } from "./crowded.ts";

const TURNS = 500_000;
const REARMS = 100_000;
/** Timers that are cancelled and armed again, one after the other and from the beginning. */
const MOVED = 20_000;
/** Behind the one that listens. */
const FIRST_FD = 4;

/** What was seen with so many timers. */
export interface TimerLevel {
  /** Timers that are armed: the keepalive of as many connections. */
  readonly timers: number;
  /** A turn in which nothing happens. */
  readonly idle_ns: number;
  /** One of them cancelled and armed again, at random, with all that the call does besides. */
  readonly rearm_ns: number;
}

/** Measures a stack with so many timers. */
export async function measureTimers(timers: number): Promise<TimerLevel> {
  const crowded = await startCrowd(timers, true);
  const { stack } = crowded;
  grow(crowded, timers);
  await rest(crowded);
  const idle = await each(TURNS, () => stack.turn());
  const fds = new Uint32Array(MOVED);
  for (let i = 0, place = 1; i < MOVED; i++) {
    place = (Math.imul(place, 1664525) + 1013904223) >>> 0;
    fds[i] = FIRST_FD + Math.floor(place / 2 ** 32 * timers);
  }
  // The objects behind descriptors are made by their first use.
  for (const fd of fds) stack.sys.getsockopt(fd, Sol.SOCKET, So.KEEPALIVE);
  const rearm = await each(REARMS, (i) => {
    const fd = fds[i % MOVED];
    stack.sys.setsockopt(fd, Sol.SOCKET, So.KEEPALIVE, false);
    stack.sys.setsockopt(fd, Sol.SOCKET, So.KEEPALIVE, true);
    if (i % 64 === 0) stack.turn();
  });
  await stack.close();
  return { timers, idle_ns: Math.round(idle), rearm_ns: Math.round(rearm) };
}

/** Microseconds a connection to close a stack that has so many. */
export async function measureClose(connections: number): Promise<number> {
  const crowded = await startCrowd(connections);
  grow(crowded, connections);
  await rest(crowded);
  const begin = performance.now();
  await crowded.stack.close();
  const time_ms = performance.now() - begin;
  const { fins, resets } = crowded.crowd;
  if (fins < connections) throw new Error(`only ${fins} ended in order, ${resets} were reset`);
  return time_ms * 1000 / connections;
}

/** The processor's nanoseconds for a call that is made so often; some are made to warm up. */
async function each(times: number, call: (i: number) => void): Promise<number> {
  for (let i = 0; i < times / 4; i++) call(i);
  const calls = () => {
    for (let i = 0; i < times; i++) call(i);
  };
  return await cpuSeconds(calls) * 1e9 / times;
}
