/** UDP: datagrams over loopback. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Ev } from "../../../assembly/abi/event.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, Msg, Shut, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { arp, ether, ip4, udp } from "../net/frames.ts";
import { etherHost, OWN, PEER, toHost } from "../net/host.ts";
import { Kernel } from "../socket/kernel.ts";

const LO = "127.0.0.1";
const [HERE, THERE] = ["10.0.0.1", "10.0.0.2"];
/** The neighbour's side of an ARP packet. */
const LINK = { sha: PEER, spa: THERE };

/** Two bound sockets on loopback. */
async function two(): Promise<{ k: Kernel; a: number; b: number }> {
  const k = await Kernel.boot();
  const [a, b] = [5001, 5002].map((port) => {
    const so = k.socket(Sock.DGRAM);
    assertEquals(k.bind(so, LO, port), 0);
    return so;
  });
  return { k, a, b };
}

function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

Deno.test("datagrams keep their boundaries and carry their sender, empty ones too", async () => {
  const { k, a, b } = await two();
  k.call("so_want", b, Ev.READ);
  const sizes = [0, 1, 47, 48, 49, 1000, 1904, 1905, 1906, 4000, 65507];
  for (const size of sizes) {
    const data = Uint8Array.from({ length: size }, (_, i) => i * 3);
    assertEquals(k.send(a, data, 0, { ip: LO, port: 5002 }), size);
    k.settle();
    const got = k.recv(b);
    assertEquals(got.n, size);
    assertEquals(got.data, data);
    assertEquals(got.from, { ip: LO, port: 5001, family: Af.INET });
    assertEquals(got.flags, 0);
  }
  assertEquals(k.events(), [[b, Ev.READ]]);
  assertEquals(k.recv(b).n, -Errno.EAGAIN);
  k.end(a, b);
});

Deno.test("any sizes arrive whole and in order", async () => {
  const { k, a, b } = await two();
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 12 }), (sizes) => {
      const sent = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
      for (const data of sent) k.send(a, data, 0, { ip: LO, port: 5002 });
      k.settle();
      const received = sent.map(() => k.recv(b).data);
      assertEquals(received, sent);
      assertEquals(k.recv(b).n, -Errno.EAGAIN);
    }),
    { seed: 7, numRuns: 60 },
  );
  k.end(a, b);
});

Deno.test("a short read loses the rest and says so; MSG_PEEK leaves the datagram", async () => {
  const { k, a, b } = await two();
  for (const data of ["first one", "second"]) k.send(a, data, 0, { ip: LO, port: 5002 });
  k.settle();
  const at = k.place();
  assertEquals(k.call("so_ioctl", b, Sioc.FIONREAD, at, 4), 4);
  assertEquals(k.view.getInt32(at, true), 9);
  const peeked = k.recv(b, 5, Msg.PEEK);
  assertEquals([text(peeked.data), peeked.flags, peeked.length], ["first", Msg.TRUNC, 9]);
  const cut = k.recv(b, 5);
  assertEquals([text(cut.data), cut.flags, cut.length], ["first", Msg.TRUNC, 9]);
  assertEquals(k.text(b), "second");
  k.end(a, b);
});

Deno.test("errors of send: size, destination, family, port 0, MSG_OOB", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  const to = { ip: LO, port: 5002 };
  assertEquals(k.send(so, "x"), -Errno.EDESTADDRREQ);
  assertEquals(k.send(so, new Uint8Array(65508), 0, to), -Errno.EMSGSIZE);
  assertEquals(k.send(so, "x", 0, { ...to, port: 0 }), -Errno.EADDRNOTAVAIL);
  assertEquals(k.send(so, "x", 0, { ...to, family: Af.INET6 }), -Errno.EAFNOSUPPORT);
  assertEquals(k.send(so, "x", 0, { ip: "9.9.9.9", port: 1 }), -Errno.ENETUNREACH);
  assertEquals(k.send(so, "x", Msg.OOB, to), -Errno.EOPNOTSUPP);
  assertEquals(k.recv(so, 1, Msg.OOB).n, -Errno.EOPNOTSUPP);
  k.setopt(so, Sol.SOCKET, So.SNDBUF, 100);
  assertEquals(k.send(so, new Uint8Array(101), 0, to), -Errno.EMSGSIZE);
  assertEquals(k.send(so, new Uint8Array(100), 0, to), 100);
  k.settle();
  k.end(so);
});

Deno.test("sending without a port takes one, and keeps it", async () => {
  const { k, a, b } = await two();
  const c = k.socket(Sock.DGRAM);
  k.send(c, "one", 0, { ip: LO, port: 5001 });
  k.send(c, "two", 0, { ip: LO, port: 5002 });
  k.settle();
  const port = k.sockname(c).port;
  assertEquals(k.recv(a).from, { ip: LO, port, family: Af.INET });
  assertEquals(k.recv(b).from.port, port);
  assert(port >= 49152);
  k.end(a, b, c);
});

