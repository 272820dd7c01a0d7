/** Calls that wait: what ends the wait, and what is answered then. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Af, Msg, Shut, So, Sock, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { F_GETFL, F_SETFL, O_NONBLOCK, O_RDWR } from "../../../runtime/socket/control.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { createSim, type Sim, SimStuck } from "../../sim_pair.ts";

const PORT = 7000;

/** A connection between the two stacks: descriptors on either. */
async function connected(sim: Sim): Promise<{ client: number; server: number; listener: number }> {
  const [a, b] = sim.stacks;
  const listener = b.sys.socket(Af.INET, Sock.STREAM);
  b.sys.bind(listener, { port: PORT });
  b.sys.listen(listener);
  const client = a.sys.socket(Af.INET, Sock.STREAM);
  const accepting = b.sys.accept(listener);
  await sim.run(a.sys.connect(client, { address: "10.0.0.2", port: PORT }));
  const { fd, address } = await sim.run(accepting);
  assertEquals(address, a.sys.getsockname(client));
  return { client, server: fd, listener };
}

async function code(promise: Promise<unknown>, syscall?: string): Promise<string> {
  const error = await assertRejects(() => promise, SocketError);
  if (syscall !== undefined) assertEquals(error.syscall, syscall);
  return error.code;
}

Deno.test("a connection carries bytes both ways; every call names its peer", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  assertEquals(a.sys.getpeername(client), { family: Af.INET, address: "10.0.0.2", port: PORT });
  assertEquals(b.sys.getpeername(server), a.sys.getsockname(client));
  const buffer = new Uint8Array(10);
  const reading = b.sys.recvfrom(server, buffer);
  assertEquals(await a.sys.send(client, Uint8Array.of(1, 2, 3)), 3);
  assertEquals(await sim.run(reading), { length: 3, from: a.sys.getsockname(client) });
  assertEquals([...buffer.subarray(0, 4)], [1, 2, 3, 0]);
  assertEquals(await b.sys.send(server, Uint8Array.of(9)), 1);
  assertEquals(await sim.run(a.sys.recv(client, buffer)), 1);
  a.sys.shutdown(client, Shut.WR);
  assertEquals(await sim.run(b.sys.recv(server, buffer)), 0);
  assertEquals(await sim.run(b.sys.recv(server, buffer)), 0, "the end stays the end");
});

Deno.test("send: a blocking one waits for room, another takes what fits", async () => {
  await using sim = await createSim({ delay_us: 5000 });
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7 + (i >> 8));
  const taken = a.sys.nb.send(client, data);
  assert(taken > 0 && taken < data.length, String(taken));
  assertEquals(assertThrows(() => a.sys.nb.send(client, data), SocketError).code, "EAGAIN");
  const sending = a.sys.send(client, data.subarray(taken));
  const got = new Uint8Array(data.length);
  assertEquals(await sim.run(b.sys.recv(server, got, Msg.WAITALL)), data.length);
  assertEquals(await sending, data.length - taken);
  assert(got.every((byte, i) => byte === data[i]));
});

Deno.test("SO_RCVTIMEO ends a wait with EAGAIN, at its time", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const { client } = await connected(sim);
  a.sys.setsockopt(client, Sol.SOCKET, So.RCVTIMEO, 250_000);
  assertEquals(a.sys.getsockopt(client, Sol.SOCKET, So.RCVTIMEO), 250_000);
  const begin_us = sim.clock.now_us();
  assertEquals(await code(sim.run(a.sys.recv(client, new Uint8Array(1))), "recv"), "EAGAIN");
  assertEquals(sim.clock.now_us() - begin_us, 250_000);
  const udp = a.sys.socket(Af.INET, Sock.DGRAM);
  a.sys.setsockopt(udp, Sol.SOCKET, So.RCVTIMEO, 1);
  a.sys.bind(udp, { port: 1 });
  assertEquals(await code(sim.run(a.sys.recvfrom(udp, new Uint8Array(1)))), "EAGAIN");
});

