/**
 * The work whose cost is counted: the same to the last frame each time, on a clock moved by hand
 * and with a seed.
 *
 * @module
 */

import { Af, Errno, ManualClock, type MemoryOptions, Sock, SocketError } from "../../mod.ts";
import {
  closeAll,
  connectMany,
  datagramStack,
  type Ends,
  listenStack,
  oneHost,
  PORT,
  type StackPair,
  twoHosts,
} from "../stacks.ts";

/** Something that is done many times. */
export interface Work {
  /** Name in the table. */
  readonly name: string;
  /** What is done once, in a few words. */
  readonly once: string;
  /** Sets stacks up with this engine. */
  start(engine: WebAssembly.Module): Promise<Bench>;
}

/** Stacks that are ready to work. */
export interface Bench {
  /** The stacks. */
  readonly pair: StackPair;
  /** Does the work and answers how often. */
  run(): number | Promise<number>;
}

const CHUNK_BYTES = 65_536;
const BULK_BYTES = 8 * 1024 * 1024;
/** Payload of a full segment at an MTU of 1500, with timestamps. */
const SEGMENT_BYTES = 1448;
const TIMES = 1000;
/** Connections that do nothing, where there are many. */
const IDLE = 1000;
const MEMORY: MemoryOptions = { bytes: 64 * 2 ** 20, sockets: 4096, tcbs: 4096 };
/** What a turn is apart from the next. */
const TURN_US = 10;

const clocks = new WeakMap<StackPair, ManualClock>();

async function make(
  engine: WebAssembly.Module,
  where: "pipe" | "loopback" = "pipe",
): Promise<StackPair> {
  const clock = new ManualClock(1e6);
  const options = { engine, clock, memory: MEMORY, seed: "cost" };
  const pair = where === "pipe" ? await twoHosts(1500, options) : await oneHost(options);
  clocks.set(pair, clock);
  return pair;
}

/** Both stacks take a turn, a little later. */
function turn(pair: StackPair): void {
  clocks.get(pair)!.advance(TURN_US);
  pair.left.turn();
  if (pair.right !== pair.left) pair.right.turn();
}

/** Takes turns until a promise is kept. */
async function settled<T>(pair: StackPair, promise: Promise<T>): Promise<T> {
  let done = false;
  promise.finally(() => done = true).catch(() => {});
  while (!done) {
    turn(pair);
    await Promise.resolve();
  }
  return await promise;
}

async function connected(pair: StackPair, count: number): Promise<Ends[]> {
  const ends = await settled(pair, connectMany(pair, count));
  // What follows the handshake is over.
  for (let i = 0; i < 10; i++) turn(pair);
  return ends;
}

/** A call that never waits; 0 if it would have to. */
function orNothing(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof SocketError && error.errno === Errno.EAGAIN) return 0;
    throw error;
  }
}

function bulk(pair: StackPair, [from, to]: Ends): number {
  const [chunk, room] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  const { left, right } = pair;
  for (let sent = 0, got = 0; got < BULK_BYTES; turn(pair)) {
    if (sent < BULK_BYTES) sent += orNothing(() => left.sys.nb.send(from, chunk));
    got += orNothing(() => right.sys.nb.recv(to, room));
  }
  return BULK_BYTES / SEGMENT_BYTES;
}

function roundTrips(pair: StackPair, [here, there]: Ends): number {
  const message = new Uint8Array(1);
  const [near, far] = [pair.left.sys.nb, pair.right.sys.nb];
  const back = { ...pair, left: pair.right, right: pair.left };
  clocks.set(back, clocks.get(pair)!);
  for (let i = 0; i < TIMES; i++) {
    near.send(here, message);
    turn(pair);
    far.recv(there, message);
    far.send(there, message);
    turn(back);
    near.recv(here, message);
  }
  return TIMES;
}

function bulkWork(name: string, where: "pipe" | "loopback"): Work {
  return {
    name,
    once: `${SEGMENT_BYTES} bytes of a stream, ${where}`,
    async start(engine) {
      const pair = await make(engine, where);
      const [ends] = await connected(pair, 1);
      return { pair, run: () => bulk(pair, ends) };
    },
  };
}

function roundTripWork(name: string, others: number): Work {
  return {
    name,
    once: others === 0 ? "1 byte there and back, pipe" : `the same beside ${others} connections`,
    async start(engine) {
      const pair = await make(engine);
      const ends = await connected(pair, 1 + others);
      return { pair, run: () => roundTrips(pair, ends[others >> 1]) };
    },
  };
}

const connections: Work = {
  name: "connection",
  once: "a connection opened, accepted and closed by both, pipe",
  async start(engine) {
    const pair = await make(engine);
    await connected(pair, 1);
    const { left, right, address } = pair;
    const listener = listenStack(pair);
    const once = async () => {
      const fd = left.sys.socket(Af.INET, Sock.STREAM);
      const accepting = right.sys.accept(listener);
      await left.sys.connect(fd, { address, port: PORT });
      const accepted = await accepting;
      await left.sys.close(fd);
      await right.sys.close(accepted.fd);
    };
    return {
      pair,
      async run() {
        for (let i = 0; i < TIMES; i++) await settled(pair, once());
        return TIMES;
      },
    };
  },
};

const datagrams: Work = {
  name: "datagram",
  once: "64 bytes by UDP, pipe",
  async start(engine) {
    const pair = await make(engine);
    const { left, right, address } = pair;
    const from = datagramStack(left, "", 0);
    const to = datagramStack(right, address, PORT);
    await left.sys.connect(from, { address, port: PORT });
    const [data, room] = [new Uint8Array(64), new Uint8Array(64)];
    left.sys.nb.send(from, data);
    for (let i = 0; i < 10; i++) turn(pair);
    right.sys.nb.recv(to, room);
    return {
      pair,
      run() {
        for (let i = 0; i < TIMES; i++) {
          left.sys.nb.send(from, data);
          turn(pair);
          right.sys.nb.recv(to, room);
        }
        return TIMES;
      },
    };
  },
};

const idle: Work = {
  name: "idle-turn",
  once: `a turn of two stacks with ${IDLE} idle connections`,
  async start(engine) {
    const pair = await make(engine);
    await connected(pair, IDLE);
    return {
      pair,
      run() {
        for (let i = 0; i < TIMES; i++) turn(pair);
        return TIMES;
      },
    };
  },
};

/** All that is counted. */
export const WORKS: readonly Work[] = [
  bulkWork("bulk-pipe", "pipe"),
  bulkWork("bulk-loopback", "loopback"),
  roundTripWork("round-trip", 0),
  roundTripWork("round-trip-among-many", IDLE),
  connections,
  datagrams,
  idle,
];

/** Ends what a work has set up. */
export async function end({ pair }: Bench): Promise<void> {
  await closeAll(pair);
}
