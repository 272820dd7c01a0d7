/**
 * A connection between two stacks moves from a pipe to TAP devices that the kernel joins, and back.
 * Runs inside a network namespace of its own, as root: tap_swap_test.ts starts it there.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { pipe } from "../../drivers/pipe.ts";
import { TapDriver } from "../../drivers/tap.ts";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import { joinTaps } from "./taps_kit.ts";

const TAP = new URL("../../drivers/tap.ts", import.meta.url);
const BYTES = 12_000_000;

joinTaps();

/** Plugs both stacks into TAP devices, by the module of the driver. */
async function toTaps(stacks: readonly Stack[], offload: boolean): Promise<void> {
  for (const [i, name] of ["near", "far"].entries()) {
    const info = await stacks[i].drivers.swap("eth0", TAP, { options: { name, offload } });
    assertEquals([info.name, info.module, info.state], ["tap", TAP.href, "up"]);
  }
}

async function toPipe(stacks: readonly Stack[]): Promise<void> {
  const ends = pipe();
  for (const [i, stack] of stacks.entries()) {
    const info = await stack.drivers.swap("eth0", ends[i]);
    assertEquals([info.name, info.state, info.fault], ["pipe", "up", undefined]);
  }
}

async function twoStacks(): Promise<[Stack, Stack]> {
  const [left, right] = pipe();
  return [
    await createStack({
      interfaces: [{ driver: left, name: "eth0", addresses: ["10.77.0.1/24"] }],
    }),
    await createStack({
      interfaces: [{ driver: right, name: "eth0", addresses: ["10.77.0.2/24"] }],
    }),
  ];
}

Deno.test("swap: a bulk transfer goes from a pipe to TAP and back, twice", async () => {
  const stacks = await twoStacks();
  const [left, right] = stacks;
  const steps = [
    () => toTaps(stacks, false),
    () => toPipe(stacks),
    () => toTaps(stacks, true),
    () => toPipe(stacks),
  ];
  const data = Uint8Array.from({ length: BYTES }, (_, i) => i * 31 + (i >> 8) * 7 + (i >> 16));
  const listener = right.listen({ port: 80 });
  const from = await left.connect({ hostname: "10.77.0.2", port: 80 });
  const to = await listener.accept();
  const send = async () => {
    for (let at = 0; at < BYTES;) at += await from.write(data.subarray(at, at + 65_536));
    await from.closeWrite();
  };
  const got = new Uint8Array(BYTES + 1);
  const receive = async () => {
    let at = 0;
    let next = 0;
    for (;;) {
      const n = await to.read(got.subarray(at));
      if (n === null) return at;
      at += n;
      if (next < steps.length && at > BYTES * (next + 1) / 5) await steps[next++]();
    }
  };
  const [length] = await Promise.all([receive(), send()]);
  assertEquals(length, BYTES);
  assert(got.subarray(0, BYTES).every((byte, i) => byte === data[i]), "other bytes");
  const carried = left.drivers.list()[0].statistics!;
  assertEquals([carried.ierrors, carried.oerrors], [0, 0]);
  await Promise.all(stacks.map((stack) => stack.close()));
});

Deno.test("swap: a TAP device that another driver has leaves the pipe", async () => {
  const stacks = await twoStacks();
  const [left, right] = stacks;
  await left.attach(new TapDriver({ name: "near" }), { name: "tap0" });
  const swap = () => right.drivers.swap("eth0", TAP, { options: { name: "near" } });
  const error = await assertRejects(swap, SocketError);
  assertEquals([error.code, right.drivers.list()[0].name], ["EBUSY", "pipe"]);
  assert(error.message.includes(TAP.href), error.message);
  const tun = () => right.drivers.swap("eth0", TAP, { options: { name: "tun9", tun: true } });
  assertEquals((await assertRejects(tun, SocketError)).code, "EINVAL");
  await left.drivers.unload("tap0");
  await right.drivers.swap("eth0", TAP, { options: { name: "near" } });
  await Promise.all(stacks.map((stack) => stack.close()));
});