Deno.test("MSG_WAITALL answers what came before time, end or signal", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  const buffer = new Uint8Array(100);
  a.sys.setsockopt(client, IpProto.TCP, TcpOpt.NODELAY, true);
  b.sys.setsockopt(server, Sol.SOCKET, So.RCVTIMEO, 10_000);
  await a.sys.send(client, new Uint8Array(30));
  assertEquals(await sim.run(b.sys.recv(server, buffer, Msg.WAITALL)), 30);
  b.sys.setsockopt(server, Sol.SOCKET, So.RCVTIMEO, 0);
  const controller = new AbortController();
  await a.sys.send(client, new Uint8Array(20));
  const waiting = b.sys.recv(server, buffer, Msg.WAITALL, { signal: controller.signal });
  await sim.sleep(10_000);
  controller.abort();
  assertEquals(await waiting, 20);
  const second = b.sys.recv(server, buffer, Msg.WAITALL);
  await a.sys.send(client, new Uint8Array(60));
  await sim.sleep(10_000);
  await a.sys.send(client, new Uint8Array(40));
  assertEquals(await sim.run(second), 100);
  await a.sys.send(client, new Uint8Array(10));
  await a.sys.close(client);
  assertEquals(await sim.run(b.sys.recv(server, buffer, Msg.WAITALL)), 10);
  assertEquals(await sim.run(b.sys.recv(server, buffer, Msg.WAITALL)), 0);
});

Deno.test("SO_SNDTIMEO ends a wait for room: what was sent counts, else EAGAIN", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const { client } = await connected(sim);
  a.sys.setsockopt(client, Sol.SOCKET, So.SNDTIMEO, 100_000);
  const data = new Uint8Array(4_000_000);
  const sent = await sim.run(a.sys.send(client, data));
  assert(sent > 0 && sent < data.length, String(sent));
  assertEquals(await code(sim.run(a.sys.send(client, data)), "send"), "EAGAIN");
});

Deno.test("a signal ends a wait with EINTR, whose cause is the signal's reason", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, listener } = await connected(sim);
  const reason = new Error("enough");
  const controller = new AbortController();
  const { signal } = controller;
  const waits = [
    a.sys.recv(client, new Uint8Array(1), 0, { signal }),
    a.sys.recvfrom(client, new Uint8Array(1), 0, { signal }),
    a.sys.recvmsg(client, { iov: [new Uint8Array(1)] }, 0, { signal }),
    b.sys.accept(listener, { signal }),
    a.sys.poll([], -1, { signal }),
    a.sys.select({ read: [client] }, Infinity, { signal }),
    a.sys.send(client, new Uint8Array(9_000_000), 0, { signal }).then(() => {
      throw new SocketError(4, "send", "partly sent", { cause: reason });
    }),
  ];
  const settled = Promise.allSettled(waits);
  await sim.sleep(1000);
  controller.abort(reason);
  for (const result of await settled) {
    assert(result.status === "rejected");
    assert(result.reason instanceof SocketError);
    assertEquals([result.reason.code, result.reason.cause], ["EINTR", reason]);
  }
  assertEquals(await code(a.sys.recv(client, new Uint8Array(1), 0, { signal })), "EINTR");
});

Deno.test("closing a descriptor ends the waits on it with EBADF", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, listener } = await connected(sim);
  const waits = [a.sys.recv(client, new Uint8Array(1)), a.sys.recv(client, new Uint8Array(1))];
  const codes = Promise.all([...waits, b.sys.accept(listener)].map((wait) => code(wait)));
  await a.sys.close(client);
  await b.sys.close(listener);
  assertEquals(await codes, ["EBADF", "EBADF", "EBADF"]);
  assertEquals(await code(a.sys.recv(client, new Uint8Array(1))), "EBADF");
  assertEquals(await code(a.sys.close(client), "close"), "EBADF");
});

