/**
 * Bulk TCP: one side sends, the other receives, both through the socket calls.
 *
 * @module
 */

import type { Stack } from "../../mod.ts";
import { connectKernel, writeAll } from "../kernel.ts";
import { closeAll, connectStacks, onePair, type StackPair, twoHosts } from "../stacks.ts";
import { type Row, seconds, type Subject } from "../row.ts";

const TOTAL_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Gbit/s of so many seconds. */
function gigabits(time_s: number): number {
  return TOTAL_BYTES * 8 / time_s / 1e9;
}

async function bulkOver(pair: StackPair): Promise<Subject> {
  const { left, right } = pair;
  const [from, to] = await connectStacks(pair);
  const chunk = new Uint8Array(CHUNK_BYTES).fill(0x5a);
  const room = new Uint8Array(CHUNK_BYTES);
  return {
    measure: async () =>
      gigabits(
        await seconds(() =>
          Promise.all([sendBulk(left, from, chunk), receiveBulk(right, to, room)])
        ),
      ),
    close: () => closeAll(pair),
  };
}

async function sendBulk({ sys }: Stack, fd: number, chunk: Uint8Array): Promise<void> {
  for (let sent = 0; sent < TOTAL_BYTES; sent += chunk.length) await sys.send(fd, chunk);
}

async function receiveBulk({ sys }: Stack, fd: number, room: Uint8Array): Promise<void> {
  for (let got = 0; got < TOTAL_BYTES;) {
    const length = await sys.recv(fd, room);
    if (length === 0) throw new Error(`the stream ended after ${got} bytes`);
    got += length;
  }
}

async function bulkKernel(): Promise<Subject> {
  const [from, to] = await connectKernel();
  const chunk = new Uint8Array(CHUNK_BYTES).fill(0x5a);
  const room = new Uint8Array(CHUNK_BYTES);
  const send = async () => {
    for (let sent = 0; sent < TOTAL_BYTES; sent += chunk.length) await writeAll(from, chunk);
  };
  const receive = async () => {
    for (let got = 0; got < TOTAL_BYTES;) {
      const length = await to.read(room);
      if (length === null) throw new Error(`the stream ended after ${got} bytes`);
      got += length;
    }
  };
  return {
    measure: async () => gigabits(await seconds(() => Promise.all([send(), receive()]))),
    close() {
      from.close();
      to.close();
    },
  };
}

const reference = { name: "kernel TCP, loopback", start: bulkKernel };

/** 256 MiB between two stacks on a virtual Ethernet. */
export const bulkPipe: Row = {
  name: "tcp-bulk-pipe-1500",
  unit: "Gbit/s",
  about: "256 MiB from one stack to another over the pipe, MTU 1500",
  ours: async () => await bulkOver(await twoHosts(1500)),
  reference,
};

/** 256 MiB inside one stack. */
export const bulkLoopback: Row = {
  name: "tcp-bulk-loopback",
  unit: "Gbit/s",
  about: "256 MiB over the loopback interface of one stack",
  ours: async () => await bulkOver(await onePair()),
  reference,
};
