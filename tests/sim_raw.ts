/**
 * One stack on a virtual wire, with the test at the other end: for tests that write frames by hand.
 *
 * ```ts
 * await using sim = await createRawSim();
 * sim.inject(frame);              // the stack, 10.0.0.1, takes it in
 * const [answer] = sim.take();    // what it sent
 * ```
 *
 * @module
 */

import { Sioc } from "../assembly/abi/ifnet.ts";
import { Af, Sock } from "../assembly/abi/socket.ts";
import type { Stack } from "../runtime/stack.ts";
import { createSim, Sim, type SimOptions } from "./sim_pair.ts";
import { addressOf, hwaddrOf, type Port, type Wire } from "./sim_wire.ts";

/** A stack and the test at the two ends of a wire; the test plays 10.0.0.2. */
export class RawSim extends Sim {
  readonly #port: Port;

  /** Made by {@link createRawSim}. */
  constructor(stack: Stack, wire: Wire, port: Port, options: SimOptions) {
    super([stack], wire, options);
    this.#port = port;
  }

  /** The stack, 10.0.0.1. */
  get stack(): Stack {
    return this.stacks[0];
  }

  /** Puts a frame on the wire and lets the stack take it in. */
  inject(frame: Uint8Array<ArrayBuffer>): void {
    this.wire.send(this.#port.index, frame);
    this.settle();
  }

  /** Takes the frames that the stack has sent since the last time. */
  take(): Uint8Array<ArrayBuffer>[] {
    return this.#port.inbound.splice(0).map(({ bytes }) => bytes);
  }

  /** Frames that wait for `take` hold nothing up. */
  override get next_us(): number {
    return Math.min(
      this.wire.ports[0].inbound[0]?.due_us ?? Infinity,
      this.stack.nextDeadline(),
    );
  }
}

/**
 * Makes one stack, 10.0.0.1, and an end for the test, 10.0.0.2 with the hardware address
 * `hwaddrOf(1)`. The stack is told that address, so that no ARP request comes in the way; what it
 * sent so far is forgotten.
 */
export async function createRawSim(options: Omit<SimOptions, "hosts"> = {}): Promise<RawSim> {
  const sim = await createSim({ ...options, hosts: 1 });
  const [stack] = sim.stacks;
  const raw = new RawSim(stack, sim.wire, sim.wire.addPort(), options);
  if ((options.medium ?? "ethernet") === "ethernet") {
    const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
    stack.sys.ioctl(fd, Sioc.SARP, { ifname: "eth0", addr: addressOf(1), hwaddr: hwaddrOf(1) });
    stack.sys.nb.close(fd);
  }
  raw.settle();
  raw.take();
  raw.wire.capture.length = 0;
  return raw;
}
