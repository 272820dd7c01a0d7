/**
 * UDP datagrams. As many as fit any receive buffer are sent in a row and then received, so that
 * none is lost and the figure is of datagrams that arrived.
 *
 * @module
 */

import { MessageBatch, type Stack } from "../../mod.ts";
import { seconds } from "../cpu_time.ts";
import { datagramKernel } from "../kernel.ts";
import { part, type Row, type Subject } from "../row.ts";
import {
  closeAll,
  cross,
  datagramStack,
  oneHost,
  PORT,
  type StackPair,
  twoHosts,
} from "../stacks.ts";

const SIZES = [64, 1400];
/** Sent before the receiver gets its turn; small against every receive buffer. */
const IN_A_ROW = 32;
const BURSTS = 1000;

/** Sockets on both stacks, which have found each other's hardware address. */
async function sockets({ left, right, address }: StackPair): Promise<[from: number, to: number]> {
  const from = datagramStack(left, "", 0);
  const to = datagramStack(right, address, PORT);
  // While the neighbour is asked for its hardware address only a few packets are held.
  await left.sys.sendto(from, new Uint8Array(1), 0, { address, port: PORT });
  await right.sys.recvfrom(to, new Uint8Array(1));
  return [from, to];
}

function subject(pair: StackPair, share: number, burst: () => Promise<void> | void): Subject {
  const count = part(BURSTS, share);
  const work = async () => {
    for (let i = 0; i < count; i++) await burst();
  };
  return {
    measure: async () => count * IN_A_ROW / await seconds(work),
    close: () => closeAll(pair),
  };
}

async function promised(pair: StackPair, bytes: number, share: number): Promise<Subject> {
  const { left, right, address } = pair;
  const [from, to] = await sockets(pair);
  const [data, room] = [new Uint8Array(bytes), new Uint8Array(2048)];
  const target = { address, port: PORT };
  return subject(pair, share, async () => {
    for (let i = 0; i < IN_A_ROW; i++) await left.sys.sendto(from, data, 0, target);
    for (let i = 0; i < IN_A_ROW; i++) await right.sys.recvfrom(to, room);
  });
}

async function synchronous(pair: StackPair, bytes: number, share: number): Promise<Subject> {
  const { left, right, address } = pair;
  const [from, to] = await sockets(pair);
  await left.sys.connect(from, { address, port: PORT });
  const [data, room] = [new Uint8Array(bytes), new Uint8Array(2048)];
  return subject(pair, share, () => burst(left, right));
  function burst(near: Stack, far: Stack): void {
    for (let i = 0; i < IN_A_ROW; i++) near.sys.nb.send(from, data);
    cross(near, far);
    for (let i = 0; i < IN_A_ROW; i++) far.sys.nb.recv(to, room);
  }
}

async function batched(pair: StackPair, bytes: number, share: number): Promise<Subject> {
  const { left, right, address } = pair;
  const [from, to] = await sockets(pair);
  await left.sys.connect(from, { address, port: PORT });
  const [out, room] = [new MessageBatch(IN_A_ROW), new MessageBatch(IN_A_ROW)];
  for (let i = 0; i < IN_A_ROW; i++) out.push(new Uint8Array(bytes));
  return subject(pair, share, () => {
    left.sys.nb.sendmmsg(from, out);
    cross(left, right);
    for (let got = 0; got < IN_A_ROW;) got += right.sys.nb.recvmmsg(to, room);
  });
}

function kernel(bytes: number, share: number): Subject {
  const from = datagramKernel();
  const to = datagramKernel();
  const [data, room] = [new Uint8Array(bytes), new Uint8Array(2048)];
  const target = { transport: "udp", hostname: "127.0.0.1", port: to.port } as const;
  const count = part(BURSTS, share);
  const work = async () => {
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < IN_A_ROW; j++) await from.conn.send(data, target);
      for (let j = 0; j < IN_A_ROW; j++) await to.conn.receive(room);
    }
  };
  return {
    measure: async () => count * IN_A_ROW / await seconds(work),
    close() {
      from.conn.close();
      to.conn.close();
    },
  };
}

/** Datagrams of both sizes, over both ways, through all kinds of calls. */
export const datagramRows: readonly Row[] = SIZES.flatMap((bytes) =>
  [
    { way: "pipe", where: "two stacks on the pipe", make: () => twoHosts(1500) },
    { way: "loopback", where: "inside one stack", make: () => oneHost() },
  ].flatMap(({ way, where, make }): Row[] => {
    const reference = {
      name: "kernel UDP, loopback",
      start: (share: number) => Promise.resolve(kernel(bytes, share)),
    };
    return [{
      name: `udp-${bytes}b-${way}`,
      unit: "1/s",
      about: `datagrams of ${bytes} bytes, ${where}, through promises`,
      ours: async (share) => await promised(await make(), bytes, share),
      reference,
    }, {
      name: `udp-${bytes}b-${way}-sync`,
      unit: "1/s",
      about: `datagrams of ${bytes} bytes, ${where}, connected, through calls that never wait`,
      ours: async (share) => await synchronous(await make(), bytes, share),
      reference,
    }, {
      name: `udp-${bytes}b-${way}-batch`,
      unit: "1/s",
      about: `datagrams of ${bytes} bytes, ${where}, connected, ${IN_A_ROW} in a call`,
      ours: async (share) => await batched(await make(), bytes, share),
      reference,
    }];
  })
);
