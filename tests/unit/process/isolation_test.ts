/** What programs can do to each other and to the stack: nothing that is not theirs. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { connectStack } from "../../../runtime/process/client.ts";
import { AREA_BYTES, CANCEL, endRing, Op, Presence } from "../../../runtime/process/ring.ts";
import { State, Word } from "../../../runtime/process/ring.ts";
import { serveSyscalls } from "../../../runtime/process/server.ts";
import { POLLIN, POLLNVAL } from "../../../runtime/socket/select.ts";
import { code, until, works, type World, world } from "./kit.ts";
import { Wild } from "./wild.ts";

const SEED = 0x686f7374;

/** Sockets that are open in the stack. */
function open({ stack }: World): number {
  return stack.netstat().sockets.length;
}

Deno.test("descriptors are a program's own: numbers, and what they stand for", async () => {
  await using here = await world();
  const [one, two] = [await here.program(), await here.program()];
  const { stack: { sys: inner } } = here;
  inner.socket(Af.INET, Sock.DGRAM);
  const fd = await one.sys.socket(Af.INET, Sock.DGRAM);
  await one.sys.bind(fd, { address: "127.0.0.1", port: 5 });
  await one.sys.sendto(fd, new Uint8Array(1), 0, { address: "127.0.0.1", port: 5 });
  assertEquals(fd, 3);
  assertEquals(await code(two.sys.getsockname(3)), "EBADF");
  for (const number of [3, 4, 5, 6]) {
    assertEquals(await code(two.sys.recv(number, new Uint8Array(4), 0)), "EBADF");
    assertEquals(await code(two.sys.close(number)), "EBADF");
    assertEquals(await code(two.sys.select({ read: [number] })), "EBADF");
    const fds = [{ fd: number, events: POLLIN, revents: 0 }];
    assertEquals([await two.sys.poll(fds), fds[0].revents], [1, POLLNVAL]);
  }
  assertEquals(await two.sys.socket(Af.INET, Sock.DGRAM), 3);
  assertEquals(await two.sys.getsockname(3).then(({ port }) => port), 0);
  assertEquals(await one.sys.recv(fd, new Uint8Array(4)), 1);
});

Deno.test("a program has so many descriptors, and a server so many programs", async () => {
  await using here = await world({ descriptors: 5, clients: 2 });
  const { sys } = await here.program();
  const make = () => sys.socket(Af.INET, Sock.STREAM);
  const [listener] = [await make()];
  await sys.bind(listener, { port: 80 });
  await sys.listen(listener);
  const fd = await make();
  await sys.connect(fd, { address: "127.0.0.1", port: 80 });
  assertEquals(await code(make()), "EMFILE");
  // What cannot get a number stays in the queue.
  assertEquals(await code(sys.accept(listener)), "EMFILE");
  await sys.close(fd);
  assertEquals((await sys.accept(listener)).fd, 4);
  const other = await here.program();
  assertEquals(await other.sys.socket(Af.INET, Sock.DGRAM), 3);
  assertEquals(await code(here.server.open()), "EMFILE");
  other.close();
  await until(() => here.server.stats.clients === 1);
  await here.program();
  assertEquals(here.server.clients.map(({ descriptors }) => descriptors), [2, 0]);
});

Deno.test("what all programs share, only privileged ones may change", async () => {
  await using here = await world();
  const { sys } = await here.program();
  const fd = await sys.socket(Af.INET, Sock.DGRAM);
  assertEquals(await code(sys.socket(Af.INET, Sock.RAW, 1)), "EPERM");
  for (const type of [Sock.RAW, Sock.DGRAM]) {
    assertEquals(await code(sys.socket(Af.NDD, type, 3)), "EPERM");
  }
  assertEquals(await code(sys.socket(Af.ROUTE, Sock.RAW, 0)), "EPERM");
  for (const cmd of [Sioc.SIFFLAGS, Sioc.AIFADDR, Sioc.DIFADDR, Sioc.SIFMTU, Sioc.SARP]) {
    assertEquals(await code(sys.ioctl(fd, cmd, { ifname: "lo0", addr: "127.0.0.8" })), "EPERM");
  }
  assertEquals(await code(sys.ioctl(fd, Sioc.ADDRT, { dst: "1.0.0.0" })), "EPERM");
  assertEquals(await code(sys.ioctl(fd, Sioc.DELRT, { dst: "127.0.0.0" })), "EPERM");
  assertEquals(await code(sys.ioctl(fd, Sioc.DARP, { addr: "127.0.0.1" })), "EPERM");
  // What is not known to be harmless is not allowed.
  const numbers = Array.from({ length: 64 }, (_, cmd) => cmd);
  const allowed = [1, 2, 3, 4, 5, 10, 11, 13, 16, 18, 19, 22, 31];
  for (const cmd of numbers.filter((cmd) => !allowed.includes(cmd))) {
    assertEquals(await code(sys.ioctl(fd, cmd, { ifname: "lo0" })), "EPERM", `${cmd}`);
  }
  assertEquals(await code(sys.sethostname("mine")), "EPERM");
  assertEquals(await code(sys.setdomainname("mine")), "EPERM");
  assertEquals(await code(sys.sethostid(1)), "EPERM");
  assertEquals((await sys.ioctl(fd, Sioc.GIFADDR, { ifname: "lo0" })).addr, "127.0.0.1");
});

