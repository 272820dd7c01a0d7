/** Two stacks whose cables can be changed, on a clock that moves when nothing is left to do. */

import { assertEquals } from "@std/assert";
import { pipe, type PipeEnd, type PipeOptions } from "../../../drivers/pipe.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import type { DriverCaps, NetDriver } from "../../../runtime/device/driver.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";
import { Sim } from "../../sim_pair.ts";
import { Wire } from "../../sim_wire.ts";

/** Two hosts on a cable. */
export interface Hosts {
  readonly sim: Sim;
  readonly left: Stack;
  readonly right: Stack;
}

/** Stacks 10.0.0.1 and 10.0.0.2, with interfaces eth0 on a cable. */
export async function hosts(ends: readonly NetDriver[] = pipe()): Promise<Hosts> {
  const clock = new ManualClock(1_000_000);
  const stacks: Stack[] = [];
  for (const [i, driver] of ends.entries()) {
    const interfaces = [{ driver, name: "eth0", addresses: [`10.0.0.${1 + i}/24`] }];
    const memory = { bytes: 32 * 2 ** 20 };
    stacks.push(await createStack({ clock, seed: `${i}`, engine, memory, interfaces }));
  }
  const sim = new Sim(stacks, new Wire(clock, {}), {});
  sim.settle();
  return { sim, left: stacks[0], right: stacks[1] };
}

/** An end of a cable whose driver says other things of itself. */
export function dressed(end: PipeEnd, caps: Partial<DriverCaps>): NetDriver {
  return {
    name: "dressed",
    caps: { ...end.caps, ...caps },
    attach: (ifp) => end.attach(ifp),
    start: (tx) => end.start(tx),
    rx: (free) => end.rx(free),
    detach: () => end.detach(),
  };
}

/** A cable whose ends say more of themselves. */
export function cable(options: PipeOptions = {}, caps?: Partial<DriverCaps>): NetDriver[] {
  const ends = pipe(options);
  return caps ? ends.map((end) => dressed(end, caps)) : ends;
}

/** Bytes that tell where they stand. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) * 7 + (i >> 16));
}

/**
 * Sends so many bytes from the left to the right, and calls each step when its part of them has
 * arrived. The connection must be the same all the time, and every byte must come.
 */
export async function transfer(
  { sim, left, right }: Hosts,
  bytes: number,
  steps: readonly (() => Promise<void> | void)[],
): Promise<void> {
  const data = pattern(bytes);
  using listener = right.listen({ port: 80 });
  const accepting = listener.accept();
  using from = await sim.run(left.connect({ hostname: "10.0.0.2", port: 80 }));
  using to = await sim.run(accepting);
  const send = async () => {
    for (let at = 0; at < bytes;) at += await from.write(data.subarray(at, at + 65_536));
    await from.closeWrite();
  };
  const got = new Uint8Array(bytes + 1);
  let at = 0;
  const receive = async () => {
    let next = 0;
    for (;;) {
      const n = await to.read(got.subarray(at, at + 32_768));
      if (n === null) return;
      at += n;
      const due = Math.floor(at * (steps.length + 1) / bytes);
      while (next < due && next < steps.length) await steps[next++]();
    }
  };
  await sim.run(Promise.all([send(), receive()]));
  assertEquals(at, bytes);
  assertEquals(got.subarray(0, bytes), data);
}

/** Mbufs that a stack holds, when nothing is on its way. */
export function mbufsUsed(stack: Stack): number {
  const { small, cluster } = stack.netstat().mbufs;
  return small.used + cluster.used;
}
