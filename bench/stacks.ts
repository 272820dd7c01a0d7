/**
 * Stacks to measure.
 *
 * @module
 */

import { pipe } from "../drivers/pipe.ts";
import {
  Af,
  createStack,
  IpProto,
  So,
  Sock,
  Sol,
  type Stack,
  type StackOptions,
  TcpOpt,
} from "../mod.ts";

/** Port that whoever is measured listens on. */
export const PORT = 7000;

/** Who connects, who listens, and where. Both may be the same stack. */
export interface StackPair {
  /** The stack that connects. */
  readonly left: Stack;
  /** The stack that listens. */
  readonly right: Stack;
  /** Address of the stack that listens. */
  readonly address: string;
}

/** How the stacks of a pair are made, beside their interfaces. */
export type PairOptions = Omit<StackOptions, "interfaces">;

/** Two stacks on a virtual Ethernet cable; a seed is one for the pair. */
export async function twoHosts(mtu: number, options: PairOptions = {}): Promise<StackPair> {
  const [one, two] = pipe({ mtu });
  // Stacks with one seed would have one hardware address.
  const seed = (end: string) => options.seed === undefined ? undefined : options.seed + end;
  const left = await createStack({
    ...options,
    seed: seed("left"),
    interfaces: [{ driver: one, name: "eth0", addresses: ["10.9.0.1/24"] }],
  });
  const right = await createStack({
    ...options,
    seed: seed("right"),
    interfaces: [{ driver: two, name: "eth0", addresses: ["10.9.0.2/24"] }],
  });
  return { left, right, address: "10.9.0.2" };
}

/** One stack that talks to itself. */
export async function oneHost(options: PairOptions = {}): Promise<StackPair> {
  const stack = await createStack(options);
  return { left: stack, right: stack, address: "127.0.0.1" };
}

/** Opens a socket that listens for connections, also while there are others on its port. */
export function listenStack({ right, address }: StackPair): number {
  const listener = right.sys.socket(Af.INET, Sock.STREAM);
  right.sys.setsockopt(listener, Sol.SOCKET, So.REUSEADDR, true);
  right.sys.bind(listener, { address, port: PORT });
  right.sys.listen(listener);
  return listener;
}

/** Descriptors of both ends of a connection. */
export type Ends = [left: number, right: number];

/** Connects `count` times, one after the other; without Nagle's algorithm. */
export async function connectMany(pair: StackPair, count: number): Promise<Ends[]> {
  const { left, right, address } = pair;
  const listener = listenStack(pair);
  const all: Ends[] = [];
  while (all.length < count) {
    const fd = left.sys.socket(Af.INET, Sock.STREAM);
    const [accepted] = await Promise.all([
      right.sys.accept(listener),
      left.sys.connect(fd, { address, port: PORT }),
    ]);
    left.sys.setsockopt(fd, IpProto.TCP, TcpOpt.NODELAY, true);
    right.sys.setsockopt(accepted.fd, IpProto.TCP, TcpOpt.NODELAY, true);
    all.push([fd, accepted.fd]);
  }
  await right.sys.close(listener);
  return all;
}

/** Connects once. */
export async function connectStacks(pair: StackPair): Promise<Ends> {
  return (await connectMany(pair, 1))[0];
}

/** A datagram socket bound to a port; 0 for any. */
export function datagramStack({ sys }: Stack, address: string, port: number): number {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(fd, { address, port });
  return fd;
}

/**
 * Lets what one stack has sent arrive at the other, without a wait. What the first call after a
 * turn or a read sends arrives with the call; then neither wants a turn for it.
 */
export function cross(from: Stack, to: Stack): void {
  if (from.wanted) from.turn();
  if (to.wanted) to.turn();
}

/** Ends the stacks of a pair. */
export async function closeAll({ left, right }: StackPair): Promise<void> {
  await left.close();
  if (right !== left) await right.close();
}