Deno.test("impossible arguments are errors, and counted", async () => {
  await using here = await world();
  const wild = new Wild(await here.ring());
  const release = await wild.appear();
  assertEquals((await wild.call(Op.SOCKET, [0, Af.INET, 0, 0, 0, Sock.DGRAM, 0])).result, 3);
  const { arenaBytes } = wild.handle;
  const areas = [
    [-1, 10],
    [0, -1],
    [0, AREA_BYTES + 1],
    [arenaBytes, 1],
    [arenaBytes - 5, 6],
    [0x7fffffff, 0x7fffffff],
  ];
  for (const [at, length] of areas) {
    assertEquals((await wild.call(Op.SEND, [3], at, length)).error, 14, `${at} ${length}`);
  }
  for (const op of [-1, 29, 1000, 0x7fffffff, -0x80000000]) {
    assertEquals((await wild.call(op, [3])).error, 22, `${op}`);
  }
  assertEquals((await wild.call(Op.POLL, [0, 0, 0, 0, 0, 0, 1e9], 0, 64)).error, 14);
  assertEquals((await wild.call(Op.POLL, [0, 0, 0, 0, 0, 0, -1], 0, 64)).error, 14);
  assertEquals((await wild.call(Op.RECVMSG, [3, 0, 0, 0, 0, 0, 65], 0, 64)).error, 14);
  assertEquals((await wild.call(Op.BIND, [3, 0, 0, 0])).error, 14);
  for (const room of [-1, NaN, Infinity, 0.5]) {
    const args = [3, 0, 0, 0, room, Sol.SOCKET, So.LINGER];
    assertEquals((await wild.call(Op.GETSOCKOPT_BYTES, args, 0, 64)).error, 14, `${room}`);
  }
  for (const length of [-1, 64, NaN, 0.5]) {
    assertEquals((await wild.call(Op.SENDMSG, [3, 0, 0, 0, 0, length, 0], 0, 64)).error, 14);
  }
  assertEquals((await wild.call(Op.UNLINK, [0, 0, 0, 0])).error, 14);
  wild.memory.bytes.fill(0xee, wild.memory.arena, wild.memory.arena + 64);
  assertEquals((await wild.call(Op.SETSOCKOPT, [3, 0, 0, 0, 0, 0xffff, 8], 0, 64)).error, 22);
  assertEquals((await wild.call(Op.SENDMSG, [3, 0, 0, 0, 0, 8, 8], 0, 64)).error, 22);
  assertEquals((await wild.call(Op.IOCTL, [3, 0, 0, 0, 0, 11], 0, 64)).error, 22);
  assert(here.server.stats.faults >= 10);
  assertEquals(here.server.stats.hostile, 0);
  await release();
});

Deno.test("a ring that cannot be right is dropped, and its sockets are closed", async () => {
  await using here = await world({ calls: 8 });
  const good = await here.program();
  const before = open(here);
  const wrongs: ((wild: Wild) => void)[] = [
    (wild) => Atomics.store(wild.words, Word.SUBMITTED, -5),
    (wild) => Atomics.store(wild.words, Word.SUBMITTED, 1 << 20),
    (wild) => wild.push(8),
    (wild) => wild.push(-1),
    (wild) => wild.push(9 | CANCEL),
    // A slot that was never filled, and one that is under way already.
    (wild) => wild.push(2),
    (wild) => {
      wild.fill(2, Op.RECV, [3], 0, 64);
      wild.push(2);
      wild.push(2);
    },
  ];
  for (const [i, wrong] of wrongs.entries()) {
    const wild = new Wild(await here.ring());
    const release = await wild.appear();
    await wild.call(Op.SOCKET, [0, Af.INET, 0, 0, 0, Sock.DGRAM, 0]);
    assertEquals(open(here), before + 1);
    wrong(wild);
    wild.ring();
    await until(() => here.server.stats.hostile === i + 1);
    assertEquals(open(here), before);
    assert(Atomics.load(wild.words, Word.CLOSED) !== 0);
    await release();
    await works(good);
  }
  // One that makes calls without a lock is dropped too: its death would not be seen.
  const wild = new Wild(await here.ring());
  wild.fill(1, Op.HELLO, []);
  wild.push(1);
  await until(() => here.server.stats.hostile === wrongs.length + 1);
  // And one that says it holds its lock and does not is taken for dead.
  const liar = new Wild(await here.ring());
  Atomics.store(liar.words, Word.PRESENCE, Presence.LOCKED);
  liar.ring();
  await until(() => here.server.stats.died === 1);
});

