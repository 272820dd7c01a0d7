/** The fast loopback: messages without segments, between blocks that could go on with segments. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Msg, Shut, So, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { TcpState } from "../../../assembly/abi/tcp.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";
import { Inspector } from "../../tcp/invariants.ts";
import { code, memory, pair, settle } from "./manual_stack.ts";

const SEED = 20260711;
const NAME = "net.godwit.tcp_fastlo";
const ROOM = new Uint8Array(8192);

/** A stack that talks to itself, with what looks into it. */
interface Alone extends AsyncDisposable {
  readonly stack: Stack;
  readonly clock: ManualClock;
  readonly inspector: Inspector;
  /** Descriptors of both ends. */
  readonly ends: readonly [number, number];
}

async function alone(fastlo: number, rcvbuf = 0): Promise<Alone> {
  const clock = new ManualClock(1_000_000);
  const stack = await createStack({ clock, seed: 1, engine, memory, sysctl: { [NAME]: fastlo } });
  if (rcvbuf > 0) stack.sysctl.set("net.ipv4.tcp_rmem", `2048 ${rcvbuf} ${rcvbuf}`);
  const [client, server, listener] = pair(stack);
  void stack.sys.close(listener);
  settle(stack);
  const inspector = new Inspector(stack.engine);
  const end = () => stack.close();
  return { stack, clock, inspector, ends: [client, server], [Symbol.asyncDispose]: end };
}

function handedOver({ inspector }: Alone): number {
  return inspector.stat(Stat.TCP_FASTLO);
}

function bytes(...list: number[]): Uint8Array {
  return Uint8Array.from(list);
}

/** What can be read now. */
function read({ stack }: Alone, fd: number, flags = 0): number[] {
  const got: number[] = [];
  for (;;) {
    try {
      const n = stack.sys.nb.recv(fd, ROOM, flags);
      if (n === 0) return got;
      got.push(...ROOM.subarray(0, n));
    } catch (error) {
      if ((error as { code?: string }).code === "EAGAIN") return got;
      throw error;
    }
  }
}

Deno.test("a message is there with the call that sends it, and there is no segment", async () => {
  await using one = await alone(1);
  const { stack, inspector, ends: [client, server] } = one;
  const segments = inspector.stat(Stat.TCP_SEGMENTS_OUT);
  for (let i = 0; i < 3; i++) {
    assertEquals(stack.sys.nb.send(client, bytes(i, 2)), 2);
    assertEquals(read(one, server), [i, 2]);
    stack.sys.nb.send(server, bytes(3, i));
    assertEquals(read(one, client), [3, i]);
  }
  assertEquals(handedOver(one), 6);
  assertEquals(inspector.stat(Stat.TCP_SEGMENTS_OUT), segments);
  const info = stack.sys.getsockopt(client, IpProto.TCP, TcpOpt.INFO) as unknown as {
    bytes_acked: number;
    bytes_received: number;
  };
  assertEquals([info.bytes_acked, info.bytes_received], [6, 6]);
});

Deno.test("with the setting off there are segments, as on any wire", async () => {
  await using one = await alone(0);
  const { stack, ends: [client, server] } = one;
  stack.sys.nb.send(client, bytes(1));
  assertEquals(read(one, server), []);
  settle(stack);
  assertEquals(read(one, server), [1]);
  assertEquals(handedOver(one), 0);
});

Deno.test("a waiting reader gets a message without a turn", async () => {
  await using stack = await createStack({ memory });
  const listener = stack.listen({ hostname: "127.0.0.1", port: 80 });
  const [left, right] = await Promise.all([
    stack.connect({ hostname: "127.0.0.1", port: 80 }),
    listener.accept(),
  ]);
  for (let i = 0; i < 5; i++) {
    const room = new Uint8Array(4);
    const reading = right.read(room);
    await left.write(bytes(i, i));
    assertEquals(await reading, 2);
    assertEquals([...room.subarray(0, 2)], [i, i]);
  }
  const calls = stack.engine.calls;
  const sent = Number(stack.engine.view.getBigUint64(calls.counters() + 8 * Stat.TCP_FASTLO, true));
  assert(sent > 0);
  listener.close();
});

Deno.test("what would hold a segment back, or is more than data, goes by segments", async () => {
  await using one = await alone(1);
  const { stack, ends: [client, server] } = one;
  const { sys } = stack;
  const none = () => assertEquals(handedOver(one), 0);
  sys.nb.send(client, bytes(1), Msg.MORE);
  none();
  sys.setsockopt(client, IpProto.TCP, TcpOpt.CORK, true);
  sys.nb.send(client, bytes(2));
  none();
  sys.setsockopt(client, IpProto.TCP, TcpOpt.CORK, false);
  settle(stack);
  assertEquals(read(one, server), [1, 2]);
  settle(stack);
  sys.nb.send(server, bytes(7, 8), Msg.OOB);
  none();
  settle(stack);
  assertEquals(read(one, client), [7]);
  assertEquals(sys.nb.recv(client, ROOM, Msg.OOB), 1);
  assertEquals(ROOM[0], 8);
  const large = new Uint8Array(5000).fill(9);
  sys.nb.send(client, large);
  none();
  settle(stack);
  assertEquals(read(one, server), [...large]);
});

Deno.test("an answer takes the ACK of a long message along, and is handed over", async () => {
  await using one = await alone(1);
  const { stack, clock, inspector, ends: [client, server] } = one;
  const large = new Uint8Array(5000).fill(9);
  for (let i = 0; i < 30; i++) {
    stack.sys.nb.send(client, large);
    settle(stack);
    assertEquals(read(one, server), [...large]);
    settle(stack);
    stack.sys.nb.send(server, bytes(i));
    assertEquals(read(one, client), [i]);
    assertEquals(handedOver(one), i + 1);
    settle(stack);
    inspector.check(inspector.fatesTotal());
  }
  const segments = inspector.stat(Stat.TCP_SEGMENTS_OUT);
  clock.advance(300_000);
  settle(stack);
  assertEquals(inspector.stat(Stat.TCP_SEGMENTS_OUT), segments, "no ACK was still owed");
});

