/**
 * Stacks to measure.
 *
 * @module
 */

import { pipe } from "../drivers/pipe.ts";
import { Af, createStack, IpProto, Sock, type Stack, TcpOpt } from "../mod.ts";

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

/** Two stacks on a virtual Ethernet cable. */
export async function twoHosts(mtu: number): Promise<StackPair> {
  const [one, two] = pipe({ mtu });
  const left = await createStack({
    interfaces: [{ driver: one, name: "eth0", addresses: ["10.9.0.1/24"] }],
  });
  const right = await createStack({
    interfaces: [{ driver: two, name: "eth0", addresses: ["10.9.0.2/24"] }],
  });
  return { left, right, address: "10.9.0.2" };
}

/** One stack that talks to itself. */
export async function onePair(): Promise<StackPair> {
  const stack = await createStack();
  return { left: stack, right: stack, address: "127.0.0.1" };
}

/** Connects; answers the descriptors of both ends, without Nagle's algorithm. */
export async function connectStacks(pair: StackPair): Promise<[left: number, right: number]> {
  const { left, right, address } = pair;
  const listener = right.sys.socket(Af.INET, Sock.STREAM);
  right.sys.bind(listener, { address, port: PORT });
  right.sys.listen(listener);
  const fd = left.sys.socket(Af.INET, Sock.STREAM);
  const [accepted] = await Promise.all([
    right.sys.accept(listener),
    left.sys.connect(fd, { address, port: PORT }),
  ]);
  await right.sys.close(listener);
  left.sys.setsockopt(fd, IpProto.TCP, TcpOpt.NODELAY, true);
  right.sys.setsockopt(accepted.fd, IpProto.TCP, TcpOpt.NODELAY, true);
  return [fd, accepted.fd];
}

/** Ends the stacks of a pair. */
export async function closeAll({ left, right }: StackPair): Promise<void> {
  await left.close();
  if (right !== left) await right.close();
}
