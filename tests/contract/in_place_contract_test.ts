/**
 * Data in the engine's memory, shown and lent to programs: the same table of cases for the calls
 * with descriptors and for the objects in Deno's shape.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, Shut, TcpOpt } from "../../assembly/abi/socket.ts";
import { ManualClock } from "../../runtime/clock.ts";
import { SocketError } from "../../runtime/errors.ts";
import type { TcpConn } from "../../runtime/socket/conn.ts";
import { createStack, type Stack } from "../../runtime/stack.ts";
import engine from "../engine_checked_module.js";
import { manual, memory, pair, settle } from "../unit/runtime/manual_stack.ts";

/** One kind of calls; what must not wait answers `undefined` for EAGAIN. */
interface Calls {
  peek(): Uint8Array | undefined;
  release(length: number): void;
  reserve(length: number): Uint8Array | undefined;
  commit(length: number): number | undefined;
}

const bytes = (words: string) => new TextEncoder().encode(words);
const text = (view: Uint8Array | undefined) => view && new TextDecoder().decode(view);
const FORMS: Record<string, (stack: Stack, fd: number) => Calls> = {
  "descriptors": ({ sys: { nb } }, fd) => ({
    peek: () => orAgain(() => nb.peek(fd)),
    release: (length) => nb.release(fd, length),
    reserve: (length) => orAgain(() => nb.reserve(fd, length)),
    commit: (length) => orAgain(() => nb.commit(fd, length)),
  }),
  "connections": (stack, fd) => {
    const conn = stack.openFd(fd) as TcpConn;
    return {
      peek: () => conn.tryPeek() ?? (conn.tryPeek() === null ? new Uint8Array(0) : undefined),
      release: (length) => conn.release(length),
      reserve: (length) => conn.tryReserve(length),
      commit: (length) => conn.commit(length) || undefined,
    };
  },
};

function orAgain<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SocketError && error.code === "EAGAIN") return undefined;
    throw error;
  }
}

function errorOf(call: () => unknown): string {
  return assertThrows(call, SocketError).code;
}

interface World {
  stack: Stack;
  here: Calls;
  there: Calls;
  client: number;
  server: number;
}

