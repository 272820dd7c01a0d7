/** UDP: datagrams over loopback, and on the wire byte by byte (RFC 768, RFC 1122 4.1). */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Ev } from "../../../assembly/abi/event.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Msg, Shut, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { Kernel } from "../socket/kernel.ts";
import { datagram, HERE, ip, packet, THERE, Wire } from "./wire.ts";

const LO = "127.0.0.1";

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

Deno.test("on the wire: header, checksum, TTL and TOS as the socket has them", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  k.bind(so, "0.0.0.0", 5000);
  k.setopt(so, IpProto.IP, IpOpt.TTL, 9);
  k.setopt(so, IpProto.IP, IpOpt.TOS, 0x10);
  for (const data of ["", "x", "hello"]) k.send(so, data, 0, { ip: THERE, port: 53 });
  const packets = wire.sent();
  assertEquals(packets.map((p) => text(p.body.slice(8))), ["", "x", "hello"]);
  for (const p of packets) {
    assertEquals([p.src, p.dst, p.ttl, p.tos], [HERE, THERE, 9, 0x10]);
    assertEquals([...p.body.slice(0, 4)], [0x13, 0x88, 0, 53]);
    assertEquals((p.body[4] << 8) | p.body[5], p.body.length);
  }
  wire.end(so);
});

Deno.test("input: lengths and checksum decide the fate (RFC 768, RFC 1122 4.1.3.4)", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  k.bind(so, HERE, 5000);
  const base = { sport: 7, dport: 5000, data: "hello" };
  assertEquals(wire.udp(base), Fate.UDP_DELIVERED);
  assertEquals(wire.udp({ ...base, sum: 0 }), Fate.UDP_DELIVERED);
  assertEquals(wire.udp({ ...base, sum: 0x1234 }), Fate.UDP_CHECKSUM);
  assertEquals(wire.udp({ ...base, length: 7 }), Fate.UDP_SHORT);
  assertEquals(wire.udp({ ...base, length: 14 }), Fate.UDP_SHORT);
  assertEquals(wire.input(packet({ body: [1, 2, 3, 4, 5, 6, 7] })), Fate.UDP_SHORT);
  const longer = [...datagram({ ...base, data: "hello" }), 9, 9, 9];
  assertEquals(wire.input(packet({ body: longer })), Fate.UDP_DELIVERED);
  for (let i = 0; i < 3; i++) assertEquals(k.text(so), "hello");
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  assertEquals(wire.udp({ ...base, sport: 0 }), Fate.UDP_DELIVERED);
  assertEquals(k.recv(so).from, { ip: THERE, port: 0, family: Af.INET });
  wire.end(so);
});

Deno.test("a datagram for no port is answered with port unreachable, quoting it", async () => {
  const wire = await Wire.attach();
  assertEquals(wire.udp({ sport: 7, dport: 9, data: "lost" }), Fate.UDP_NO_PORT);
  const [error] = wire.sent();
  assertEquals([error.dst, error.protocol], [THERE, IpProto.ICMP]);
  assertEquals([...error.body.slice(0, 2)], [3, 3]);
  assertEquals(
    error.body.slice(8),
    packet({ body: datagram({ sport: 7, dport: 9, data: "lost" }) }),
  );
  const broadcast = wire.udp({ dst: "10.0.0.255", sport: 7, dport: 9, data: "lost" });
  assertEquals(broadcast, Fate.UDP_NO_PORT_BROADCAST);
  assertEquals(wire.sent(), []);
  wire.end();
});

Deno.test("the most specific binding gets the datagram: peer, address, then port", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const [any, here, connected] = [0, 0, 0].map(() => {
    const so = k.socket(Sock.DGRAM);
    k.setopt(so, Sol.SOCKET, So.REUSEADDR, 1);
    return so;
  });
  assertEquals(k.bind(any, "0.0.0.0", 5000), 0);
  assertEquals(k.bind(here, HERE, 5000), 0);
  k.setopt(connected, Sol.SOCKET, So.REUSEPORT, 1);
  k.setopt(here, Sol.SOCKET, So.REUSEPORT, 1);
  assertEquals(k.bind(connected, HERE, 5000), 0);
  assertEquals(k.connect(connected, THERE, 7), 0);
  const base = { sport: 7, dport: 5000, data: "x" };
  for (const so of [connected, here, any]) {
    assertEquals(wire.udp(base), Fate.UDP_DELIVERED);
    assertEquals(k.text(so), "x");
    k.call("so_close", so);
  }
  assertEquals(wire.udp(base), Fate.UDP_NO_PORT);
  wire.sent();
  wire.end();
});

Deno.test("broadcast: EACCES without SO_BROADCAST; received by all, with its address", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const sockets = [0, 0].map(() => {
    const so = k.socket(Sock.DGRAM);
    k.setopt(so, Sol.SOCKET, So.REUSEPORT, 1);
    assertEquals(k.bind(so, "0.0.0.0", 5000), 0);
    return so;
  });
  const to = { ip: "10.0.0.255", port: 5000 };
  assertEquals(k.send(sockets[0], "all", 0, to), -Errno.EACCES);
  assertEquals(k.send(sockets[0], "all", 0, { ...to, ip: "255.255.255.255" }), -Errno.EACCES);
  k.setopt(sockets[0], Sol.SOCKET, So.BROADCAST, 1);
  k.setopt(sockets[1], IpProto.IP, IpOpt.RECVDSTADDR, 1);
  for (const dst of ["10.0.0.255", "255.255.255.255"]) {
    assertEquals(k.send(sockets[0], "all", 0, { ip: dst, port: 5000 }), 3);
    assertEquals(wire.sent().map((p) => [p.src, p.dst]), [[HERE, dst]]);
    assertEquals(k.text(sockets[0]), "all", "our own copy");
    assertEquals(k.recv(sockets[1]).dst, dst);
    assertEquals(wire.udp({ dst, sport: 7, dport: 5000, data: "hi" }), Fate.UDP_DELIVERED);
    assertEquals(k.text(sockets[0]), "hi");
    assertEquals(k.recv(sockets[1]).dst, dst);
  }
  wire.end(...sockets);
});