Deno.test("two readers share a stream, each gets what the other left", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  const buffers = [new Uint8Array(4), new Uint8Array(4)];
  const readers = buffers.map((buffer) => b.sys.recv(server, buffer));
  await sim.sleep(1000);
  await a.sys.send(client, Uint8Array.of(1, 2, 3, 4, 5, 6));
  const lengths = await sim.run(Promise.all(readers));
  assertEquals(lengths.toSorted(), [2, 4]);
  const bytes = buffers.flatMap((buffer, i) => [...buffer.subarray(0, lengths[i])]);
  assertEquals(bytes.toSorted(), [1, 2, 3, 4, 5, 6]);
});

Deno.test("O_NONBLOCK and MSG_DONTWAIT: nothing waits", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, server, listener } = await connected(sim);
  const one = new Uint8Array(1);
  assertEquals(await code(a.sys.recv(client, one, Msg.DONTWAIT)), "EAGAIN");
  assertEquals(a.sys.fcntl(client, F_GETFL), O_RDWR);
  a.sys.fcntl(client, F_SETFL, O_NONBLOCK);
  assertEquals(a.sys.fcntl(client, F_GETFL), O_RDWR | O_NONBLOCK);
  assertEquals(await code(a.sys.recv(client, one)), "EAGAIN");
  assertEquals(await code(a.sys.recv(client, one, Msg.WAITALL)), "EAGAIN");
  const sent = await a.sys.send(client, new Uint8Array(9_000_000));
  assert(sent > 0 && sent < 9_000_000);
  assertEquals(await code(a.sys.send(client, one)), "EAGAIN");
  assertEquals(assertThrows(() => b.sys.nb.recv(listener, one), SocketError).code, "ENOTCONN");
  assertEquals(assertThrows(() => b.sys.nb.accept(listener), SocketError).code, "EAGAIN");
  b.sys.fcntl(listener, F_SETFL, O_NONBLOCK);
  assertEquals(await code(b.sys.accept(listener)), "EAGAIN");
  const begun = a.sys.socket(Af.INET, Sock.STREAM);
  a.sys.fcntl(begun, F_SETFL, O_NONBLOCK);
  const peer = { address: "10.0.0.2", port: PORT };
  assertEquals(await code(a.sys.connect(begun, peer)), "EINPROGRESS");
  assertEquals(await code(a.sys.connect(begun, peer)), "EALREADY");
  sim.settle();
  assertEquals(a.sys.getsockopt(begun, Sol.SOCKET, So.ERROR), 0);
  assertEquals(await code(a.sys.connect(begun, peer)), "EISCONN");
  assertEquals(b.sys.nb.accept(listener).address, a.sys.getsockname(begun));
  a.sys.fcntl(client, F_SETFL, 0);
  const reading = a.sys.recv(client, one);
  await b.sys.send(server, one);
  assertEquals(await sim.run(reading), 1);
});

Deno.test("connect waits: refused, timed out, interrupted", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const [a] = sim.stacks;
  const fd = () => a.sys.socket(Af.INET, Sock.STREAM);
  const refused = a.sys.connect(fd(), { address: "10.0.0.2", port: 1 });
  assertEquals(await code(sim.run(refused), "connect"), "ECONNREFUSED");
  const slow = fd();
  a.sys.setsockopt(slow, Sol.SOCKET, So.SNDTIMEO, 500);
  const late = a.sys.connect(slow, { address: "10.0.0.2", port: 1 });
  assertEquals(await code(sim.run(late)), "EINPROGRESS");
  await sim.sleep(10_000);
  assertEquals(await code(a.sys.connect(slow, { address: "10.0.0.2", port: 1 })), "ECONNREFUSED");
  const controller = new AbortController();
  const { signal } = controller;
  const stopped = a.sys.connect(fd(), { address: "10.0.0.2", port: 1 }, { signal });
  controller.abort();
  assertEquals(await code(stopped), "EINTR");
  sim.wire.options = { loss: () => true };
  const nobody = fd();
  a.sys.setsockopt(nobody, IpProto.TCP, TcpOpt.USER_TIMEOUT, 60_000);
  const unheard = sim.run(a.sys.connect(nobody, { address: "10.0.0.2", port: 1 }));
  assert(["ETIMEDOUT", "EHOSTDOWN"].includes(await code(unheard)));
});

