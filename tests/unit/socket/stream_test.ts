/** Streams: connecting, data both ways, urgent data, and the ways to end. */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Ev } from "../../../assembly/abi/event.ts";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Msg, Shut, So, Sol } from "../../../assembly/abi/socket.ts";
import { Kernel } from "./kernel.ts";

function ioctl(k: Kernel, so: number, cmd: number, value = 0): number {
  const at = k.place();
  k.view.setInt32(at, value, true);
  assert(k.call("so_ioctl", so, cmd, at, 4) >= 0);
  return k.view.getInt32(at, true);
}

Deno.test("connect: EINPROGRESS, EALREADY, then EISCONN; names on both sides", async () => {
  const k = await Kernel.boot();
  const listener = k.socket();
  k.bind(listener, "127.0.0.1", 4000);
  k.call("so_listen", listener, 5);
  const client = k.socket();
  k.call("so_want", client, Ev.STATE | Ev.WRITE);
  assertEquals(k.connect(client, "127.0.0.1", 4000), -Errno.EINPROGRESS);
  assertEquals(k.connect(client, "127.0.0.1", 4000), -Errno.EALREADY);
  assertEquals(k.call("so_ready", client) & Ev.WRITE, 0);
  k.settle();
  assertEquals(k.events(), [[client, Ev.STATE | Ev.WRITE]]);
  assertEquals(k.connect(client, "127.0.0.1", 4000), -Errno.EISCONN);
  const server = k.accept(listener);
  const peer = k.place();
  assertEquals(k.call("so_peername", client, peer), 0);
  assertEquals(k.readName(peer), k.sockname(server));
  assertEquals(k.call("so_peername", server, peer), 0);
  assertEquals(k.readName(peer), k.sockname(client));
  assertEquals(k.call("so_listen", client, 5), -Errno.EINVAL);
  k.end(client, server, listener);
});

Deno.test("connect: ECONNREFUSED is told once, by connect or SO_ERROR", async () => {
  const k = await Kernel.boot();
  const first = k.socket();
  assertEquals(k.connect(first, "127.0.0.1", 9), -Errno.EINPROGRESS);
  k.call("so_want", first, Ev.ERROR);
  k.settle();
  assertEquals(k.call("so_ready", first) & Ev.ERROR, Ev.ERROR);
  assertEquals(k.events(), [[first, Ev.ERROR]]);
  assertEquals(k.getopt(first, Sol.SOCKET, So.ERROR), Errno.ECONNREFUSED);
  assertEquals(k.getopt(first, Sol.SOCKET, So.ERROR), 0);
  const second = k.socket();
  k.connect(second, "127.0.0.1", 9);
  k.settle();
  assertEquals(k.connect(second, "127.0.0.1", 9), -Errno.ECONNREFUSED);
  k.end(first, second);
});

Deno.test("connect: no route, wrong family, port 0, groups and broadcast", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  assertEquals(k.connect(so, "10.1.2.3", 80), -Errno.ENETUNREACH);
  const v6 = k.name({ ip: "127.0.0.1", port: 80, family: 24 });
  assertEquals(k.call("so_connect", so, v6), -Errno.EAFNOSUPPORT);
  assertEquals(k.connect(so, "127.0.0.1", 0), -Errno.EADDRNOTAVAIL);
  assertEquals(k.connect(so, "224.1.2.3", 80), -Errno.EAFNOSUPPORT);
  assertEquals(k.connect(so, "255.255.255.255", 80), -Errno.EAFNOSUPPORT);
  k.end(so);
});

Deno.test("data crosses in order, in pieces of any size, and MSG_PEEK leaves it", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  assertEquals(k.send(client, "hello, "), 7);
  assertEquals(k.send(client, "world"), 5);
  k.settle();
  assertEquals(ioctl(k, server, Sioc.FIONREAD), 12);
  assertEquals(k.text(server, 5, Msg.PEEK), "hello");
  assertEquals(k.text(server, 5), "hello");
  assertEquals(k.text(server, 100, Msg.PEEK), ", world");
  assertEquals(k.text(server), ", world");
  assertEquals(k.recv(server).n, -Errno.EAGAIN);
  k.end(client, server, listener);
});

