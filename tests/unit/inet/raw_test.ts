/** Raw IP sockets: what they receive, and what leaves with a header of the program's own. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt, RawOpt, Shut, Sock } from "../../../assembly/abi/socket.ts";
import { checksum, HERE, packet, THERE, Wire } from "./wire.ts";

/** A protocol number that nobody has. */
const PROTOCOL = 200;

function raw(wire: Wire, protocol: number): number {
  return wire.k.socket(Sock.RAW, protocol);
}

Deno.test("a raw socket receives whole packets of its protocol, and only those", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const [mine, other, every] = [PROTOCOL, PROTOCOL + 1, 0].map((p) => raw(wire, p));
  const sent = packet({ protocol: PROTOCOL, body: [1, 2, 3] });
  assertEquals(wire.input(sent), Fate.RAW_DELIVERED);
  for (const so of [mine, every]) {
    const got = k.recv(so);
    assertEquals(got.data, sent);
    assertEquals(got.from, { ip: THERE, port: 0, family: 2 });
  }
  assertEquals(k.recv(other).n, -Errno.EAGAIN);
  assertEquals(wire.sent(), []);
  wire.end(mine, other, every);
});

Deno.test("without a raw socket the protocol is unreachable", async () => {
  const wire = await Wire.attach();
  const fate = wire.input(packet({ protocol: PROTOCOL, body: [1, 2, 3] }));
  assertEquals(fate, Fate.IP_PROTOCOL_UNKNOWN);
  assertEquals(wire.sent().map((p) => [...p.body.slice(0, 2)]), [[3, 2]]);
  wire.end();
});

Deno.test("bind and connect are filters; a deaf socket is no unreachable protocol", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = raw(wire, PROTOCOL);
  assertEquals(k.bind(so, "10.9.9.9", 0), -Errno.EADDRNOTAVAIL);
  assertEquals(k.bind(so, HERE, 0), 0);
  assertEquals(k.connect(so, THERE, 0), 0);
  const from = (src: string, dst = HERE) =>
    wire.input(packet({ src, dst, protocol: PROTOCOL, body: [1] }));
  assertEquals(from(THERE), Fate.RAW_DELIVERED);
  assertEquals(from("10.0.0.3"), Fate.IP_PROTOCOL_UNKNOWN);
  assertEquals(from(THERE, "10.0.0.255"), Fate.IP_PROTOCOL_UNKNOWN);
  wire.sent();
  assertEquals(k.recv(so).n, 21);
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  k.call("so_shutdown", so, Shut.RD);
  assertEquals(from(THERE), Fate.RAW_DELIVERED);
  assertEquals(wire.sent(), []);
  wire.end(so);
});

Deno.test("sending: header by the stack, from the route's address", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = raw(wire, PROTOCOL);
  assertEquals(k.send(so, "x"), -Errno.EDESTADDRREQ);
  assertEquals(k.send(so, "x", 0, { ip: "9.9.9.9", port: 0 }), -Errno.ENETUNREACH);
  assertEquals(k.send(so, new Uint8Array(65516), 0, { ip: THERE, port: 0 }), -Errno.EMSGSIZE);
  k.setopt(so, IpProto.IP, IpOpt.TTL, 5);
  assertEquals(k.send(so, "abc", 0, { ip: THERE, port: 0 }), 3);
  assertEquals(k.connect(so, THERE, 0), 0);
  assertEquals(k.send(so, "def"), 3);
  const packets = wire.sent();
  assertEquals(packets.map((p) => new TextDecoder().decode(p.body)), ["abc", "def"]);
  assertEquals(packets.map((p) => [p.src, p.dst, p.protocol, p.ttl]), [
    [HERE, THERE, PROTOCOL, 5],
    [HERE, THERE, PROTOCOL, 5],
  ]);
  wire.end(so);
});

Deno.test("IP_HDRINCL: the program's header, with what it left out filled in", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = raw(wire, IpProto.RAW);
  assertEquals(k.getopt(so, IpProto.IP, IpOpt.HDRINCL), 1);
  const given = packet({ src: "0.0.0.0", dst: THERE, protocol: PROTOCOL, ttl: 3, body: [7, 8] });
  given[10] = 0;
  given[11] = 0;
  assertEquals(k.send(so, given, 0, { ip: THERE, port: 0 }), given.length);
  const [left] = wire.sent();
  assertEquals([left.src, left.dst, left.protocol, left.ttl], [HERE, THERE, PROTOCOL, 3]);
  assertEquals([...left.body], [7, 8]);
  const bad = (change: (p: Uint8Array) => void, length = given.length) => {
    const p = given.slice(0, length);
    change(p);
    return k.send(so, p, 0, { ip: THERE, port: 0 });
  };
  assertEquals(bad((p) => (p[0] = 0x65)), -Errno.EINVAL);
  assertEquals(bad((p) => (p[0] = 0x44)), -Errno.EINVAL);
  assertEquals(bad((p) => (p[0] = 0x4f)), -Errno.EINVAL);
  assertEquals(bad(() => {}, 19), -Errno.EINVAL);
  assertEquals(wire.sent(), []);
  wire.end(so);
});