Deno.test("whatever is scribbled over a ring, stack and programs go on", async () => {
  await using here = await world({ calls: 8, clients: 300 });
  const good = await here.program();
  const before = open(here);
  const scribble = fc.record({
    at: fc.nat(),
    value: fc.oneof(fc.integer(), fc.nat(30), fc.constantFrom(State.SUBMITTED, State.DONE)),
    arena: fc.boolean(),
  });
  const call = fc.record({
    slot: fc.integer({ min: 0, max: 7 }),
    op: fc.integer({ min: 0, max: 25 }),
    numbers: fc.array(fc.oneof(fc.integer({ min: -1, max: 9 }), fc.double()), { maxLength: 8 }),
    length: fc.nat(3000),
  });
  const step = fc.oneof(scribble, call);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const wild = new Wild(await here.ring());
      const release = await wild.appear();
      await wild.call(Op.SOCKET, [0, Af.INET, 0, 0, 0, Sock.DGRAM, 0]);
      for (const [i, it] of steps.entries()) {
        if ("op" in it) {
          wild.fill(it.slot, it.op, it.numbers, 64 * it.slot, it.length);
          wild.push(it.slot);
        } else {
          const first = it.arena ? wild.memory.arena / 4 : 0;
          const room = it.arena ? 4000 : wild.memory.arena / 4;
          // Not the word that says that the ring is closed.
          wild.words[first + 1 + it.at % (room - 1)] = it.value;
          wild.ring();
        }
        if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await works(good);
      endRing(wild.handle);
      await until(() => here.server.stats.clients === 1);
      await release();
      assertEquals(open(here), before);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("one that takes no answers is bounded, and stops nobody", async () => {
  await using here = await world({ calls: 4 });
  const good = await here.program();
  const slow = new Wild(await here.ring());
  const release = await slow.appear();
  for (let slot = 0; slot < 4; slot++) {
    slow.fill(slot, Op.SOCKET, [0, Af.INET, 0, 0, 0, Sock.DGRAM, 0]);
    slow.push(slot);
  }
  await until(() => here.server.clients[1].descriptors === 4);
  // Its four slots are full of answers, and so it has no calls under way and can make no others.
  for (let i = 0; i < 50; i++) await works(good);
  assertEquals(here.server.clients[1], { id: 2, descriptors: 4, outstanding: 0, calls: 4 });
  await release();
});

Deno.test("when the server ends, who waits gets ENETDOWN, and who comes later", async () => {
  await using here = await world();
  const { stack, server } = here;
  const { sys } = await here.program();
  const fd = await sys.socket(Af.INET, Sock.DGRAM);
  const waiting = code(sys.recv(fd, new Uint8Array(4)));
  await sys.gethostname();
  await server.close();
  assertEquals(await waiting, "ENETDOWN");
  assertEquals(await code(sys.gethostname()), "ENETDOWN");
  assertEquals(open(here), 0);
  assertEquals(await code(server.open()), "ENETDOWN");
  assertEquals(server.stats.dropped, 1);
  const other = serveSyscalls(stack);
  const handle = await other.open();
  endRing(handle);
  await assertRejects(() => connectStack(handle), SocketError, "ENETDOWN");
  await other.close();
});

Deno.test("impossible sizes are refused", async () => {
  await using here = await world();
  const impossible = [
    { clients: 0 },
    { poll_us: -1 },
    { calls: 1 },
    { arenaBytes: 1000 },
    { descriptors: 3 },
  ];
  for (const options of impossible) {
    assertThrows(() => serveSyscalls(here.stack, options), RangeError);
  }
});

Deno.test("a call that would block the stack's own thread is refused", async () => {
  await using here = await world();
  const { blocking } = await here.program();
  const error = assertThrows(() => blocking.socket(Af.INET, Sock.DGRAM), SocketError);
  assertEquals([error.code, error.syscall], ["EINVAL", "socket"]);
});