Deno.test("a write takes what there is room for; reading makes room", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  const data = Uint8Array.from({ length: 60_000 }, (_, i) => i * 7 + (i >> 8));
  let sent = 0;
  for (;;) {
    const n = k.send(client, data);
    k.settle();
    if (n === -Errno.EAGAIN) break;
    sent += n;
    assert(sent < 64 << 20, "a stream without limit");
    if (n < data.length) break;
  }
  assertEquals(k.call("so_ready", client) & Ev.WRITE, 0);
  k.call("so_want", client, Ev.WRITE);
  let received = 0;
  while (received < sent) {
    const { n, data: got } = k.recv(server, 50_000);
    if (n === -Errno.EAGAIN) {
      k.advance(250_000);
      continue;
    }
    assert(n > 0, `recv: ${n}`);
    const at = received % data.length;
    const expected = got.map((_, i) => data[(at + i) % data.length]);
    assertEquals(got, expected);
    received += n;
    k.settle();
  }
  assertEquals(received, sent);
  assertEquals(k.events(), [[client, Ev.WRITE]]);
  k.end(client, server, listener);
});

Deno.test("SO_RCVLOWAT: neither readable nor read below it, unless MSG_DONTWAIT asks", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.setopt(server, Sol.SOCKET, So.RCVLOWAT, 10);
  k.send(client, "12345");
  k.settle();
  assertEquals(k.call("so_ready", server) & Ev.READ, 0);
  assertEquals(k.recv(server).n, -Errno.EAGAIN);
  assertEquals(k.text(server, 3), "123");
  assertEquals(k.text(server, 100, Msg.DONTWAIT), "45");
  k.call("so_want", server, Ev.READ);
  k.send(client, "123456789");
  k.settle();
  assertEquals(k.events(), []);
  k.send(client, "0");
  k.settle();
  assertEquals(k.events(), [[server, Ev.READ]]);
  assertEquals(k.text(server), "1234567890");
  k.send(client, "end");
  k.call("so_shutdown", client, Shut.WR);
  k.settle();
  assertEquals(k.text(server), "end");
  k.end(client, server, listener);
});

Deno.test("a read stops at the urgent mark, and SIOCATMARK tells", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.call("so_want", server, Ev.OOB);
  k.send(client, "abc");
  k.send(client, "!", Msg.OOB);
  k.send(client, "def");
  k.settle();
  assertEquals(k.events(), [[server, Ev.OOB]]);
  assertEquals(ioctl(k, server, Sioc.ATMARK), 0);
  assertEquals(k.text(server, 2), "ab");
  assertEquals(k.text(server, 100), "c");
  assertEquals(ioctl(k, server, Sioc.ATMARK), 1);
  assertEquals(k.text(server, 1, Msg.OOB | Msg.PEEK), "!");
  assertEquals(k.text(server, 1, Msg.OOB), "!");
  assertEquals(k.text(server, 100), "def");
  assertEquals(ioctl(k, server, Sioc.ATMARK), 0);
  assertEquals(k.recv(server, 1, Msg.OOB).n, -Errno.EINVAL);
  k.end(client, server, listener);
});

Deno.test("with SO_OOBINLINE the urgent byte stands in the stream, behind the mark", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.setopt(server, Sol.SOCKET, So.OOBINLINE, 1);
  k.send(client, "abc");
  k.send(client, "!", Msg.OOB);
  k.settle();
  assertEquals(k.text(server, 100), "abc");
  assertEquals(ioctl(k, server, Sioc.ATMARK), 1);
  assertEquals(k.text(server, 100), "!");
  assertEquals(k.recv(server, 1, Msg.OOB).n, -Errno.EINVAL);
  k.end(client, server, listener);
});

Deno.test("half close: end of stream on one side, data still goes the other way", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.send(client, "last");
  assertEquals(k.call("so_shutdown", client, Shut.WR), 0);
  assertEquals(k.send(client, "x"), -Errno.EPIPE);
  k.settle();
  assertEquals(k.text(server), "last");
  assertEquals(k.recv(server).n, 0);
  assertEquals(k.recv(server).n, 0);
  assertEquals(k.send(server, "reply"), 5);
  k.settle();
  assertEquals(k.text(client), "reply");
  assertEquals(k.call("so_ready", client) & Ev.HUP, 0);
  k.call("so_close", server);
  k.settle();
  assertEquals(k.recv(client).n, 0);
  assertEquals(k.call("so_ready", client) & Ev.HUP, Ev.HUP);
  k.end(client, listener);
});

