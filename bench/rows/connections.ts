/**
 * Connections: connect, accept, close on both sides, one after the other.
 *
 * @module
 */

import { Af, Sock } from "../../mod.ts";
import { seconds } from "../cpu_time.ts";
import { listenKernel } from "../kernel.ts";
import { part, type Row, type Subject } from "../row.ts";
import { closeAll, listenStack, oneHost, PORT, type StackPair, twoHosts } from "../stacks.ts";

/** Through the kernel; here more, so that a run takes about as long. The figures are rates. */
const CONNECTIONS_KERNEL = 2000;
const CONNECTIONS = 10_000;

function connectionsOver(pair: StackPair, share: number): Subject {
  const count = part(CONNECTIONS, share);
  const { left, right, address } = pair;
  const listener = listenStack(pair);
  const begin = async () => {
    for (let i = 0; i < count; i++) {
      const fd = left.sys.socket(Af.INET, Sock.STREAM);
      await left.sys.connect(fd, { address, port: PORT });
      await left.sys.close(fd);
    }
  };
  const accept = async () => {
    for (let i = 0; i < count; i++) {
      const { fd } = await right.sys.accept(listener);
      await right.sys.close(fd);
    }
  };
  return {
    measure: async () => count / await seconds(() => Promise.all([begin(), accept()])),
    close: () => closeAll(pair),
  };
}

function connectionsKernel(share: number): Subject {
  const count = part(CONNECTIONS_KERNEL, share);
  const { listener, port } = listenKernel();
  const begin = async () => {
    for (let i = 0; i < count; i++) {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    }
  };
  const accept = async () => {
    for (let i = 0; i < count; i++) (await listener.accept()).close();
  };
  return {
    measure: async () => count / await seconds(() => Promise.all([begin(), accept()])),
    close: () => listener.close(),
  };
}

const reference = {
  name: "kernel TCP, loopback",
  start: (share: number) => Promise.resolve(connectionsKernel(share)),
};

/** Connections over both ways. */
export const connectionRows: readonly Row[] = [
  {
    name: "tcp-connections-pipe",
    unit: "1/s",
    about: "connect, accept and close, two stacks on the pipe",
    ours: async (share) => connectionsOver(await twoHosts(1500), share),
    reference,
  },
  {
    name: "tcp-connections-loopback",
    unit: "1/s",
    about: "connect, accept and close, inside one stack",
    ours: async (share) => connectionsOver(await oneHost(), share),
    reference,
  },
];
