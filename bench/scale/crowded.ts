/**
 * A stack with a crowd of connections.
 *
 * @module
 */

import process from "node:process";
import { Af, createStack, So, Sock, SocketError, Sol, type Stack } from "../../mod.ts";
import { Crowd } from "./crowd.ts";

const PORT = 7000;
/** 10.0.0.1 */
const ADDRESS = 0x0a000001;
const CONTROL_BYTES = 512 * 2 ** 20;
const EACH_BYTES = 3000;
const MEMORY_MAX = 2 ** 32 - 65536;
/** So long do connections wait to be parked. */
const IDLE_MS = 300;

/** A stack, and those who connect to it. */
export interface Crowded {
  /** The stack. */
  readonly stack: Stack;
  /** Its peers. */
  readonly crowd: Crowd;
  /** The descriptor that listens. */
  readonly listener: number;
}

/** A stack with room for so many connections, of which there are none yet. */
export async function startCrowd(most: number, keepalive = false): Promise<Crowded> {
  const crowd = new Crowd({ address: ADDRESS, port: PORT, peers: most });
  const stack = await createStack({
    descriptors: most + 16,
    memory: {
      bytes: Math.min(CONTROL_BYTES + most * EACH_BYTES, MEMORY_MAX),
      sockets: most + 16,
      mbufs_small: 8192,
      mbufs_cluster: 8192,
    },
    interfaces: [{ driver: crowd, addresses: ["10.0.0.1/32"], name: "crowd0" }],
  });
  stack.route.add("default", { interface: "crowd0" });
  const listener = stack.sys.socket(Af.INET, Sock.STREAM);
  // Connections have this option from the socket that accepts them.
  stack.sys.setsockopt(listener, Sol.SOCKET, So.KEEPALIVE, keepalive);
  stack.sys.bind(listener, { address: "10.0.0.1", port: PORT });
  stack.sys.listen(listener, 1024);
  return { stack, crowd, listener };
}

/** Takes all connections that wait; answers how many. */
function acceptAll({ sys }: Stack, listener: number): number {
  for (let count = 0;; count++) {
    try {
      sys.nb.accept(listener);
    } catch (error) {
      if (error instanceof SocketError) return count;
      throw error;
    }
  }
}

/**
 * Lets the crowd grow to `count` connections; answers the milliseconds, and those of the longest
 * turn. A turn in which another program had the processor counts for as long as it had it itself.
 */
export function grow({ stack, crowd, listener }: Crowded, count: number): [number, number] {
  crowd.open(count);
  const begin = performance.now();
  let longest = 0;
  let before = begin;
  let used = process.cpuUsage();
  for (let idle = 0; idle < 3;) {
    const work = stack.turn() + acceptAll(stack, listener);
    const { user, system } = process.cpuUsage(used);
    const now = performance.now();
    longest = Math.max(longest, Math.min(now - before, (user + system) / 1000));
    before = now;
    used = process.cpuUsage();
    idle = work > 0 ? 0 : idle + 1;
  }
  if (crowd.resets > 0) throw new Error(`${crowd.resets} connections were refused`);
  if (crowd.answered < count) throw new Error(`only ${crowd.answered} connections`);
  return [before - begin, longest];
}

/** Lets the stack find out which connections are idle. */
export async function rest({ stack, crowd }: Crowded): Promise<void> {
  await new Promise((done) => setTimeout(done, IDLE_MS));
  for (let i = 0; i < crowd.answered / 32 + 1; i++) stack.turn();
}
