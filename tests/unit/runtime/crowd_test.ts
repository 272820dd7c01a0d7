/** Ten thousand connections in one stack: found, parked, kept alive, carried elsewhere. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, So, Sock, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { TcpState } from "../../../assembly/abi/tcp.ts";
import { Crowd } from "../../../bench/scale/crowd.ts";
import { createStack, ManualClock, type Stack } from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

const COUNT = 10_000;
const PORT = 7000;
const MEMORY = { bytes: 128 * 2 ** 20, sockets: COUNT + 16, mbufs_small: 30_000 };
/** Longer than a connection must be idle, shorter than any timer. */
const REST_US = 300_000;
/** Bytes of the engine for a connection that is parked; half a kilobyte is what to aim at. */
const PARKED_BYTES_MAX = 512;

interface Crowded {
  stack: Stack;
  crowd: Crowd;
  clock: ManualClock;
  fds: number[];
}

function call(stack: Stack, name: string, ...args: number[]): number {
  const calls = stack.engine.calls as unknown as Record<string, (...args: number[]) => number>;
  return calls[name](...args);
}

function turns(stack: Stack): void {
  for (let idle = 0; idle < 3;) idle = stack.turn() > 0 ? 0 : idle + 1;
}

/** Lets time go by, and the stack look at all its connections. */
function rest({ stack, clock }: Crowded, us = REST_US): void {
  for (let i = 0; i < 4; i++) {
    clock.advance(us / 4);
    turns(stack);
  }
  for (let i = 0; i < COUNT / 32; i++) stack.turn();
}

async function crowded(): Promise<Crowded> {
  const clock = new ManualClock(1_000_000);
  const crowd = new Crowd({ address: 0x0a000001, port: PORT, peers: COUNT });
  const stack = await createStack({
    clock,
    seed: 7,
    engine: checkedEngine,
    memory: MEMORY,
    interfaces: [{ driver: crowd, addresses: ["10.0.0.1/32"], name: "crowd0" }],
  });
  stack.route.add("default", { interface: "crowd0" });
  const listener = stack.sys.socket(Af.INET, Sock.STREAM);
  stack.sys.bind(listener, { address: "10.0.0.1", port: PORT });
  stack.sys.listen(listener, 1024);
  const fds: number[] = [];
  crowd.open(COUNT);
  while (fds.length < COUNT) {
    assert(stack.turn() > 0, `only ${fds.length} connections`);
    while (stack.sys.nb.poll([{ fd: listener, events: 1, revents: 0 }]) > 0) {
      fds.push(stack.sys.nb.accept(listener).fd);
    }
  }
  assertEquals(fds, fds.map((_, i) => listener + 1 + i));
  return { stack, crowd, clock, fds };
}

Deno.test("10,000 connections: short chains, parked while idle, and all go on", async () => {
  const all = await crowded();
  const { stack, crowd, fds } = all;
  assertEquals(crowd.answered, COUNT);
  assert(call(stack, "probe_conn_chain") <= 8, "chains are short");
  rest(all);
  const parked = call(stack, "probe_parked");
  assert(parked >= COUNT - 1024, `${parked} parked`);
  const bytes = call(stack, "probe_parked_bytes") / parked;
  assert(bytes <= PARKED_BYTES_MAX, `${bytes} bytes each`);
  assertEquals(call(stack, "tcp_count", TcpState.ESTABLISHED), COUNT);
  assertEquals(call(stack, "probe_parked"), parked, "counting wakes none");
  const before = crowd.segments;
  for (const fd of fds) assertEquals(stack.sys.nb.send(fd, new Uint8Array(7)), 7);
  turns(stack);
  assertEquals(crowd.segments - before, COUNT, "each sends a segment");
  assertEquals(call(stack, "probe_parked"), 0);
  assertEquals(crowd.resets, 0);
  await stack.close();
});

Deno.test("parked connections are kept alive", async () => {
  const all = await crowded();
  const { stack, crowd, clock, fds } = all;
  for (const [i, fd] of fds.entries()) {
    stack.sys.setsockopt(fd, Sol.SOCKET, So.KEEPALIVE, true);
    stack.sys.setsockopt(fd, IpProto.TCP, TcpOpt.KEEPINTVL, 1000);
    stack.sys.setsockopt(fd, IpProto.TCP, TcpOpt.KEEPIDLE, 60 + i % 20); // 500 a second
  }
  rest(all);
  const parked = call(stack, "probe_parked");
  assert(parked >= COUNT - 1024, `${parked} parked`);
  const before = crowd.segments;
  const wanted = stack.nextDeadline();
  assert(wanted > clock.now_us(), "nothing is to be done before");
  let woken = 0;
  for (; clock.now_us() < 81_500_000; woken++) {
    clock.advance(Math.max(0, stack.nextDeadline() - clock.now_us()));
    turns(stack);
  }
  assertEquals(crowd.segments - before, COUNT, "one probe each");
  assert(woken < COUNT / 4, `${woken} times woken`);
  assertEquals(crowd.resets, 0);
  await stack.close();
});

Deno.test("a snapshot has the parked connections too", async () => {
  const all = await crowded();
  rest(all);
  const { stack, crowd } = all;
  const parked = call(stack, "probe_parked");
  const snapshot = stack.snapshot();
  crowd.detach();
  const second = await createStack({
    clock: all.clock,
    engine: checkedEngine,
    snapshot,
    descriptors: COUNT + 16,
    interfaces: [{ driver: crowd, name: "crowd0" }],
  });
  assertEquals(call(second, "probe_parked"), parked);
  const before = crowd.segments;
  for (const fd of all.fds) assertEquals(second.sys.nb.send(fd, new Uint8Array(5)), 5);
  turns(second);
  assertEquals(crowd.segments - before, COUNT);
  assertEquals(second.sys.socket(Af.INET, Sock.STREAM), all.fds.at(-1)! + 1);
  await second.close();
});

Deno.test("a stack that is closed ends each of its connections in order", async () => {
  const all = await crowded();
  const { stack, crowd } = all;
  rest(all);
  stack.sys.nb.send(all.fds[5000], new Uint8Array(9)); // one that is used among those that are not
  await stack.close();
  assertEquals(crowd.fins, COUNT);
  assertEquals(crowd.resets, 0);
});
