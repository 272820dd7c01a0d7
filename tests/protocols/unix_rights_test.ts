/** What goes along with data of local sockets, cycles of it, snapshots, and what is left. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { Af, LocalOpt, Msg, Scm, Shut, So, Sol } from "../../assembly/abi/socket.ts";
import {
  type ControlMessage,
  credsMessage,
  type RecvHeader,
  rightsMessage,
  SocketError,
  type Stack,
} from "../../mod.ts";
import { createSim } from "../sim_pair.ts";
import { holdings } from "../unit/protocol/net.ts";
import {
  bytes,
  code,
  connected,
  DGRAM,
  got,
  held,
  SEQPACKET,
  stack,
  STREAM,
  take,
} from "./unix_kit.ts";

for (const type of [STREAM, DGRAM, SEQPACKET]) {
  Deno.test(`unix: descriptors go along with data (type ${type})`, async () => {
    await using one = await stack();
    const { sys } = one;
    const [a, b] = sys.socketpair(Af.UNIX, type);
    const [c, d] = sys.socketpair(Af.UNIX, STREAM);
    const send = (...fds: number[]) =>
      sys.nb.sendmsg(a, { iov: [bytes(1)], control: [rightsMessage(fds)] });
    send(c);
    await sys.close(c); // on its way it is held
    await sys.send(d, bytes(9));
    const { data, fds: [e] } = take(one, b);
    assertEquals([data, e], [[1], c]);
    assertEquals(got(one, e), [9]);
    // a second descriptor for the same socket
    send(e, e);
    const { fds } = take(one, b);
    assertEquals(fds.length, 2);
    for (const fd of fds) assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.TYPE), STREAM);
    await sys.close(e);
    await sys.send(d, bytes(7, 8));
    assertEquals([got(one, fds[1], 1), got(one, fds[0])], [[7], [8]]);
    await sys.close(fds[0]);
    await sys.send(fds[1], bytes(5));
    assertEquals(got(one, d), [5]);
    await sys.close(fds[1]);
    assertEquals(got(one, d), [], "the last one closes it");
    assertEquals(code(() => sys.getsockname(fds[1])), "EBADF");
    assertEquals(one.protocols.list()[0].counters!.passed, 3);
  });
}

Deno.test("unix: descriptors that nobody takes are closed", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  const lost = async (lose: () => unknown) => {
    const [c, d] = sys.socketpair(Af.UNIX, STREAM);
    sys.nb.sendmsg(a, { iov: [bytes(1)], control: [rightsMessage([c])] });
    await sys.close(c);
    assertEquals(code(() => got(one, d)), "EAGAIN");
    await lose();
    assertEquals(got(one, d), []);
    await sys.close(d);
  };
  await lost(() => got(one, b)); // read without room for them
  await lost(() => sys.shutdown(b, Shut.RD));
  const [a2, b2] = sys.socketpair(Af.UNIX, DGRAM);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  sys.nb.sendmsg(a2, { iov: [bytes(1)], control: [rightsMessage([c])] });
  await sys.close(c);
  assertEquals(take(one, b2, Msg.PEEK).fds, [], "looking does not take them");
  await sys.close(b2);
  assertEquals(got(one, d), []);
  assertEquals(one.protocols.list()[0].counters!.dropped, 3);
  const bad = (control: ControlMessage[]) => () => sys.nb.sendmsg(a2, { iov: [bytes(1)], control });
  assertEquals(code(bad([rightsMessage([77])])), "EBADF");
  assertEquals(code(bad([rightsMessage(Array(254).fill(d))])), "EINVAL");
  assertEquals(code(bad([{ ...rightsMessage([d]), type: Scm.CREDS }])), "EINVAL");
  assertEquals(code(bad([{ ...rightsMessage([d]), data: new Uint8Array(3) }])), "EINVAL");
});

Deno.test("unix: without a free descriptor the rest is closed, and it is told", async () => {
  await using one = await stack({ descriptors: 9 });
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, DGRAM);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  sys.nb.sendmsg(a, { iov: [bytes(1)], control: [rightsMessage([c, d])] });
  await sys.close(c);
  await sys.close(d);
  const fillers = [1, 2, 3].map(() => sys.socket(Af.UNIX, DGRAM));
  const { fds, header } = take(one, b);
  assertEquals([fds.length, header.flags & Msg.CTRUNC], [1, Msg.CTRUNC]);
  assertEquals(got(one, fds[0]), [], "the other end is closed");
  for (const fd of fillers) await sys.close(fd);
});

Deno.test("unix: sockets that hold each other are collected", async () => {
  await using one = await stack();
  const { sys } = one;
  sys.socket(Af.UNIX, DGRAM);
  const before = held(one);
  const send = (over: number, ...fds: number[]) =>
    sys.nb.sendmsg(over, { iov: [bytes(1)], control: [rightsMessage(fds)] });
  // each in the other's buffer
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  send(a, a);
  send(b, b);
  await sys.close(a);
  await sys.close(b);
  assertEquals(held(one), before);
  // in its own, through a listener that is in a message itself
  const listener = sys.socket(Af.UNIX, STREAM);
  sys.bind(listener, { path: "/l" });
  sys.listen(listener, 2);
  const client = sys.socket(Af.UNIX, STREAM);
  await sys.connect(client, { path: "/l" });
  send(client, listener, client);
  await sys.close(client);
  const { fd: server } = await sys.accept(listener);
  await sys.close(listener);
  const { fds } = take(one, server);
  assertEquals(fds.length, 2, "what can be reached is kept");
  await sys.connect(fds[1], { path: "/l" }).catch(() => {});
  send(fds[1], server);
  for (const fd of [server, ...fds]) await sys.close(fd);
  sys.unlink("/l");
  assertEquals(held(one), before);
  assert(one.protocols.list()[0].counters!.collected >= 2);
});

Deno.test("unix: credentials of the peer, and with each message", async () => {
  await using one = await stack();
  const { sys } = one;
  const cred = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
  const credOf = (fd: number) => [
    ...new Int32Array(sys.getsockoptBytes(fd, Sol.LOCAL, LocalOpt.PEERCRED, 12).buffer),
  ];
  const listener = sys.socket(Af.UNIX, STREAM);
  sys.setsockopt(listener, Sol.LOCAL, LocalOpt.CRED, cred(10, 11, 12));
  sys.setsockopt(listener, Sol.LOCAL, LocalOpt.CREDS, true);
  sys.bind(listener, { path: "/l" });
  sys.listen(listener, 2);
  const a = sys.socket(Af.UNIX, STREAM);
  sys.setsockopt(a, Sol.LOCAL, LocalOpt.CRED, cred(20, 21, 22));
  assertEquals(code(() => credOf(a)), "ENOTCONN");
  await sys.connect(a, { path: "/l" });
  const { fd: b } = await sys.accept(listener);
  assertEquals([credOf(a), credOf(b)], [[10, 11, 12], [20, 21, 22]]);
  await sys.send(a, bytes(1));
  const { control } = take(one, b);
  assertEquals(control, [{ level: Sol.SOCKET, type: Scm.CREDS, data: cred(20, 21, 22) }]);
  await sys.send(b, bytes(1));
  assertEquals(take(one, a).control, []);
});

Deno.test("unix: a message states its sender's credentials, for user 0 any", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, DGRAM);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  sys.setsockopt(b, Sol.LOCAL, LocalOpt.CREDS, true);
  const say = (...control: ControlMessage[]) => sys.nb.sendmsg(a, { iov: [bytes(1)], control });
  say(credsMessage(5, 6, 7));
  assertEquals(take(one, b).control, [credsMessage(5, 6, 7)], "user 0");
  say(rightsMessage([c]), credsMessage(8, 9, 10));
  const both = take(one, b);
  assertEquals([both.control[0], both.fds.length], [credsMessage(8, 9, 10), 1]);
  sys.setsockopt(a, Sol.LOCAL, LocalOpt.CRED, credsMessage(1, 2, 3).data);
  say(credsMessage(1, 2, 3));
  assertEquals(take(one, b).control, [credsMessage(1, 2, 3)], "its own");
  for (const [pid, uid, gid] of [[0, 2, 3], [1, 0, 3], [1, 2, 0]]) {
    assertEquals(code(() => say(credsMessage(pid, uid, gid))), "EPERM");
  }
  const short = { ...credsMessage(1, 2, 3), data: new Uint8Array(8) };
  assertEquals(code(() => say(short)), "EINVAL");
  say();
  assertEquals(take(one, b).control, [credsMessage(1, 2, 3)], "unless told");
  // a message that waits says the same to its end
  sys.setsockopt(d, Sol.LOCAL, LocalOpt.CREDS, true);
  const large = new Uint8Array(300_000);
  const sent = sys.sendmsg(c, { iov: [large], control: [credsMessage(4, 4, 4)] });
  for (let left = large.length; left > 0;) {
    const piece: RecvHeader = { iov: [new Uint8Array(10_000)] };
    left -= await sys.recvmsg(d, piece);
    for (const one of piece.control ?? []) assertEquals(one, credsMessage(4, 4, 4));
  }
  assertEquals(await sent, large.length);
});

Deno.test("unix: a snapshot has connections, names and what is on its way", async () => {
  let saved: Uint8Array;
  let fds: number[];
  {
    await using one = await stack();
    const { sys } = one;
    const [a, b] = await connected(one);
    const [c, d] = sys.socketpair(Af.UNIX, STREAM);
    const twice = sys.dup(b);
    await sys.send(a, bytes(1, 2));
    sys.nb.sendmsg(a, { iov: [bytes(3)], control: [rightsMessage([c])] });
    await sys.close(c);
    sys.bind(sys.socket(Af.UNIX, DGRAM), { path: "/name" });
    fds = [a, b, d, twice];
    saved = one.snapshot();
  }
  await using two = await stack({ snapshot: saved });
  const [a, b, d, twice] = fds;
  const { sys } = two;
  assertEquals(got(two, twice, 2), [1, 2]);
  const { data, fds: [c] } = take(two, b);
  assertEquals(data, [3]);
  await sys.send(c, bytes(4));
  assertEquals(got(two, d), [4]);
  await sys.close(b);
  await sys.send(twice, bytes(5));
  assertEquals(got(two, a), [5]);
  assertEquals(code(() => sys.bind(sys.socket(Af.UNIX, DGRAM), { path: "/name" })), "EADDRINUSE");
});

Deno.test("unix: dup, and a domain that is unloaded leaves nothing", async () => {
  await using one = await stack();
  const { sys } = one;
  const before = holdings(one);
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  const error = await assertRejects(() => one.protocols.unload("unix"), SocketError);
  assertEquals(error.errno, Errno.EBUSY);
  const c = sys.dup(a);
  await sys.close(a);
  await sys.send(c, bytes(1));
  assertEquals(got(one, b), [1]);
  const waiting = sys.recv(c, new Uint8Array(1));
  await sys.send(b, bytes(2));
  assertEquals(await waiting, 1);
  assertEquals(code(() => sys.dup(a)), "EBADF");
  await sys.close(c);
  assertEquals(got(one, b), []);
  await sys.close(b);
  await one.protocols.unload("unix");
  const { sockets } = holdings(one);
  assertEquals(holdings(one), { ...before, sockets });
});

Deno.test("unix: a stack that is closed closes sockets with several descriptors", async () => {
  const sim = await createSim();
  const [a, b] = sim.stacks;
  using listener = b.listen({ port: 80 });
  const accepting = listener.accept();
  const fd = a.sys.socket(Af.INET, STREAM);
  await sim.run(a.sys.connect(fd, { address: "10.0.0.2", port: 80 }));
  const conn = await sim.run(accepting);
  a.sys.dup(fd);
  a.sys.dup(fd);
  await sim.run(a.close());
  sim.settle();
  assertEquals(conn.tryRead(new Uint8Array(1)), null);
  conn.close();
  await sim[Symbol.asyncDispose]();
});

/** Sends bytes of a stream, with a descriptor or without. */
function put({ sys }: Stack, fd: number, values: number[], along?: number): void {
  const control = along === undefined ? [] : [rightsMessage([along])];
  assertEquals(sys.nb.sendmsg(fd, { iov: [bytes(...values)], control }), values.length);
}