const CASES: Record<string, (world: World) => void> = {
  "what is shown stays until it is released, byte for byte": ({ stack, client, there }) => {
    assertEquals(there.peek(), undefined);
    stack.sys.nb.send(client, bytes("hello world"));
    settle(stack);
    const view = there.peek()!;
    assertEquals(text(view), "hello world");
    assertEquals(view.buffer, stack.engine.memory.buffer);
    there.release(6);
    assertEquals(text(view), "hello world");
    assertEquals(text(there.peek()), "world");
    there.release(5);
    assertEquals(there.peek(), undefined);
  },
  "more than is shown cannot be released, nor what was read since": (world) => {
    const { stack, client, server, there } = world;
    stack.sys.nb.send(client, bytes("abcdef"));
    settle(stack);
    assertEquals(errorOf(() => there.release(1)), "EINVAL");
    there.peek();
    for (const n of [7, -1, 0.5, NaN]) assertEquals(errorOf(() => there.release(n)), "EINVAL");
    there.release(0);
    there.release(2);
    assertEquals(errorOf(() => there.release(5)), "EINVAL");
    assertEquals(stack.sys.nb.recv(server, new Uint8Array(2)), 2);
    assertEquals(errorOf(() => there.release(1)), "EINVAL");
    assertEquals(text(there.peek()), "ef");
  },
  "a long stream is shown in pieces, in order": ({ stack, client, there }) => {
    const sent = new Uint8Array(50_000).map((_, i) => i * 7 + (i >> 8));
    stack.sys.nb.send(client, sent);
    let got = 0;
    for (let i = 0; i < 1000 && got < sent.length; i++) {
      settle(stack);
      const view = there.peek();
      if (view === undefined) continue;
      assertEquals(view, sent.slice(got, got + view.length));
      got += view.length;
      there.release(view.length);
    }
    assertEquals(got, sent.length);
  },
  "the end of the stream is shown as nothing": ({ stack, client, there }) => {
    stack.sys.nb.send(client, bytes("x"));
    stack.sys.shutdown(client, Shut.WR);
    settle(stack);
    assertEquals(text(there.peek()), "x");
    there.release(1);
    assertEquals(there.peek()!.length, 0);
    there.release(0);
  },
  "the view stops at the urgent mark": ({ stack, client, server, there }) => {
    stack.sys.nb.send(client, bytes("abc"));
    stack.sys.nb.send(client, bytes("d"), Msg.OOB);
    stack.sys.nb.send(client, bytes("ef"));
    settle(stack);
    assertEquals(text(there.peek()), "abc");
    assertEquals(errorOf(() => there.release(4)), "EINVAL");
    there.release(3);
    const rest = new Uint8Array(8);
    assertEquals(text(rest.subarray(0, stack.sys.nb.recv(server, rest))), "ef");
  },
  "room is sent when it is committed, and not before": ({ stack, here, server }) => {
    const room = here.reserve(100)!;
    assertEquals([room.length, room.buffer], [100, stack.engine.memory.buffer]);
    room.set(bytes("in place"));
    settle(stack);
    assertEquals(orAgain(() => stack.sys.nb.recv(server, new Uint8Array(100))), undefined);
    assertEquals(here.commit(8), 8);
    settle(stack);
    const got = new Uint8Array(100);
    assertEquals(text(got.subarray(0, stack.sys.nb.recv(server, got))), "in place");
    assertEquals(errorOf(() => here.commit(1)), "EINVAL");
  },
  "reservations and writes mix; order is that of commits": ({ stack, here, client, server }) => {
    const sent: number[] = [];
    const got: number[] = [];
    const buffer = new Uint8Array(65536);
    for (let i = 0; i < 200; i++) {
      const length = 1 + (i * 37) % 900;
      const room = here.reserve(length)!.subarray(0, length).fill(i);
      assertEquals(stack.sys.nb.send(client, new Uint8Array([255 - i])), 1);
      sent.push(255 - i, ...room); // committed, the memory may be another's
      assertEquals(here.commit(length), length);
      if (i % 10 !== 9) continue;
      settle(stack);
      got.push(...buffer.subarray(0, stack.sys.nb.recv(server, buffer)));
    }
    assertEquals(got.length, sent.length);
    assert(got.every((byte, i) => byte === sent[i]));
  },
  "impossible lengths are refused, and the room stays": ({ here }) => {
    for (const n of [0, -1, 1.5, NaN]) assertEquals(errorOf(() => here.reserve(n)), "EINVAL");
    assertEquals(errorOf(() => here.commit(1)), "EINVAL");
    assertEquals(here.reserve(10)!.length, 10);
    for (const n of [11, -1, 0.5]) assertEquals(errorOf(() => here.commit(n)), "EINVAL");
    assertEquals(here.commit(10), 10);
    assert(here.reserve(1_000_000)!.length >= 1024);
  },
  "a full stream lends nothing; filled by others, it keeps the room": (world) => {
    const { stack, here, there, client } = world;
    assertEquals(here.reserve(500)!.fill(9).length, 500);
    const much = new Uint8Array(65536);
    while (orAgain(() => stack.sys.nb.send(client, much)));
    while (orAgain(() => stack.sys.nb.send(client, much.subarray(0, 1))));
    assertEquals([here.reserve(500), here.commit(500)], [undefined, undefined]);
    let last = 0;
    for (let i = 0; i < 10_000 && last !== 9; i++) {
      if (i === 10) assertEquals(here.commit(500), 500);
      settle(stack);
      const view = there.peek();
      if (view === undefined) continue;
      last = view[view.length - 1];
      there.release(view.length);
    }
    assertEquals(last, 9);
  },
  "a closed descriptor answers EBADF to all, and no mbuf is lost": (world) => {
    const { stack, here, there, client } = world;
    here.reserve(2000);
    there.peek();
    stack.sys.nb.close(client);
    const closed = (call: () => unknown) => assertEquals(errorOf(call), "EBADF");
    closed(() => here.peek());
    closed(() => here.release(0));
    closed(() => here.reserve(1));
    closed(() => here.commit(1));
  },
  "who may send no more is told so, and the room is taken back": ({ stack, here, client }) => {
    here.reserve(10);
    stack.sys.shutdown(client, Shut.WR);
    assertEquals(errorOf(() => here.commit(5)), "EPIPE");
    assertEquals(errorOf(() => here.commit(0)), "EINVAL");
    assertEquals(errorOf(() => here.reserve(5)), "EPIPE");
  },
};