Deno.test("a connected socket hears its peer only, and a destination is EISCONN", async () => {
  const { k, a, b } = await two();
  const c = k.socket(Sock.DGRAM);
  assertEquals(k.connect(c, LO, 5001), 0);
  assertEquals(k.sockname(c).ip, LO);
  const own = k.sockname(c);
  assertEquals(k.send(c, "x", 0, { ip: LO, port: 5001 }), -Errno.EISCONN);
  assertEquals(k.send(c, "to the peer"), 11);
  k.send(b, "from a stranger", 0, own);
  k.settle();
  assertEquals(k.recv(c).n, -Errno.EAGAIN);
  assertEquals(k.text(a), "to the peer");
  k.send(a, "back", 0, own);
  k.settle();
  assertEquals(k.text(c), "back");
  assertEquals(k.connect(c, LO, 5002), 0);
  k.send(b, "now a friend", 0, k.sockname(c));
  k.settle();
  assertEquals(k.text(c), "now a friend");
  const nobody = k.name({ ip: "0.0.0.0", port: 0, family: Af.UNSPEC });
  assertEquals(k.call("so_connect", c, nobody), 0);
  assertEquals(k.call("so_peername", c, k.place()), -Errno.ENOTCONN);
  assertEquals(k.send(c, "x"), -Errno.EDESTADDRREQ);
  k.end(a, b, c);
});

Deno.test("port unreachable comes back as ECONNREFUSED to a connected socket, once", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  k.connect(so, LO, 9);
  k.call("so_want", so, Ev.ERROR);
  assertEquals(k.send(so, "x"), 1);
  k.settle();
  assertEquals(k.events(), [[so, Ev.ERROR]]);
  assertEquals(k.send(so, "x"), -Errno.ECONNREFUSED);
  assertEquals(k.send(so, "x"), 1);
  k.settle();
  assertEquals(k.recv(so).n, -Errno.ECONNREFUSED);
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  const loose = k.socket(Sock.DGRAM);
  k.send(loose, "x", 0, { ip: LO, port: 9 });
  k.settle();
  assertEquals(k.getopt(loose, Sol.SOCKET, So.ERROR), 0);
  k.end(so, loose);
});

Deno.test("shutdown: ESHUTDOWN for writers, end of file for readers", async () => {
  const { k, a, b } = await two();
  assertEquals(k.call("so_shutdown", a, Shut.WR), 0);
  assertEquals(k.send(a, "x", 0, { ip: LO, port: 5002 }), -Errno.ESHUTDOWN);
  assertEquals(k.call("so_shutdown", b, Shut.RD), 0);
  assertEquals(k.recv(b).n, 0);
  const c = k.socket(Sock.DGRAM);
  k.send(c, "for nobody", 0, { ip: LO, port: 5002 });
  k.settle();
  assertEquals(k.call("last_fate"), Fate.UDP_BUFFER_FULL);
  k.end(a, b, c);
});

Deno.test("a full receive buffer drops and counts, and takes again when read", async () => {
  const { k, a, b } = await two();
  k.setopt(b, Sol.SOCKET, So.RCVBUF, 2500);
  for (let i = 0; i < 3; i++) {
    k.send(a, new Uint8Array(1000).fill(i), 0, { ip: LO, port: 5002 });
    k.settle();
    assertEquals(k.call("last_fate"), i < 2 ? Fate.UDP_DELIVERED : Fate.UDP_BUFFER_FULL);
  }
  assertEquals(k.recv(b).data[0], 0);
  k.send(a, "room again", 0, { ip: LO, port: 5002 });
  k.settle();
  assertEquals(k.recv(b).data[0], 1);
  assertEquals(k.text(b), "room again");
  k.end(a, b);
});

Deno.test("empty datagrams cannot fill the memory", async () => {
  const { k, a, b } = await two();
  for (let i = 0; i < 5000; i++) {
    k.send(a, "", 0, { ip: LO, port: 5002 });
    if (i % 100 === 0) k.settle();
  }
  k.settle();
  assertEquals(k.call("last_fate"), Fate.UDP_BUFFER_FULL);
  assert(k.mbufs() <= 2048, `${k.mbufs()} mbufs`);
  k.end(a, b);
});

Deno.test("datagrams that nobody reads leave mbufs for others, to receive and to send", () => {
  const { host, port } = etherHost({ mbufs_cluster: 256 });
  host.input(port, ether(OWN, PEER, 0x0806, arp({ op: 1, ...LINK, tpa: "10.0.0.1" })));
  host.output(port);
  const readers = [7000, 7001, 7002].map((local) => host.udp(local));
  const from = (dport: number, length: number) => {
    const payload = udp(THERE, HERE, 9, dport, new Uint8Array(length));
    return toHost(ip4({ src: THERE, dst: HERE, proto: 17, payload }));
  };
  const fates = new Set<string>();
  for (let i = 0; i < 300; i++) {
    for (const fate of host.input(port, from(7000 + (i % 3), 1000))) fates.add(fate);
  }
  assertEquals(fates, new Set(["UDP_DELIVERED", "UDP_BUFFER_FULL"]));
  assertEquals(host.call.if_rx_prepare(port, 16), 16, "room to receive");
  assertEquals(host.send(readers[0], new Uint8Array(1400), THERE, 9), 1400, "and to send");
  const raw = host.socket(Sock.RAW, 200);
  const other = ip4({ src: THERE, dst: HERE, proto: 200, payload: new Uint8Array(1000) });
  const two = [toHost(other), toHost(other)];
  assertEquals(host.input(port, ...two), ["RAW_DELIVERED", "RAW_BUFFER_FULL"], "one at least");
  while (typeof host.recv(readers[1]) !== "number");
  assertEquals(host.input(port, from(7000, 1000), toHost(other)), [
    "UDP_DELIVERED",
    "RAW_DELIVERED",
  ]);
  for (const so of [...readers, raw]) host.call.so_close(so);
});
