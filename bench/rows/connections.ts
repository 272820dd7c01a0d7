/**
 * Connections: connect, accept, close on both sides, one after the other.
 *
 * @module
 */

import { Af, Sock } from "../../mod.ts";
import { listenKernel } from "../kernel.ts";
import { closeAll, onePair, PORT, type StackPair, twoHosts } from "../stacks.ts";
import { type Row, seconds, type Subject } from "../row.ts";

const CONNECTIONS = 1000;

function connectionsOver(pair: StackPair): Subject {
  const { left, right, address } = pair;
  const listener = right.sys.socket(Af.INET, Sock.STREAM);
  right.sys.bind(listener, { address, port: PORT });
  right.sys.listen(listener);
  const begin = async () => {
    for (let i = 0; i < CONNECTIONS; i++) {
      const fd = left.sys.socket(Af.INET, Sock.STREAM);
      await left.sys.connect(fd, { address, port: PORT });
      await left.sys.close(fd);
    }
  };
  const accept = async () => {
    for (let i = 0; i < CONNECTIONS; i++) {
      const { fd } = await right.sys.accept(listener);
      await right.sys.close(fd);
    }
  };
  return {
    measure: async () => CONNECTIONS / await seconds(() => Promise.all([begin(), accept()])),
    close: () => closeAll(pair),
  };
}

function connectionsKernel(): Subject {
  const { listener, port } = listenKernel();
  const begin = async () => {
    for (let i = 0; i < CONNECTIONS; i++) {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    }
  };
  const accept = async () => {
    for (let i = 0; i < CONNECTIONS; i++) (await listener.accept()).close();
  };
  return {
    measure: async () => CONNECTIONS / await seconds(() => Promise.all([begin(), accept()])),
    close: () => listener.close(),
  };
}

const reference = {
  name: "kernel TCP, loopback",
  start: () => Promise.resolve(connectionsKernel()),
};

/** Between two stacks. */
export const connectionsPipe: Row = {
  name: "tcp-connections-pipe",
  unit: "1/s",
  about: "connect, accept and close, two stacks on the pipe",
  ours: async () => connectionsOver(await twoHosts(1500)),
  reference,
};

/** Inside one stack. */
export const connectionsLoopback: Row = {
  name: "tcp-connections-loopback",
  unit: "1/s",
  about: "connect, accept and close over the loopback interface of one stack",
  ours: async () => connectionsOver(await onePair()),
  reference,
};