for (const [form, make] of Object.entries(FORMS)) {
  for (const [name, judge] of Object.entries(CASES)) {
    Deno.test(`${form}: ${name}`.slice(0, 92), async () => {
      const stack = await manual();
      const before = used(stack);
      const [client, server, listener] = pair(stack);
      for (const fd of [client, server]) {
        stack.sys.setsockopt(fd, IpProto.TCP, TcpOpt.NODELAY, true);
      }
      judge({ stack, client, server, here: make(stack, client), there: make(stack, server) });
      for (const fd of [client, server, listener]) {
        if (fd !== client || !name.startsWith("a closed")) stack.sys.nb.close(fd);
      }
      settle(stack);
      assertEquals(used(stack), before, "mbufs in use");
      await stack.close();
    });
  }
}

function used(stack: Stack): number {
  const { mbufs } = stack.netstat();
  return mbufs.small.used + mbufs.cluster.used;
}

Deno.test("what is lent and shown is in a snapshot as data; views are not", async () => {
  const stack = await manual();
  const [client, server] = pair(stack);
  stack.sys.nb.send(client, bytes("kept"));
  settle(stack);
  assertEquals(text(stack.sys.nb.peek(server)), "kept");
  stack.sys.nb.reserve(client, 50);
  const snapshot = stack.snapshot();
  await stack.close();
  const clock = new ManualClock(1_000_000);
  await using again = await createStack({ snapshot, clock, engine, memory, seed: 1 });
  const { nb } = again.sys;
  assertEquals(errorOf(() => nb.release(server, 1)), "EINVAL");
  assertEquals(errorOf(() => nb.commit(client, 1)), "EINVAL");
  assertEquals(text(nb.peek(server)), "kept");
  nb.release(server, 4);
  nb.reserve(client, 60).set(bytes("on"));
  assertEquals(nb.commit(client, 2), 2);
  settle(again);
  assertEquals(text(nb.peek(server)), "on");
});

Deno.test("peek and reserve wait; close ends them", async () => {
  await using stack = await manual();
  const [client, server] = pair(stack);
  const [near, far] = [client, server].map((fd) => stack.openFd(fd) as TcpConn);
  const peeking = far.peek();
  (await near.reserve(3)).set(bytes("abc"));
  near.commit(3);
  settle(stack);
  assertEquals(text((await peeking)!), "abc");
  far.release(3);
  while (near.tryWrite(new Uint8Array(65536)));
  const room = near.reserve(10);
  for (let i = 0; i < 200; i++) {
    settle(stack);
    const view = far.tryPeek();
    if (view) far.release(view.length);
  }
  assertEquals((await room).length, 10);
  near.commit(0);
  while (near.tryWrite(new Uint8Array(65536)));
  const waiting = assertRejects(() => near.reserve(10), SocketError);
  near.close();
  assertEquals((await waiting).code, "EBADF");
  const ended = assertRejects(() => far.peek().then(() => far.peek()), SocketError);
  far.close();
  assertEquals((await ended).code, "EBADF");
});

Deno.test("datagrams are neither shown nor lent", async () => {
  await using stack = await manual();
  const { fd } = stack.listenDatagram({ port: 9 });
  assertEquals(errorOf(() => stack.sys.nb.peek(fd)), "EOPNOTSUPP");
  assertEquals(errorOf(() => stack.sys.nb.reserve(fd, 1)), "EOPNOTSUPP");
});
