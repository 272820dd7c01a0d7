/** Local sockets and those who wait on them: whoever can go on is told. */
import { assertEquals } from "@std/assert";
import { Af, LocalOpt, Msg, Shut, So, Sol } from "../../assembly/abi/socket.ts";
import {
  type ControlMessage,
  MessageBatch,
  POLLOUT,
  rightsMessage,
  rightsOf,
  type Stack,
  type UnixConn,
} from "../../mod.ts";
import { bytes, DGRAM, got, held, SEQPACKET, stack, STREAM, take } from "./unix_kit.ts";

const set = ({ sys }: Stack, fd: number, name: number, value: number) =>
  sys.setsockopt(fd, Sol.SOCKET, name, value);

Deno.test("unix: whoever waits for more than a piece with descriptors gets that", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  set(one, b, So.RCVLOWAT, 100);
  const message = { iov: [new Uint8Array(500)], control: [] as ControlMessage[] };
  const waiting = sys.recvmsg(b, message);
  sys.nb.sendmsg(a, { iov: [bytes(1, 2)], control: [rightsMessage([a])] });
  sys.nb.send(a, new Uint8Array(150));
  assertEquals([await waiting, rightsOf(message.control).length], [2, 1]);
  assertEquals(await sys.recv(b, new Uint8Array(500)), 150);
});

Deno.test("unix: whoever waits for more than the sender's buffer gets it", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  set(one, a, So.SNDBUF, 1000);
  set(one, b, So.RCVLOWAT, 5000);
  const sent = sys.send(a, new Uint8Array(6000));
  let read = 0;
  while (read < 5000) read += await sys.recv(b, new Uint8Array(9000));
  set(one, b, So.RCVLOWAT, 1);
  while (read < 6000) read += await sys.recv(b, new Uint8Array(9000));
  assertEquals([await sent, read], [6000, 6000]);
});

Deno.test("unix: MSG_WAITALL ends with what brought descriptors, too", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  for (const value of [1, 2]) {
    sys.nb.sendmsg(a, { iov: [bytes(value, value)], control: [rightsMessage([a])] });
  }
  for (const value of [1, 2]) {
    const message = { iov: [new Uint8Array(4)], control: [] as ControlMessage[] };
    assertEquals(await sys.recvmsg(b, message, Msg.WAITALL), 2);
    assertEquals([message.iov[0][0], rightsOf(message.control).length], [value, 1]);
  }
});

Deno.test("unix: whoever waits for room goes on when the socket gets another peer", async () => {
  await using one = await stack();
  const { sys } = one;
  const open = (path: string) => {
    const fd = sys.socket(Af.UNIX, DGRAM);
    sys.bind(fd, { path });
    set(one, fd, So.RCVBUF, 1000);
    return fd;
  };
  const [full, free] = [open("/full"), open("/free")];
  const client = sys.socket(Af.UNIX, DGRAM);
  await sys.connect(client, { path: "/full" });
  await sys.send(client, new Uint8Array(900));
  const waiting = sys.send(client, new Uint8Array(901));
  await sys.connect(client, { path: "/free" });
  assertEquals(await waiting, 901);
  assertEquals([got(one, full).length, got(one, free).length], [900, 901]);
});

for (const type of [STREAM, SEQPACKET, DGRAM]) {
  Deno.test(`unix: all that is sent by those who wait comes through (type ${type})`, async () => {
    await using one = await stack();
    const { sys } = one;
    const [a, b] = sys.socketpair(Af.UNIX, type);
    sys.setsockopt(b, Sol.LOCAL, LocalOpt.CREDS, 1);
    set(one, a, So.SNDBUF, 3000);
    let seed = 7;
    const below = (n: number) => (seed = seed * 48_271 % 0x7fffffff) % n;
    let sent = 0;
    const send = async () => {
      for (let i = 0; i < 400; i++) {
        const iov = [new Uint8Array(1 + below(2500)).map(() => sent++ & 255)];
        const control = i % 7 === 0 ? [rightsMessage([b])] : [];
        await sys.sendmsg(a, { iov, control });
      }
      await sys.send(a, bytes(sent++ & 255));
      sys.shutdown(a, Shut.WR);
    };
    const sending = send();
    let read = 0;
    let descriptors = 0;
    for (let i = 0; !(type === DGRAM ? read > 0 && read === sent && i > 400 : false); i++) {
      if (i % 5 === 0) set(one, b, So.RCVBUF, 3000 + below(9000));
      if (type === STREAM) set(one, b, So.RCVLOWAT, 1 + below(4000));
      const message = { iov: [new Uint8Array(type === STREAM ? 1 + below(6000) : 3000)] };
      const length = await sys.recvmsg(b, message);
      if (length === 0) break;
      for (const byte of message.iov[0].subarray(0, length)) assertEquals(byte, read++ & 255);
      for (const fd of rightsOf((message as { control?: ControlMessage[] }).control)) {
        descriptors++;
        await sys.close(fd);
      }
    }
    await sending;
    assertEquals([read, descriptors], [sent, 58]);
    const entry = { fd: a, events: POLLOUT };
    assertEquals(sys.nb.poll([entry]), 1);
  });
}

