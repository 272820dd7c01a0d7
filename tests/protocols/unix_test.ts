/** Local sockets: names, the three types, back-pressure. */
import { assertEquals } from "@std/assert";
import { Af, Msg, Shut, Sock } from "../../assembly/abi/socket.ts";
import { bytes, code, connected, DGRAM, errno, got, SEQPACKET, stack, STREAM } from "./unix_kit.ts";

Deno.test("unix: streams carry bytes both ways, with names, and end", async () => {
  await using one = await stack();
  const { sys } = one;
  const listener = sys.socket(Af.UNIX, STREAM);
  sys.bind(listener, { path: "/run/echo" });
  sys.listen(listener, 2);
  const a = sys.socket(Af.UNIX, STREAM);
  sys.bind(a, { path: "\0me" });
  await sys.connect(a, { path: "/run/echo" });
  const { fd: b, address } = await sys.accept(listener);
  assertEquals(address.path, "\0me");
  assertEquals([sys.getsockname(b).path, sys.getpeername(a).path], ["/run/echo", "/run/echo"]);
  const buffer = new Uint8Array(10);
  const waiting = sys.recv(b, buffer);
  await sys.send(a, bytes(1, 2, 3));
  assertEquals(await waiting, 3);
  await sys.send(b, bytes(4));
  assertEquals(got(one, a), [4]);
  await sys.send(a, bytes(5));
  sys.shutdown(a, Shut.WR);
  assertEquals([got(one, b), got(one, b)], [[5], []]);
  assertEquals(await errno(sys.send(a, bytes(1))), "EPIPE");
  await sys.send(b, bytes(6));
  await sys.close(b);
  assertEquals([got(one, a), got(one, a)], [[6], []]);
  await sys.close(a);
  await sys.close(listener);
  assertEquals(one.netstat().mbufs.small.used, 0);
});

Deno.test("unix: names are in use, stay, are unlinked, and abstract ones go", async () => {
  await using one = await stack();
  const { sys } = one;
  const make = (type: number = STREAM) => sys.socket(Af.UNIX, type);
  const connect = (path: string, type: number = STREAM) => sys.connect(make(type), { path });
  const bound = make();
  sys.bind(bound, { path: "/a" });
  assertEquals(code(() => sys.bind(make(), { path: "/a" })), "EADDRINUSE");
  assertEquals(code(() => sys.bind(bound, { path: "/b" })), "EINVAL");
  assertEquals(await errno(connect("/a")), "ECONNREFUSED", "it does not listen");
  assertEquals(await errno(connect("/none")), "ENOENT");
  assertEquals(await errno(connect("\0none")), "ECONNREFUSED");
  assertEquals(await errno(connect("/a", DGRAM)), "EPROTOTYPE");
  sys.listen(bound, 1);
  await connect("/a");
  await sys.close(bound);
  assertEquals(await errno(connect("/a")), "ECONNREFUSED", "nobody has it any more");
  assertEquals(code(() => sys.bind(make(), { path: "/a" })), "EADDRINUSE");
  sys.unlink("/a");
  assertEquals(await errno(connect("/a")), "ENOENT");
  assertEquals(code(() => sys.unlink("/a")), "ENOENT");
  sys.bind(make(), { path: "/a" });
  const abstract = make(DGRAM);
  sys.bind(abstract, { path: "\0x\0y" });
  assertEquals(code(() => sys.unlink("\0x\0y")), "ENOENT");
  await sys.close(abstract);
  sys.bind(make(), { path: "\0x\0y" });
  const chosen = make();
  sys.bind(chosen, {});
  assertEquals(sys.getsockname(chosen).path, "\x0000001");
  assertEquals(code(() => sys.bind(make(), { path: "x".repeat(109) })), "EINVAL");
  assertEquals(code(() => sys.bind(make(), { path: "a\0b" })), "EINVAL");
  sys.bind(make(), { path: "y".repeat(108) });
  assertEquals(code(() => sys.listen(make(), 1)), "EINVAL", "it has no name");
  assertEquals(code(() => sys.bind(make(), { family: Af.INET, address: "1.2.3.4" })), "EINVAL");
  assertEquals(code(() => sys.socket(Af.UNIX, Sock.RAW)), "ESOCKTNOSUPPORT");
  assertEquals(code(() => sys.socket(Af.UNIX, STREAM, 5)), "EPROTONOSUPPORT");
  assertEquals(code(() => sys.socketpair(Af.INET, STREAM)), "EOPNOTSUPP");
});

Deno.test("unix: a backlog that is full refuses, and what nobody accepts is reset", async () => {
  await using one = await stack();
  const { sys } = one;
  const listener = sys.socket(Af.UNIX, STREAM);
  sys.bind(listener, { path: "/l" });
  sys.listen(listener, 1);
  const fds = [1, 2].map(() => sys.socket(Af.UNIX, STREAM));
  await sys.connect(fds[0], { path: "/l" });
  assertEquals(await errno(sys.connect(fds[1], { path: "/l" })), "ECONNREFUSED");
  assertEquals(await errno(sys.connect(fds[0], { path: "/l" })), "EISCONN");
  await sys.close(listener);
  assertEquals(await errno(sys.recv(fds[0], new Uint8Array(1))), "ECONNRESET");
  assertEquals(await sys.recv(fds[0], new Uint8Array(1)), 0);
});

