/**
 * UDP datagrams of 64 bytes. As many as fit any receive buffer are sent in a row and then received,
 * so that none is lost and the figure is of datagrams that arrived.
 *
 * @module
 */

import { Af, Sock, type Stack } from "../../mod.ts";
import { datagramKernel } from "../kernel.ts";
import { closeAll, onePair, PORT, type StackPair, twoHosts } from "../stacks.ts";
import { type Row, seconds, type Subject } from "../row.ts";

const DATAGRAM_BYTES = 64;
/** Sent before the receiver gets its turn; small against every receive buffer. */
const IN_A_ROW = 32;
const ROWS = 1000;

function bound({ sys }: Stack, address: string, port: number): number {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(fd, { address, port });
  return fd;
}

async function datagramsOver(pair: StackPair): Promise<Subject> {
  const { left, right, address } = pair;
  const from = bound(left, "", 0);
  const to = bound(right, address, PORT);
  const data = new Uint8Array(DATAGRAM_BYTES);
  const room = new Uint8Array(2048);
  const target = { address, port: PORT };
  // While the neighbour is asked for its hardware address only a few packets are held.
  await left.sys.sendto(from, data, 0, target);
  await right.sys.recvfrom(to, room);
  const work = async () => {
    for (let i = 0; i < ROWS; i++) {
      for (let j = 0; j < IN_A_ROW; j++) await left.sys.sendto(from, data, 0, target);
      for (let j = 0; j < IN_A_ROW; j++) await right.sys.recvfrom(to, room);
    }
  };
  return {
    measure: async () => ROWS * IN_A_ROW / await seconds(work),
    close: () => closeAll(pair),
  };
}

function datagramsKernel(): Subject {
  const from = datagramKernel();
  const to = datagramKernel();
  const data = new Uint8Array(DATAGRAM_BYTES);
  const room = new Uint8Array(2048);
  const target = { transport: "udp", hostname: "127.0.0.1", port: to.port } as const;
  const work = async () => {
    for (let i = 0; i < ROWS; i++) {
      for (let j = 0; j < IN_A_ROW; j++) await from.conn.send(data, target);
      for (let j = 0; j < IN_A_ROW; j++) await to.conn.receive(room);
    }
  };
  return {
    measure: async () => ROWS * IN_A_ROW / await seconds(work),
    close() {
      from.conn.close();
      to.conn.close();
    },
  };
}

const reference = { name: "kernel UDP, loopback", start: () => Promise.resolve(datagramsKernel()) };

/** Between two stacks. */
export const datagramsPipe: Row = {
  name: "udp-datagrams-pipe",
  unit: "1/s",
  about: "datagrams of 64 bytes, two stacks on the pipe",
  ours: async () => await datagramsOver(await twoHosts(1500)),
  reference,
};

/** Inside one stack. */
export const datagramsLoopback: Row = {
  name: "udp-datagrams-loopback",
  unit: "1/s",
  about: "datagrams of 64 bytes over the loopback interface of one stack",
  ours: async () => await datagramsOver(await onePair()),
  reference,
};
