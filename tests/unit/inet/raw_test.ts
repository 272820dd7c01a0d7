/** Raw IP sockets: what they receive, and what leaves with a header of the program's own. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt, Shut, Sock } from "../../../assembly/abi/socket.ts";
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

Deno.test("ICMP: echo requests are the stack's, replies are the socket's", async () => {
  const wire = await Wire.attach();
  const { k } = wire;
  const so = raw(wire, IpProto.ICMP);
  const echo = (type: number) => {
    const body = [type, 0, 0, 0, 0, 9, 0, 1, 65, 66];
    const sum = checksum(body);
    body[2] = sum >> 8;
    body[3] = sum & 255;
    return packet({ protocol: IpProto.ICMP, body });
  };
  assertEquals(wire.input(echo(8)), Fate.ICMP_ECHO_ANSWERED);
  assertEquals(wire.sent().map((p) => p.body[0]), [0]);
  assertEquals(k.recv(so).n, -Errno.EAGAIN);
  assertEquals(wire.input(echo(0)), Fate.ICMP_DELIVERED);
  assertEquals(k.recv(so).data, echo(0));
  wire.end(so);
});