Deno.test("unix: datagrams have senders and limits, and peers that go away", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b, c] = [1, 2, 3].map(() => sys.socket(Af.UNIX, DGRAM));
  sys.bind(a, { path: "/a" });
  sys.bind(b, { path: "/" + "b".repeat(100) });
  await sys.sendto(b, bytes(1, 2), 0, { path: "/a" });
  await sys.sendto(c, bytes(), 0, { path: "/a" });
  await sys.sendto(c, bytes(3), 0, { path: "/a" });
  const received = [1, 2, 3].map(() => {
    const buffer = new Uint8Array(10);
    const { length, from } = sys.nb.recvfrom(a, buffer);
    return [length, from?.family, from?.path];
  });
  assertEquals(received, [[2, Af.UNIX, "/" + "b".repeat(100)], [0, Af.UNIX, ""], [1, Af.UNIX, ""]]);
  await sys.connect(b, { path: "/a" });
  assertEquals(await errno(sys.sendto(b, bytes(1), 0, { path: "/a" })), "EISCONN");
  assertEquals(await errno(sys.send(a, bytes(1))), "EDESTADDRREQ");
  await sys.connect(a, sys.getsockname(b));
  assertEquals(await errno(sys.sendto(c, bytes(1), 0, { path: "/a" })), "EPERM", "not its peer");
  await sys.send(b, bytes(7));
  assertEquals(got(one, a), [7]);
  const buffer = new Uint8Array(1);
  await sys.send(b, bytes(8, 9));
  const header = { iov: [buffer], flags: 0 };
  assertEquals([sys.nb.recvmsg(a, header), header.flags], [1, Msg.TRUNC]);
  await sys.close(a);
  assertEquals(await errno(sys.send(b, bytes(1))), "ECONNRESET");
  assertEquals(await errno(sys.send(b, bytes(1))), "EDESTADDRREQ");
  assertEquals(await errno(sys.connect(b, { path: "/a" })), "ECONNREFUSED");
  sys.shutdown(c, Shut.WR);
  assertEquals(await errno(sys.sendto(c, bytes(1), 0, { path: "/a" })), "ESHUTDOWN");
});

Deno.test("unix: sequenced packets keep their bounds", async () => {
  await using one = await stack();
  const { sys } = one;
  const [a, b] = await connected(one, SEQPACKET);
  await sys.send(a, bytes(1, 2, 3));
  await sys.send(a, bytes(4));
  assertEquals(sys.nb.recv(b, new Uint8Array(2), Msg.PEEK), 2);
  assertEquals([got(one, b), got(one, b)], [[1, 2, 3], [4]]);
  assertEquals(code(() => got(one, b)), "EAGAIN");
  await sys.send(a, bytes(5));
  await sys.close(a);
  assertEquals([got(one, b), got(one, b)], [[5], []]);
  assertEquals(await errno(sys.send(b, bytes(1))), "ESHUTDOWN");
});

for (const type of [STREAM, DGRAM, SEQPACKET]) {
  Deno.test(`unix: a sender waits for room, and nothing is lost (type ${type})`, async () => {
    await using one = await stack();
    const { sys } = one;
    const [a, b] = sys.socketpair(Af.UNIX, type);
    const all = Uint8Array.from({ length: 600_000 }, (_, i) => (i * 31) >> 3);
    const sending = (async () => {
      for (let at = 0; at < all.length; at += 3000) await sys.send(a, all.subarray(at, at + 3000));
    })();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(code(() => sys.nb.send(a, new Uint8Array(3000))), "EAGAIN");
    const found = new Uint8Array(all.length);
    const buffer = new Uint8Array(5000);
    for (let at = 0; at < all.length;) {
      const n = await sys.recv(b, buffer);
      found.set(buffer.subarray(0, n), at);
      at += n;
    }
    await sending;
    assertEquals(found, all);
    if (type !== STREAM) {
      assertEquals(await errno(sys.send(a, new Uint8Array(300_000))), "EMSGSIZE");
    }
  });
}

Deno.test("unix: who sends to many waits for the one that is full", async () => {
  await using one = await stack();
  const { sys } = one;
  const [from, full, free] = [1, 2, 3].map(() => sys.socket(Af.UNIX, DGRAM));
  sys.bind(full, { path: "/full" });
  sys.bind(free, { path: "/free" });
  const data = new Uint8Array(1000);
  const send = (path: string) => sys.nb.sendto(from, data, 0, { path });
  let sent = 0;
  assertEquals(
    code(() => {
      for (;; sent++) send("/full");
    }),
    "EAGAIN",
  );
  assertEquals(send("/free"), 1000);
  let done = false;
  const waiting = sys.sendto(from, data, 0, { path: "/full" }).then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(done, false);
  for (let i = 0; i < sent; i++) got(one, full);
  await waiting;
  assertEquals(got(one, full).length, 1000);
  // and when the receiver goes, the sender hears of it
  while (true) {
    try {
      send("/full");
    } catch {
      break;
    }
  }
  const refused = errno(sys.sendto(from, data, 0, { path: "/full" }));
  await sys.close(full);
  assertEquals(await refused, "ECONNREFUSED");
});
