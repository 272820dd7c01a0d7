/**
 * Bulk TCP: one side sends, the other receives, both through the socket calls.
 *
 * @module
 */

import type { Stack, TcpConn } from "../../mod.ts";
import { seconds } from "../cpu_time.ts";
import { connectKernel, writeAll } from "../kernel.ts";
import { part, type Reference, type Row, type Start, type Subject } from "../row.ts";
import {
  closeAll,
  connectMany,
  connectStacks,
  type Ends,
  oneHost,
  type StackPair,
  twoHosts,
} from "../stacks.ts";

const TOTAL_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Connections of the row with many of them. */
const PARALLEL = 32;

/** One transfer of so many bytes: both ends at work. */
type Transfer = (bytes: number) => Promise<unknown>;

/** What is sent and where it is received, for one connection. */
function buffers(): [chunk: Uint8Array, room: Uint8Array] {
  return [new Uint8Array(CHUNK_BYTES).fill(0x5a), new Uint8Array(CHUNK_BYTES)];
}

/** Sends `bytes` in chunks over a connection of a pair, and receives them. */
export function transferOver({ left, right }: StackPair, from: number, to: number): Transfer {
  const [chunk, room] = buffers();
  return (bytes) =>
    Promise.all([sendBulk(left, from, chunk, bytes), receiveBulk(right, to, room, bytes)]);
}

async function sendBulk({ sys }: Stack, fd: number, chunk: Uint8Array, bytes: number) {
  for (let sent = 0; sent < bytes; sent += chunk.length) await sys.send(fd, chunk);
}

async function receiveBulk({ sys }: Stack, fd: number, room: Uint8Array, bytes: number) {
  for (let got = 0; got < bytes;) {
    const length = await sys.recv(fd, room);
    if (length === 0) throw new Error(`the stream ended after ${got} bytes`);
    got += length;
  }
}

/** The same, but who receives looks at the data where it lies. */
function transferPeeked({ left, right }: StackPair, [from, to]: Ends): Transfer {
  const [chunk] = buffers();
  const conn = right.openFd(to) as TcpConn;
  const receive = async (bytes: number) => {
    for (let got = 0; got < bytes;) {
      const view = await conn.peek();
      if (view === null) throw new Error(`the stream ended after ${got} bytes`);
      conn.release(view.length);
      got += view.length;
    }
  };
  return (bytes) => Promise.all([sendBulk(left, from, chunk, bytes), receive(bytes)]);
}

/** The same between two sockets of the kernel. */
export function transferKernel(from: Deno.Conn, to: Deno.Conn): Transfer {
  const [chunk, room] = buffers();
  const send = async (bytes: number) => {
    for (let sent = 0; sent < bytes; sent += chunk.length) await writeAll(from, chunk);
  };
  const receive = async (bytes: number) => {
    for (let got = 0; got < bytes;) {
      const length = await to.read(room);
      if (length === null) throw new Error(`the stream ended after ${got} bytes`);
      got += length;
    }
  };
  return (bytes) => Promise.all([send(bytes), receive(bytes)]);
}

/** Gbit/s of transfers side by side, which share the work. */
export function bulkSubject(
  transfers: readonly Transfer[],
  share: number,
  close: Subject["close"],
): Subject {
  const chunks = part(TOTAL_BYTES / CHUNK_BYTES / transfers.length, share);
  const bytes = chunks * CHUNK_BYTES;
  const work = () => Promise.all(transfers.map((transfer) => transfer(bytes)));
  return {
    measure: async () => bytes * transfers.length * 8 / await seconds(work) / 1e9,
    close,
  };
}

async function bulkOver(pair: StackPair, connections: number, share: number): Promise<Subject> {
  const ends = await connectMany(pair, connections);
  const transfers = ends.map(([from, to]) => transferOver(pair, from, to));
  return bulkSubject(transfers, share, () => closeAll(pair));
}

async function peekedOver(pair: StackPair, share: number): Promise<Subject> {
  const transfer = transferPeeked(pair, await connectStacks(pair));
  return bulkSubject([transfer], share, () => closeAll(pair));
}

function bulkKernel(connections: number): Start {
  return async (share) => {
    const ends: [Deno.TcpConn, Deno.TcpConn][] = [];
    for (let i = 0; i < connections; i++) ends.push(await connectKernel());
    return bulkSubject(ends.map(([from, to]) => transferKernel(from, to)), share, () => {
      for (const conn of ends.flat()) conn.close();
    });
  };
}

function reference(connections = 1): Reference {
  const many = connections > 1 ? `, ${connections} connections` : "";
  return { name: `kernel TCP, loopback${many}`, start: bulkKernel(connections) };
}

/** 256 MiB between two stacks on a virtual Ethernet. */
export const bulkPipe: Row = {
  name: "tcp-bulk-pipe-1500",
  unit: "Gbit/s",
  about: "256 MiB from one stack to another over the pipe, MTU 1500",
  ours: async (share) => await bulkOver(await twoHosts(1500), 1, share),
  reference: reference(),
};

/** Bulk TCP through the stack. */
export const bulkRows: readonly Row[] = [
  bulkPipe,
  {
    name: "tcp-bulk-pipe-64k",
    unit: "Gbit/s",
    about: "256 MiB from one stack to another over the pipe, MTU 65,535",
    ours: async (share) => await bulkOver(await twoHosts(65_535), 1, share),
    reference: reference(),
  },
  {
    name: "tcp-bulk-loopback",
    unit: "Gbit/s",
    about: "256 MiB over the loopback interface of one stack",
    ours: async (share) => await bulkOver(await oneHost(), 1, share),
    reference: reference(),
  },
  {
    name: "tcp-bulk-loopback-peek",
    unit: "Gbit/s",
    about: "the same; the receiver looks at the data in the engine's memory",
    ours: async (share) => await peekedOver(await oneHost(), share),
    reference: reference(),
  },
  {
    name: "tcp-bulk-parallel-32",
    unit: "Gbit/s",
    about: `256 MiB over ${PARALLEL} connections at once, pipe, MTU 1500`,
    ours: async (share) => await bulkOver(await twoHosts(1500), PARALLEL, share),
    reference: reference(PARALLEL),
  },
];