/** An ICMP message to this host. */
function icmp(type: number): Uint8Array {
  const body = [type, 0, 0, 0, 0, 9, 0, 1, 65, 66];
  const sum = checksum(body);
  body[2] = sum >> 8;
  body[3] = sum & 255;
  return packet({ protocol: IpProto.ICMP, body });
}

Deno.test("ICMP: the stack answers echo requests, and raw sockets see all messages", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = raw(wire, IpProto.ICMP);
  assertEquals(wire.input(icmp(8)), Fate.ICMP_ECHO_ANSWERED);
  assertEquals(wire.sent().map((p) => p.body[0]), [0]);
  assertEquals(k.recv(so).data, icmp(8));
  assertEquals(wire.input(icmp(0)), Fate.ICMP_DELIVERED);
  assertEquals(k.recv(so).data, icmp(0));
  const wrong = icmp(0);
  wrong[wrong.length - 1] ^= 1;
  assertEquals(wire.input(wrong), Fate.ICMP_CHECKSUM);
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  wire.end(so);
});

/** Types that are not errors: those have to quote a packet. */
const TYPES = [0, 8, 9, 10, 13, 14, 15, 16, 17, 18, 30, 31, 32, 40];

Deno.test("ICMP_FILTER keeps the types away whose bits are set", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const [so, other] = [raw(wire, IpProto.ICMP), raw(wire, PROTOCOL)];
  const set = (on: number, mask: number) => k.setopt(on, IpProto.RAW, RawOpt.ICMP_FILTER, mask);
  assertEquals(set(other, 1), -Errno.EOPNOTSUPP);
  assertEquals(k.setopt(so, IpProto.RAW, RawOpt.ICMP_FILTER + 1, 0), -Errno.ENOPROTOOPT);
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...TYPES), (mask, type) => {
      assertEquals(set(so, mask), 0);
      assertEquals(k.getopt(so, IpProto.RAW, RawOpt.ICMP_FILTER), mask);
      wire.input(icmp(type));
      wire.sent();
      const blocked = type < 32 && (mask >>> type & 1) === 1;
      assertEquals(k.recv(so).n, blocked ? -Errno.EAGAIN : 30);
    }),
    { seed: 6, numRuns: 200 },
  );
  wire.end(so, other);
});

Deno.test("raw sockets get copies of what the stack takes itself, and it still does", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const sockets = [IpProto.UDP, IpProto.TCP, 0].map((p) => raw(wire, p));
  const [udp, tcp, every] = sockets;
  const user = k.socket(Sock.DGRAM, IpProto.UDP);
  assertEquals(k.bind(user, HERE, 7), 0);
  const datagram = packet({ protocol: IpProto.UDP, body: [0, 9, 0, 7, 0, 9, 0, 0, 65] });
  assertEquals(wire.input(datagram), Fate.UDP_DELIVERED);
  assertEquals([...k.recv(user).data], [65]);
  assertEquals(k.recv(udp).data, datagram);
  assertEquals(k.recv(every).data, datagram);
  assertEquals(k.recv(tcp).n, -Errno.EAGAIN);
  const body = new Array(20).fill(0);
  body[12] = 0x50; // a segment that TCP drops: its checksum is wrong
  const segment = packet({ protocol: IpProto.TCP, body });
  assertEquals(wire.input(segment), Fate.TCP_CHECKSUM);
  assertEquals(k.recv(tcp).data, segment);
  assertEquals(k.recv(every).data, segment);
  for (const so of sockets) k.call("so_close", so);
  assertEquals(wire.input(datagram), Fate.UDP_DELIVERED);
  k.recv(user);
  const again = raw(wire, IpProto.UDP);
  assertEquals(wire.input(datagram), Fate.UDP_DELIVERED);
  assertEquals(k.recv(again).data, datagram);
  wire.end(again, user);
});

Deno.test("who gets a copy: as a plain list of the sockets says", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const protocols = [0, IpProto.UDP, PROTOCOL];
  const one = fc.record({
    protocol: fc.constantFrom(...protocols),
    bound: fc.constantFrom("0.0.0.0", HERE),
    peer: fc.constantFrom("0.0.0.0", THERE, "10.0.0.3"),
  });
  const arriving = fc.record({
    protocol: fc.constantFrom(...protocols.slice(1), PROTOCOL + 1),
    src: fc.constantFrom(THERE, "10.0.0.3"),
    dst: fc.constantFrom(HERE, "10.0.0.255"),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), arriving, (wanted, p) => {
      const sockets = wanted.map(({ protocol, bound, peer }) => {
        const so = raw(wire, protocol);
        if (bound !== "0.0.0.0") assertEquals(k.bind(so, bound, 0), 0);
        if (peer !== "0.0.0.0") assertEquals(k.connect(so, peer, 0), 0);
        return so;
      });
      wire.input(packet({ ...p, body: [0, 9, 0, 99, 0, 8, 0, 0] }));
      wire.sent();
      const got = sockets.map((so) => k.recv(so).n === 28);
      const expected = wanted.map(({ protocol, bound, peer }) =>
        (protocol === 0 || protocol === p.protocol) &&
        (bound === "0.0.0.0" || bound === p.dst) && (peer === "0.0.0.0" || peer === p.src)
      );
      for (const so of sockets) k.call("so_close", so);
      assertEquals(got, expected);
    }),
    { seed: 3, numRuns: 150 },
  );
  wire.end();
});
