/** A stack whose mbufs are used up: frames wait in the driver, and come in when there is room. */

import { assert, assertEquals } from "@std/assert";
import { pipe, type PipeEnd } from "../../../drivers/pipe.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import type { FrameBatch } from "../../../runtime/device/driver.ts";
import type { DatagramConn } from "../../../runtime/socket/datagram.ts";
import { POLLIN } from "../../../runtime/socket/select.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import { memory } from "./manual_stack.ts";

/** Hardly more than what an interface lends to its driver. */
const MBUFS = 70;
/** More sockets than mbufs: each is given one datagram even when mbufs are scarce. */
const SOCKETS = 100;
const DATAGRAMS = 3 * SOCKETS;

/** A sender, a receiver with few mbufs, and their ends of the cable. */
async function twoStacks(clock?: ManualClock): Promise<[Stack, Stack, PipeEnd, PipeEnd]> {
  const [left, right] = pipe();
  const one = await createStack({
    clock,
    seed: 1,
    memory,
    interfaces: [{ driver: left, name: "eth0", addresses: ["10.0.0.1/24"] }],
  });
  const two = await createStack({
    clock,
    seed: 2,
    memory: { ...memory, mbufs_cluster: MBUFS },
    interfaces: [{ driver: right, name: "eth0", addresses: ["10.0.0.2/24"] }],
  });
  return [one, two, left, right];
}

/** Takes turns as somebody does who drives stacks by hand: only where one is wanted. */
function drive(...stacks: Stack[]): void {
  const wants = (stack: Stack) => stack.wanted || stack.nextDeadline() <= 1_000_000;
  for (let i = 0; i < 10_000 && stacks.some(wants); i++) {
    for (const stack of stacks) if (wants(stack)) stack.turn();
  }
  assert(!stacks.some(wants), "the stacks never come to rest");
}

/** Lets the stacks take all the turns they want. */
async function rounds(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Sends so much to so many sockets, which nobody reads, that the mbufs do not suffice. */
async function flood(one: Stack, two: Stack, rest: () => unknown): Promise<DatagramConn[]> {
  const from = one.listenDatagram({ port: 5 });
  const sockets = Array.from({ length: SOCKETS }, (_, i) => two.listenDatagram({ port: 100 + i }));
  for (let i = 0; i < DATAGRAMS; i++) {
    const port = 100 + i % SOCKETS;
    await from.send(new Uint8Array(1000), { hostname: "10.0.0.2", port });
    if (i % 10 === 0) await rest();
  }
  await rest();
  return sockets;
}

Deno.test("frames that mbufs were lacking for come in when a program reads", async () => {
  const [one, two, far, near] = await twoStacks();
  await using _one = one;
  await using _two = two;
  const sockets = await flood(one, two, rounds);
  const waiting = () => far.stats.txFrames - near.stats.rxFrames;
  assert(waiting() > 50, `${waiting()} frames wait in the driver`);
  const buffer = new Uint8Array(1000);
  let read = 0;
  for (let before = -1; read > before;) {
    before = read;
    for (const { fd } of sockets) {
      while (two.sys.nb.poll([{ fd, events: POLLIN }]) > 0) {
        assertEquals(two.sys.nb.recv(fd, buffer), 1000);
        read++;
      }
    }
    await rounds();
  }
  assertEquals(waiting(), 0);
  const dropped = two.netstat().fates.UDP_BUFFER_FULL ?? 0;
  assertEquals(read + dropped, DATAGRAMS, "every datagram is read or counted");
});

Deno.test("a stalled reader of a stack with few mbufs goes on", async () => {
  const [one, two] = await twoStacks();
  await using _one = one;
  await using _two = two;
  using listener = two.listen({ port: 80 });
  using client = await one.connect({ hostname: "10.0.0.2", port: 80 });
  using server = await listener.accept();
  const writing = client.write(new Uint8Array(500_000)).then(() => client.closeWrite());
  // The reader stalls until the sender has had the event loop to itself.
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  let total = 0;
  const buffer = new Uint8Array(4000);
  for (let got = await server.read(buffer); got !== null; got = await server.read(buffer)) {
    total += got;
  }
  await writing;
  assertEquals(total, 500_000);
});

Deno.test("a device that is polled is left alone while its frames cannot be taken", async () => {
  const [one, two, , end] = await twoStacks(new ManualClock(1_000_000));
  await using _one = one;
  await using _two = two;
  const [attachment] = two.interfaces;
  Object.assign(end, { poll: () => true });
  assert(attachment.polled);
  const rx = end.rx.bind(end);
  let asked = 0;
  end.rx = (free: FrameBatch) => (asked++, rx(free));
  const sockets = await flood(one, two, () => drive(one, two));
  assertEquals(attachment.polled, false);
  const before = asked;
  two.turn();
  assertEquals(asked, before, "a driver is not asked for frames without room");
  two.sys.nb.recv(sockets[0].fd, new Uint8Array(1000));
  assert(two.wanted);
  sockets.forEach((socket) => socket.close());
  drive(one, two);
  assert(attachment.polled);
});