Deno.test("a group: only members get it, and only while they are", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const group = "239.1.2.3";
  const [member, other] = [0, 0].map(() => {
    const so = k.socket(Sock.DGRAM);
    k.setopt(so, Sol.SOCKET, So.REUSEPORT, 1);
    assertEquals(k.bind(so, "0.0.0.0", 5000), 0);
    return so;
  });
  const set = (name: number, address: string, ifindex = 0) =>
    k.setopt(member, IpProto.IP, name, ip(address), ifindex);
  assertEquals(set(IpOpt.ADD_MEMBERSHIP, "10.0.0.1"), -Errno.EINVAL);
  assertEquals(set(IpOpt.ADD_MEMBERSHIP, group, 9), -Errno.EADDRNOTAVAIL);
  assertEquals(set(IpOpt.DROP_MEMBERSHIP, group), -Errno.EADDRNOTAVAIL);
  assertEquals(k.setopt(member, IpProto.IP, IpOpt.ADD_MEMBERSHIP, ip(group)), -Errno.EINVAL);
  const in_ = { dst: group, sport: 7, dport: 5000, data: "news" };
  assertEquals(wire.udp(in_), Fate.IP_MULTICAST_NOT_MEMBER);
  assertEquals(set(IpOpt.ADD_MEMBERSHIP, group), 0);
  assertEquals(set(IpOpt.ADD_MEMBERSHIP, group, wire.ifindex), -Errno.EADDRINUSE);
  wire.sent();
  assertEquals(wire.udp(in_), Fate.UDP_DELIVERED);
  assertEquals(k.text(member), "news");
  assertEquals(k.recv(other).n, -Errno.EAGAIN);
  assertEquals(wire.udp({ ...in_, dport: 5001 }), Fate.UDP_NO_PORT_BROADCAST);
  assertEquals(set(IpOpt.DROP_MEMBERSHIP, group), 0);
  wire.sent();
  assertEquals(wire.udp(in_), Fate.IP_MULTICAST_NOT_MEMBER);
  assertEquals(set(IpOpt.ADD_MEMBERSHIP, group), 0);
  wire.end(member, other);
});

Deno.test("sending to a group: TTL 1 unless set, a copy for members here unless switched off", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const group = "239.1.2.3";
  const so = k.socket(Sock.DGRAM);
  k.bind(so, "0.0.0.0", 5000);
  k.setopt(so, IpProto.IP, IpOpt.ADD_MEMBERSHIP, ip(group), wire.ifindex);
  wire.sent();
  const send = () => {
    assertEquals(k.send(so, "x", 0, { ip: group, port: 5000 }), 1);
    const found = wire.sent().filter((p) => p.protocol === IpProto.UDP);
    return found.map((p) => [p.src, p.dst, p.ttl]);
  };
  assertEquals(send(), [[HERE, group, 1]]);
  assertEquals(k.text(so), "x");
  k.setopt(so, IpProto.IP, IpOpt.MULTICAST_LOOP, 0);
  k.setopt(so, IpProto.IP, IpOpt.MULTICAST_TTL, 33);
  k.setopt(so, IpProto.IP, IpOpt.MULTICAST_IF, wire.ifindex);
  assertEquals(send(), [[HERE, group, 33]]);
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  wire.end(so);
});

Deno.test("ICMP errors reach the connected socket they are about, as its error", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  k.connect(so, THERE, 53);
  const cases: [number, number, number][] = [
    [3, 0, Errno.ENETUNREACH],
    [3, 1, Errno.EHOSTUNREACH],
    [3, 3, Errno.ECONNREFUSED],
    [3, 4, Errno.EMSGSIZE],
    [12, 0, Errno.ENOPROTOOPT],
  ];
  for (const [type, code, errno] of cases) {
    k.send(so, "query");
    const [query] = wire.sent();
    const info = type === 3 && code === 4 ? [0, 0, 0x02, 0x40] : [0, 0, 0, 0];
    const body = [type, code, 0, 0, ...info, ...query.bytes.slice(0, 28)];
    const sum = icmpSum(body);
    body[2] = sum >> 8;
    body[3] = sum & 255;
    wire.input(packet({ protocol: IpProto.ICMP, body }));
    assertEquals(k.getopt(so, Sol.SOCKET, So.ERROR), errno, `type ${type} code ${code}`);
  }
  wire.end(so);
});

function icmpSum(body: number[]): number {
  let sum = 0;
  for (let i = 0; i < body.length; i += 2) sum += (body[i] << 8) | (body[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

Deno.test("SO_TIMESTAMPNS tells when a datagram came in", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  k.bind(so, HERE, 5000);
  const base = { sport: 7, dport: 5000, data: "x" };
  wire.udp(base);
  assertEquals(k.recv(so).tstamp, 0);
  k.setopt(so, Sol.SOCKET, So.TIMESTAMPNS, 1);
  const came = k.now;
  wire.udp(base);
  k.advance(5_000_000);
  assertEquals(k.recv(so).tstamp, came);
  wire.end(so);
});