Deno.test("a full window ends it until there is room again; nothing is lost", async () => {
  await using one = await alone(1, 4096);
  const { stack, clock, ends: [client, server] } = one;
  const chunk = new Uint8Array(1000);
  let sent = 0;
  for (let i = 0; i < 20; i++) {
    chunk.fill(i);
    sent += stack.sys.nb.send(client, chunk);
  }
  const over = handedOver(one);
  assert(over > 0 && over < 20, `${over} of 20`);
  const got: number[] = [];
  for (let i = 0; i < 200 && got.length < sent; i++) {
    clock.advance(1000);
    settle(stack);
    got.push(...read(one, server));
  }
  assertEquals(got, Array.from({ length: 20_000 }, (_, i) => Math.floor(i / 1000)));
  clock.advance(500_000);
  settle(stack);
  stack.sys.nb.send(client, bytes(5));
  assertEquals(read(one, server), [5]);
  assertEquals(handedOver(one), over + 1);
});

Deno.test("the end of a stream and a reset come behind what was handed over", async () => {
  await using one = await alone(1);
  const { stack, ends: [client, server] } = one;
  stack.sys.nb.send(client, bytes(1));
  stack.sys.shutdown(client, Shut.WR);
  settle(stack);
  assertEquals(read(one, server), [1]);
  assertEquals(stack.sys.nb.recv(server, ROOM), 0);
  // The other direction goes on, by segments: this end is in CLOSE-WAIT.
  stack.sys.nb.send(server, bytes(2));
  settle(stack);
  assertEquals(read(one, client), [2]);
  assertEquals(handedOver(one), 1);

  await using other = await alone(1);
  const { sys } = other.stack;
  sys.nb.send(other.ends[0], bytes(1));
  sys.setsockopt(other.ends[1], Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
  void sys.close(other.ends[1]);
  settle(other.stack);
  assertEquals(code(() => sys.nb.recv(other.ends[0], ROOM)), "ECONNRESET");
});

/** One step of a program that uses both ends. */
type Step = readonly [what: "send" | "more" | "read" | "turn" | "rest", end: 0 | 1, size: number];

const SIZES = { small: { min: 1, max: 40 }, large: { min: 1, max: 6000 } };

function steps(what: Step[0], sizes: keyof typeof SIZES, weight: number) {
  const arbitrary = fc.tuple(
    fc.constant(what),
    fc.constantFrom<0 | 1>(0, 1),
    fc.integer(SIZES[sizes]),
  );
  return { arbitrary, weight };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  steps("send", "small", 6),
  steps("send", "large", 1),
  steps("more", "small", 1),
  steps("read", "small", 4),
  steps("turn", "small", 4),
  steps("rest", "small", 1),
);

/** Runs the steps; answers how many messages were handed over. */
async function run(steps: readonly Step[], fastlo: number, rcvbuf: number): Promise<number> {
  await using one = await alone(fastlo, rcvbuf);
  const { stack, clock, inspector, ends } = one;
  const sent = [0, 0];
  const got = [0, 0];
  const check = () => inspector.check(inspector.fatesTotal());
  /** The `i`-th byte of either stream. */
  const byteAt = (i: number) => (i * 31 + (i >> 8)) & 255;
  const take = (end: 0 | 1) => {
    for (const byte of read(one, ends[end])) assertEquals(byte, byteAt(got[end]++));
  };
  for (const [what, end, size] of steps) {
    if (what === "send" || what === "more") {
      const data = Uint8Array.from({ length: size }, (_, i) => byteAt(sent[end] + i));
      try {
        sent[end] += stack.sys.nb.send(ends[end], data, what === "more" ? Msg.MORE : 0);
      } catch (error) {
        assertEquals((error as { code?: string }).code, "EAGAIN");
      }
    } else if (what === "read") take(end);
    else {
      clock.advance(what === "turn" ? 20 : 300_000);
      if (what === "turn") stack.turn();
      else settle(stack);
    }
    check();
  }
  for (let i = 0; i < 400 && (got[0] < sent[1] || got[1] < sent[0]); i++) {
    clock.advance(10_000);
    settle(stack);
    take(0);
    take(1);
    check();
  }
  assertEquals(got, [sent[1], sent[0]], "all that was sent has come");
  await closed(one);
  return handedOver(one);
}

/** One end closes, then the other, and nothing is left but a connection in TIME-WAIT. */
async function closed(one: Alone): Promise<void> {
  const { stack, inspector, ends } = one;
  for (const fd of ends) {
    const closing = stack.sys.close(fd);
    settle(stack);
    await closing;
  }
  assertEquals(inspector.sockets().length, 0);
  assertEquals(inspector.mbufs(), 0);
  assertEquals(stack.engine.calls.tcp_count(TcpState.TIME_WAIT), 1);
}

Deno.test("property: with and without segments both streams arrive whole", async () => {
  const over = [0, 0];
  const list = fc.array(step, { minLength: 5, maxLength: 60, size: "max" });
  const property = fc.asyncProperty(list, fc.constantFrom(0, 4096), async (list, rcvbuf) => {
    over[0] += await run(list, 0, rcvbuf);
    over[1] += await run(list, 1, rcvbuf);
  });
  await fc.assert(property, { seed: SEED, numRuns: 60 });
  assertEquals(over[0], 0);
  assert(over[1] > 300, `${over[1]} messages handed over`);
});
