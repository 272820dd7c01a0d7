/** UDP on the wire, byte by byte; broadcast and groups; ICMP errors (RFC 768, RFC 1122 4.1). */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Pmtud, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { checksum, datagram, HERE, ip, packet, THERE, Wire } from "./wire.ts";

function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

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

Deno.test("sending to a group: TTL 1, and a copy for members here, by default", async () => {
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
    const sum = checksum(body);
    body[2] = sum >> 8;
    body[3] = sum & 255;
    wire.input(packet({ protocol: IpProto.ICMP, body }));
    assertEquals(k.getopt(so, Sol.SOCKET, So.ERROR), errno, `type ${type} code ${code}`);
  }
  wire.end(so);
});

Deno.test("a socket that forbids fragments learns the MTU of its path (RFC 1191 6.5)", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = k.socket(Sock.DGRAM);
  const at = k.place();
  const unconnected = k.call("so_getopt", so, IpProto.IP, IpOpt.MTU, at, 4);
  assertEquals(unconnected, -Errno.ENOTCONN);
  k.connect(so, THERE, 53);
  /** A router says that the path takes no more than 800 bytes. */
  const tooLarge = () => {
    k.send(so, "query");
    const [query] = wire.sent();
    const body = [3, 4, 0, 0, 0, 0, 0x03, 0x20, ...query.bytes.slice(0, 28)];
    const sum = checksum(body);
    body[2] = sum >> 8;
    body[3] = sum & 255;
    wire.input(packet({ protocol: IpProto.ICMP, body }));
    assertEquals(k.getopt(so, Sol.SOCKET, So.ERROR), Errno.EMSGSIZE);
  };
  const before = k.getopt(so, IpProto.IP, IpOpt.MTU);
  tooLarge();
  assertEquals(k.getopt(so, IpProto.IP, IpOpt.MTU), before, "its packets may be cut");
  k.setopt(so, IpProto.IP, IpOpt.MTU_DISCOVER, Pmtud.DO);
  tooLarge();
  assertEquals(k.getopt(so, IpProto.IP, IpOpt.MTU), 800);
  assertEquals(k.send(so, new Uint8Array(773)), -Errno.EMSGSIZE);
  assertEquals(k.send(so, new Uint8Array(772)), 772);
  assertEquals(k.setopt(so, IpProto.IP, IpOpt.MTU, 1000), -Errno.ENOPROTOOPT);
  wire.sent();
  wire.end(so);
});

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
