/**
 * Round trips: how long a message takes through all layers, there and back. Through the calls that
 * wait, and through those that do not, where the program itself lets the stacks take their turns.
 *
 * @module
 */

import { seconds } from "../cpu_time.ts";
import { connectKernel, writeAll } from "../kernel.ts";
import { part, type Row, type Start, type Subject } from "../row.ts";
import {
  closeAll,
  connectStacks,
  cross,
  type Ends,
  oneHost,
  type StackPair,
  twoHosts,
} from "../stacks.ts";

/** Through the kernel; here more, so that a run takes about as long. The figures are rates. */
const ROUND_TRIPS_KERNEL = 20_000;
const ROUND_TRIPS = 100_000;
const SIZES = [{ bytes: 1, words: "1b" }, { bytes: 1024, words: "1k" }];

/** Round trips a second between two sockets, by promises. */
export function promised(
  pair: StackPair,
  [here, there]: Ends,
  bytes: number,
  share: number,
): Subject {
  const count = part(ROUND_TRIPS, share);
  const [near, far] = [pair.left.sys, pair.right.sys];
  const question = new Uint8Array(bytes);
  const reply = new Uint8Array(bytes);
  const ask = async () => {
    for (let i = 0; i < count; i++) {
      await near.send(here, question);
      for (let got = 0; got < bytes;) got += await near.recv(here, question);
    }
  };
  const answer = async () => {
    for (let i = 0; i < count; i++) {
      for (let got = 0; got < bytes;) got += await far.recv(there, reply);
      await far.send(there, reply);
    }
  };
  return {
    measure: async () => count / await seconds(() => Promise.all([ask(), answer()])),
    close: () => closeAll(pair),
  };
}

/** The same, by calls that never wait. */
export function synchronous(
  pair: StackPair,
  [here, there]: Ends,
  bytes: number,
  share: number,
): Subject {
  const count = part(ROUND_TRIPS, share);
  const { left, right } = pair;
  const [near, far] = [left.sys.nb, right.sys.nb];
  const message = new Uint8Array(bytes);
  const exchange = () => {
    for (let i = 0; i < count; i++) {
      near.send(here, message);
      cross(left, right);
      if (far.recv(there, message) !== bytes) throw new Error("a question did not arrive whole");
      far.send(there, message);
      cross(right, left);
      if (near.recv(here, message) !== bytes) throw new Error("an answer did not arrive whole");
    }
  };
  return {
    measure: async () => count / await seconds(exchange),
    close: () => closeAll(pair),
  };
}

/** The same between two sockets of the kernel. */
export function kernelRoundTrips(
  bytes: number,
  connect: () => Promise<[Deno.Conn, Deno.Conn]>,
): Start {
  return async (share) => {
    const count = part(ROUND_TRIPS_KERNEL, share);
    const [here, there] = await connect();
    const question = new Uint8Array(bytes);
    const reply = new Uint8Array(bytes);
    const ask = async () => {
      for (let i = 0; i < count; i++) {
        await writeAll(here, question);
        await readAll(here, question);
      }
    };
    const answer = async () => {
      for (let i = 0; i < count; i++) {
        await readAll(there, reply);
        await writeAll(there, reply);
      }
    };
    return {
      measure: async () => count / await seconds(() => Promise.all([ask(), answer()])),
      close() {
        here.close();
        there.close();
      },
    };
  };
}

async function readAll(conn: Deno.Conn, room: Uint8Array): Promise<void> {
  for (let got = 0; got < room.length;) {
    const length = await conn.read(room);
    if (length === null) throw new Error("the stream ended");
    got += length;
  }
}

/** Round trips of both sizes, over both ways, through both kinds of calls. */
export const roundTripRows: readonly Row[] = SIZES.flatMap(({ bytes, words }) =>
  [
    { way: "pipe", where: "two stacks on the pipe", make: () => twoHosts(1500) },
    { way: "loopback", where: "inside one stack", make: () => oneHost() },
    {
      way: "loopback-segments",
      where: "inside one stack without its fast loopback",
      make: () => oneHost({ sysctl: { "net.godwit.tcp_fastlo": 0 } }),
    },
  ].flatMap(({ way, where, make }): Row[] => {
    const common = {
      unit: "1/s",
      reference: { name: "kernel TCP, loopback", start: kernelRoundTrips(bytes, connectKernel) },
    };
    const size = bytes === 1 ? "1 byte" : `${bytes} bytes`;
    return [{
      ...common,
      name: `tcp-roundtrip-${words}-${way}`,
      about: `${size} there and back, ${where}, through promises`,
      ours: async (share) => {
        const pair = await make();
        return promised(pair, await connectStacks(pair), bytes, share);
      },
    }, {
      ...common,
      name: `tcp-roundtrip-${words}-${way}-sync`,
      about: `${size} there and back, ${where}, through calls that never wait`,
      ours: async (share) => {
        const pair = await make();
        return synchronous(pair, await connectStacks(pair), bytes, share);
      },
    }];
  })
);