Deno.test("shutdown of reading discards what waits and what still comes", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.send(client, "unread");
  k.settle();
  assertEquals(k.call("so_shutdown", server, Shut.RD), 0);
  assertEquals(k.recv(server).n, 0);
  assertEquals(k.send(client, "more"), 4);
  k.settle();
  assertEquals(k.recv(server).n, 0);
  assertEquals(ioctl(k, server, Sioc.FIONREAD), 0);
  assertEquals(k.send(server, "still"), 5);
  k.settle();
  assertEquals(k.text(client), "still");
  k.end(client, server, listener);
});

Deno.test("SO_LINGER of 0 seconds: close resets, and the peer reads ECONNRESET once", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.send(server, "received before the reset");
  k.settle();
  k.call("so_want", client, Ev.READ | Ev.ERROR);
  k.events();
  assertEquals(k.setopt(server, Sol.SOCKET, So.LINGER, 1, 0), 0);
  k.call("so_close", server);
  k.settle();
  assertEquals(k.text(client), "received before the reset");
  assertEquals(k.recv(client, 10, Msg.PEEK).n, -Errno.ECONNRESET);
  assertEquals(k.recv(client).n, -Errno.ECONNRESET);
  assertEquals(k.recv(client).n, 0);
  assertEquals(k.send(client, "x"), -Errno.EPIPE);
  k.end(client, listener);
});

Deno.test("send to a name on a stream is EISCONN, and an empty send does nothing", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  assertEquals(k.send(client, "x", 0, { ip: "127.0.0.1", port: 4000 }), -Errno.EISCONN);
  assertEquals(k.send(client, ""), 0);
  assertEquals(k.recv(server, 0).n, -Errno.EAGAIN);
  k.end(client, server, listener);
});

Deno.test("an empty mbuf pool: ENOBUFS, and the stream goes on afterwards", async () => {
  const k = await Kernel.boot({ mbufs_cluster: 24, mbufs_small: 24 });
  const { client, server, listener } = k.pair();
  const held: number[] = [];
  for (const get of ["probe_mbuf_getcl", "probe_mbuf_get"]) {
    for (let m = k.call(get, 1); m; m = k.call(get, 1)) held.push(m);
  }
  assertEquals(k.send(client, "no room"), -Errno.ENOBUFS);
  for (const m of held) k.call("probe_mbuf_freem", m);
  assertEquals(k.send(client, "room"), 4);
  k.settle();
  assertEquals(k.text(server), "room");
  k.end(client, server, listener);
});

Deno.test("writers cannot take the last mbufs: what they wrote can still be sent", async () => {
  const k = await Kernel.boot({ mbufs_cluster: 128, mbufs_small: 128 });
  const { client, server, listener } = k.pair();
  for (const so of [client, server]) {
    for (const name of [So.SNDBUF, So.RCVBUF]) {
      assertEquals(k.setopt(so, Sol.SOCKET, name, 1 << 20), 0);
    }
  }
  let written = 0;
  for (let n = 1; n > 0;) {
    n = k.send(client, new Uint8Array(2048));
    if (n > 0) written += n;
    else assertEquals(n, -Errno.ENOBUFS);
  }
  const left: number[] = [];
  for (let m = k.call("probe_mbuf_getcl", 1); m; m = k.call("probe_mbuf_getcl", 1)) left.push(m);
  assert(left.length >= 12, `${left.length} clusters are left`);
  for (const m of left) k.call("probe_mbuf_freem", m);
  let arrived = 0;
  for (let turns = 0; arrived < written && turns < 1000; turns++) {
    k.settle();
    const { n } = k.recv(server);
    if (n > 0) arrived += n;
    else k.advance(10_000);
  }
  assertEquals(arrived, written);
  k.end(client, server, listener);
});