Deno.test("SO_LINGER: close waits until all is acknowledged, or the time is over", async () => {
  await using sim = await createSim({ delay_us: 50_000 });
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  const linger = { onoff: true, linger: 10 };
  a.sys.setsockopt(client, Sol.SOCKET, So.LINGER, linger);
  assertEquals(a.sys.getsockopt(client, Sol.SOCKET, So.LINGER), linger);
  await a.sys.send(client, new Uint8Array(5000));
  const begin_us = sim.clock.now_us();
  const closing = a.sys.close(client);
  assertThrows(() => a.sys.getsockname(client), SocketError);
  const buffer = new Uint8Array(10_000);
  assertEquals(await sim.run(b.sys.recv(server, buffer, Msg.WAITALL)), 5000);
  await b.sys.close(server);
  await sim.run(closing);
  const took_us = sim.clock.now_us() - begin_us;
  assert(took_us >= 100_000 && took_us < 10_000_000, String(took_us));
});

Deno.test("SO_LINGER: the time is over", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const { client } = await connected(sim);
  a.sys.setsockopt(client, Sol.SOCKET, So.LINGER, { onoff: true, linger: 2 });
  sim.wire.options = { loss: () => true };
  await a.sys.send(client, new Uint8Array(5000));
  const begin_us = sim.clock.now_us();
  await sim.run(a.sys.close(client));
  assertEquals(sim.clock.now_us() - begin_us, 2_000_000);
});

Deno.test("SO_LINGER of 0 seconds: close resets the connection", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, server } = await connected(sim);
  a.sys.setsockopt(client, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
  const reading = b.sys.recv(server, new Uint8Array(1));
  await a.sys.close(client);
  assertEquals(await code(sim.run(reading)), "ECONNRESET");
});

Deno.test("closing the stack ends every wait", async () => {
  const sim = await createSim();
  const [a, b] = sim.stacks;
  const { client, listener } = await connected(sim);
  const udp: Stack = b;
  const datagram = udp.sys.socket(Af.INET, Sock.DGRAM);
  udp.sys.bind(datagram, { port: 5 });
  a.sys.setsockopt(client, Sol.SOCKET, So.LINGER, { onoff: true, linger: 100 });
  await a.sys.send(client, new Uint8Array(1));
  sim.wire.options = { loss: () => true };
  const reading = a.sys.recv(client, new Uint8Array(1));
  const closing = a.sys.close(client);
  const codes = Promise.all([
    reading,
    b.sys.accept(listener),
    b.sys.recvfrom(datagram, new Uint8Array(1)),
    b.sys.poll([{ fd: -1, events: 0 }]),
  ].map((wait) => code(wait)));
  await sim[Symbol.asyncDispose]();
  assertEquals(await codes, ["EBADF", "EBADF", "EBADF", "EBADF"]);
  await closing;
  assertEquals(assertThrows(() => a.sys.getsockname(client), SocketError).code, "EBADF");
  const open = [
    () => a.listen({ port: 1 }),
    () => a.listenDatagram({ port: 1 }),
    () => a.sys.socket(Af.INET, Sock.DGRAM),
  ];
  for (const call of open) assertEquals(assertThrows(call, SocketError).code, "ENETDOWN");
  assertEquals(await code(a.connect({ port: 1 })), "ENETDOWN");
  assertEquals(await code(a.attach(new NullDriver())), "ENETDOWN");
  await a.close();
});

Deno.test("the simulation says when nothing can happen any more", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const udp = a.listenDatagram({ port: 9 });
  await assertRejects(() => sim.run(udp.receive()), SimStuck);
});