Deno.test("unix: a read of a stream ends with what brought descriptors", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  const read = () => {
    const { data, fds } = take(one, b);
    return [data, fds.length];
  };
  put(one, a, [1, 2]);
  put(one, a, [3, 4], a);
  put(one, a, [5]);
  put(one, a, [6], a);
  put(one, a, [7], a);
  put(one, a, [8, 9]);
  await using two = await stack({ snapshot: one.snapshot() });
  assertEquals([read(), read(), read()], [[[1, 2, 3, 4], 1], [[5, 6], 1], [[7], 1]]);
  put(one, a, [10]);
  sys.shutdown(a, Shut.WR);
  assertEquals([read(), read()], [[[8, 9, 10], 0], [[], 0]]);
  assertEquals([got(two, b, 3), got(two, b), got(two, b)], [[1, 2, 3], [4], [5, 6]]);
  for (let fd = b + 3; fd >= a; fd--) await sys.close(fd);
  assertEquals(one.netstat().sockets, []);
});

Deno.test("unix: what waits behind descriptors is bounded, and goes with its socket", async () => {
  await using one = await stack();
  const { sys } = one;
  const [warm] = sys.socketpair(Af.UNIX, STREAM);
  await sys.close(warm);
  const mbufs = () => {
    const { small, cluster } = one.netstat().mbufs;
    return small.used + cluster.used;
  };
  const before = mbufs();
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  put(one, a, [1], a);
  let sent = 0;
  const full = assertThrows(() => {
    for (;;) sent += sys.nb.send(a, bytes(2));
  }, SocketError);
  assertEquals(full.code, "EAGAIN");
  assert(sent > 100 && sent < 5000, `${sent}`);
  assert(mbufs() - before < 5000);
  assertEquals(got(one, b), [1]);
  assertEquals(got(one, b, 10_000).length, sent, "nothing is lost");
  put(one, a, [3]);
  put(one, a, [4], a);
  put(one, a, [5]);
  sys.shutdown(b, Shut.RD);
  assertEquals([got(one, b), mbufs()], [[], before]);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  put(one, c, [6], c);
  put(one, c, [7], c);
  await sys.close(d);
  assertEquals(mbufs(), before);
});