Deno.test("unix: what there is no descriptor for is closed, once", async () => {
  await using one = await stack({ descriptors: 9 });
  const { sys } = one;
  const before = held(one);
  const [a, b] = sys.socketpair(Af.UNIX, DGRAM);
  const [c, d] = sys.socketpair(Af.UNIX, DGRAM);
  const send = (over: number, ...fds: number[]) =>
    sys.nb.sendmsg(over, { iov: [bytes(1)], control: [rightsMessage(fds)] });
  // c twice, d in the buffer of c and beside it
  send(d, d);
  send(a, c, c, d);
  sys.nb.close(c);
  sys.nb.close(d);
  const fillers = [1, 2, 3, 4].map(() => sys.socket(Af.UNIX, DGRAM));
  const { fds, header } = take(one, b);
  assertEquals([fds, header.flags], [[], Msg.CTRUNC]);
  for (const fd of fillers.slice(1)) sys.nb.close(fd);
  // one of three, which what is closed holds as well
  const [e, f] = sys.socketpair(Af.UNIX, DGRAM);
  send(f, f);
  send(a, f, e, f);
  for (const fd of [e, f]) sys.nb.close(fd);
  fillers.push(...[1, 2].map(() => sys.socket(Af.UNIX, DGRAM)));
  const taken = take(one, b);
  assertEquals([taken.fds.length, taken.header.flags], [1, Msg.CTRUNC]);
  assertEquals(sys.getsockopt(taken.fds[0], Sol.SOCKET, So.TYPE), DGRAM);
  for (const fd of [a, b, fillers[0], ...fillers.slice(4), ...taken.fds]) sys.nb.close(fd);
  assertEquals({ ...held(one), domains: 0, rows: 0, table: 0 }, {
    ...before,
    domains: 0,
    rows: 0,
    table: 0,
  });
});

Deno.test("unix: what is thrown away may be the last that held a circle", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  const send = (over: number, fd: number) =>
    sys.nb.sendmsg(over, { iov: [bytes(1)], control: [rightsMessage([fd])] });
  send(d, c);
  send(a, c);
  sys.nb.close(c);
  assertEquals(got(one, b), [1]);
  assertEquals(one.netstat().sockets.length, 3);
});

Deno.test("unix: a second descriptor is closed by the number it has", async () => {
  await using one = await stack();
  const { sys } = one;
  const fd = sys.socket(Af.UNIX, STREAM);
  const other = sys.dup(fd);
  sys.nb.close(other);
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.TYPE), STREAM);
  assertEquals(sys.dup(fd), other);
  sys.nb.close(fd);
  assertEquals(sys.getsockopt(other, Sol.SOCKET, So.TYPE), STREAM);
});

Deno.test("unix: a snapshot has nothing of calls that waited", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, DGRAM);
  const [c, d] = sys.socketpair(Af.UNIX, STREAM);
  set(one, b, So.RCVBUF, 1000);
  await sys.send(a, new Uint8Array(900));
  const message = { iov: [new Uint8Array(900)], control: [rightsMessage([c, d, c])] };
  const waiting = sys.sendmsg(a, message);
  await sys.close(c);
  const snapshot = one.snapshot();
  await using again = await stack({ snapshot });
  assertEquals(again.netstat().sockets.length, 3);
  assertEquals(got(again, d), [], "its other end is closed");
  assertEquals(again.sys.dup(d), c);
  assertEquals(got(one, b, 900).length, 900);
  assertEquals(await waiting, 900);
  assertEquals(take(one, b).fds.length, 3);
});

Deno.test("unix: a piece with descriptors is shown in place at once", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, STREAM);
  set(one, b, So.RCVLOWAT, 100);
  const waiting = (one.openFd(b) as UnixConn).peek();
  sys.nb.sendmsg(a, { iov: [bytes(1, 2)], control: [rightsMessage([a])] });
  assertEquals([...(await waiting)!], [1, 2]);
});

Deno.test("unix: a batch of messages has no addresses", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = sys.socketpair(Af.UNIX, DGRAM);
  sys.bind(a, { path: "/name" });
  await sys.send(a, bytes(1));
  const batch = new MessageBatch();
  sys.nb.recvmmsg(b, batch);
  assertEquals([batch.count, batch.address(0)], [1, undefined]);
});

Deno.test("unix: names are told as they are", async () => {
  await using one = await stack();
  const { sys } = one;
  const fd = sys.socket(Af.UNIX, STREAM);
  sys.bind(fd, { path: "\ufeffa" });
  assertEquals(sys.getsockname(fd).path, "\ufeffa");
});
