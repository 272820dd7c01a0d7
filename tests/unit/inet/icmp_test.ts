/** ICMP: echo, errors sent and not sent, errors received, rate limits. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Iff, Medium } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { bytes, icmp, ip4, type Ip4Fields, readIcmp, readIp4, u16, udp } from "../net/frames.ts";
import { Host } from "../net/host.ts";

const HOST = "10.0.0.1";
const OTHER = "10.0.0.2";

/** A host on a bare IP link that has broadcasts and groups, so that no ARP is in the way. */
function ipHost(): { host: Host; port: number } {
  const host = new Host();
  const port = host.attach({ medium: Medium.IP, flags: Iff.BROADCAST | Iff.MULTICAST });
  host.address(port, "10.0.0.1/24");
  host.advance(1_000_000);
  host.output(port);
  return { host, port };
}

function message(payload: ArrayLike<number>, more: Partial<Ip4Fields> = {}): Uint8Array {
  return ip4({ src: OTHER, dst: HOST, proto: IpProto.ICMP, payload, ...more });
}

Deno.test("icmp: an echo request of any length is answered with what it brought", () => {
  for (const size of [0, 1, 7, 56, 1472]) {
    const { host, port } = ipHost();
    const data = Uint8Array.from({ length: size }, (_, i) => i * 3);
    const request = message(icmp(8, 0, 0x12345678, data), { tos: 0x22 });
    assertEquals(host.input(port, request), ["ICMP_ECHO_ANSWERED"]);
    const [reply] = host.output(port).map(readIp4);
    assertEquals([reply.src, reply.dst, reply.ttl, reply.tos], [HOST, OTHER, 64, 0x20]);
    assertEquals(readIcmp(reply.payload), { type: 0, code: 0, rest: 0x12345678, data });
  }
});

Deno.test("icmp: an echo request in fragments is answered in fragments", () => {
  const { host, port } = ipHost();
  const data = Uint8Array.from({ length: 65_000 }, (_, i) => i * 5 + (i >> 9));
  const whole = icmp(8, 0, 7, data);
  const fates: string[] = [];
  for (let offset = 0; offset < whole.length; offset += 1480) {
    const payload = whole.subarray(offset, offset + 1480);
    const more = offset + 1480 < whole.length;
    fates.push(...host.input(port, message(payload, { offset, more, id: 77 })));
  }
  assertEquals(fates.length, 44);
  assertEquals(fates.filter((f) => f === "IP_FRAGMENT_HELD").length, 43);
  assertEquals(fates.at(-1), "ICMP_ECHO_ANSWERED");
  const parts = host.output(port).map(readIp4);
  assertEquals(parts.length, 44);
  const { type, data: back } = readIcmp(bytes(...parts.map((p) => p.payload)));
  assertEquals(type, 0);
  assertEquals(back, data);
});

Deno.test("icmp: requests that a host does not answer", () => {
  const { host, port } = ipHost();
  const echo = icmp(8, 0, 1);
  const wrong = echo.slice();
  wrong[2] ^= 1;
  const cases: [string, Uint8Array, string][] = [
    ["to the subnet", message(echo, { dst: "10.0.0.255" }), "ICMP_BROADCAST"],
    ["to all", message(echo, { dst: "255.255.255.255" }), "ICMP_BROADCAST"],
    ["to all hosts", message(echo, { dst: "224.0.0.1" }), "ICMP_BROADCAST"],
    ["checksum", message(wrong), "ICMP_CHECKSUM"],
    ["7 bytes", message(echo.slice(0, 7)), "ICMP_SHORT"],
    ["empty", message([]), "ICMP_SHORT"],
    ["timestamp", message(icmp(13, 0, 1, new Uint8Array(12))), "ICMP_TYPE_UNKNOWN"],
    ["address mask", message(icmp(17, 0, 1, new Uint8Array(4))), "ICMP_TYPE_UNKNOWN"],
    ["type 200", message(icmp(200, 0, 1)), "ICMP_TYPE_UNKNOWN"],
    ["a reply nobody waits for", message(icmp(0, 0, 1)), "ICMP_TYPE_UNKNOWN"],
  ];
  for (const [name, packet, fate] of cases) {
    assertEquals(host.input(port, packet), [fate], name);
    assertEquals(host.output(port), [], name);
  }
});

Deno.test("icmp: echo replies have a rate limit that recovers", () => {
  const { host, port } = ipHost();
  const request = message(icmp(8, 0, 1));
  let answered = 0;
  for (let i = 0; i < 1100; i++) {
    const [fate] = host.input(port, request);
    if (fate === "ICMP_ECHO_ANSWERED") answered++;
    else assertEquals(fate, "ICMP_RATE_LIMITED");
    host.output(port);
  }
  assertEquals(answered, 1000);
  host.advance(100_000);
  assertEquals(host.input(port, request), ["ICMP_ECHO_ANSWERED"]);
});

/** A datagram to a port where nobody is. */
function strange(more: Partial<Ip4Fields> = {}): Uint8Array {
  const [src, dst] = [more.src ?? OTHER, more.dst ?? HOST];
  return ip4({ src, dst, proto: 17, payload: udp(src, dst, 9, 999, bytes(1)), ...more });
}

Deno.test("icmp: port and protocol unreachable quote the packet", () => {
  const { host, port } = ipHost();
  const large = udp(OTHER, HOST, 9, 999, new Uint8Array(1000));
  const cases: [Uint8Array, number, number][] = [
    [strange(), 3, 29],
    [strange({ payload: large }), 3, 548],
    [strange({ options: [1, 1, 1, 0] }), 3, 33],
    [ip4({ src: OTHER, dst: HOST, proto: 200, payload: bytes(1, 2) }), 2, 22],
  ];
  for (const [packet, code, quoted] of cases) {
    host.input(port, packet);
    const [error] = host.output(port).map(readIp4);
    assertEquals([error.src, error.dst], [HOST, OTHER]);
    const read = readIcmp(error.payload);
    assertEquals([read.type, read.code, read.rest], [3, code, 0]);
    assertEquals(read.data, packet.subarray(0, quoted));
  }
});

Deno.test("icmp: no error about broadcasts, groups, fragments and errors (RFC 1122 3.2.2)", () => {
  const { host, port } = ipHost();
  const quoted = strange({ src: HOST, dst: OTHER });
  const odd = ip4({ src: OTHER, dst: HOST, proto: 200, options: [131, 1, 0, 0] });
  const cases: [string, Uint8Array][] = [
    ["to the subnet", strange({ dst: "10.0.0.255" })],
    ["to all", strange({ dst: "255.255.255.255" })],
    ["to all hosts", strange({ dst: "224.0.0.1" })],
    ["from nobody", strange({ src: "0.0.0.0", dst: "255.255.255.255" })],
    ["about an error", message(icmp(3, 1, 0, quoted), { options: [7, 0, 0, 0] })],
    ["about a later fragment", strange({ offset: 8, options: [7, 0, 0, 0] })],
  ];
  for (const [name, packet] of cases) {
    host.input(port, packet);
    assertEquals(host.output(port), [], name);
  }
  host.input(port, odd);
  assertEquals(host.output(port).length, 1, "while an ordinary packet with bad options gets one");
  assertEquals(host.stat(Stat.ICMP_ERRORS_SUPPRESSED) > 0, true);
});

Deno.test("icmp: errors have a rate limit (RFC 1812 4.3.2.8)", () => {
  const { host, port } = ipHost();
  for (let i = 0; i < 150; i++) host.input(port, strange());
  assertEquals(host.output(port).length, 100);
  assertEquals(host.stat(Stat.ICMP_ERRORS_LIMITED), 50);
  host.advance(1_000_000);
  host.input(port, strange());
  assertEquals(host.output(port).length, 1);
});

Deno.test("icmp: an error about a datagram of ours reaches its socket", () => {
  const { host, port } = ipHost();
  const codes: [number, number, number][] = [
    [3, 3, Errno.ECONNREFUSED],
    [3, 1, Errno.EHOSTUNREACH],
  ];
  for (const [type, code, errno] of codes) {
    const so = host.udp(0);
    assertEquals(host.connect(so, OTHER, 9), 0);
    host.send(so, bytes(1));
    const [sent] = host.output(port);
    const error = message(icmp(type, code, 0, sent.subarray(0, 28)), { src: "10.0.0.77" });
    assertEquals(host.input(port, error), ["ICMP_DELIVERED"]);
    assertEquals(host.recv(so), -errno);
    assertEquals(host.recv(so), -Errno.EAGAIN, "once");
  }
});

Deno.test("icmp: an error whose quote cannot be ours is dropped (RFC 5927)", () => {
  const { host, port } = ipHost();
  const ours = strange({ src: HOST, dst: OTHER });
  const error = (quote: ArrayLike<number>) => message(icmp(3, 3, 0, quote));
  const cases: [string, Uint8Array, string][] = [
    ["no quote", error([]), "ICMP_QUOTE_INVALID"],
    ["27 bytes", error(ours.subarray(0, 27)), "ICMP_QUOTE_INVALID"],
    ["not from us", error(strange({ src: "10.0.0.9", dst: OTHER })), "ICMP_QUOTE_INVALID"],
    ["version 5", error(strange({ src: HOST, version: 5 })), "ICMP_QUOTE_INVALID"],
    ["IHL 4", error(strange({ src: HOST, ihl: 4 })), "ICMP_QUOTE_INVALID"],
    ["IHL beyond", error(strange({ src: HOST, ihl: 15 })), "ICMP_QUOTE_INVALID"],
    ["later fragment", error(strange({ src: HOST, offset: 8 })), "ICMP_QUOTE_INVALID"],
    ["to a broadcast", message(icmp(3, 3, 0, ours), { dst: "10.0.0.255" }), "ICMP_BROADCAST"],
    ["unknown code", message(icmp(3, 99, 0, ours)), "ICMP_TYPE_UNKNOWN"],
    ["source quench (RFC 6633)", message(icmp(4, 0, 0, ours)), "ICMP_TYPE_UNKNOWN"],
    ["redirect", message(icmp(5, 1, 0x0a000063, ours)), "ICMP_TYPE_UNKNOWN"],
    ["time exceeded, code 9", message(icmp(11, 9, 0, ours)), "ICMP_TYPE_UNKNOWN"],
    ["fine", error(ours), "ICMP_DELIVERED"],
  ];
  for (const [name, packet, fate] of cases) {
    assertEquals(host.input(port, packet), [fate], name);
    assertEquals(host.output(port), [], name);
  }
  assertEquals(host.lookup(OTHER)?.gateway, 0, "a redirect changes no route");
});

Deno.test("icmp: raw sockets see replies, and echo requests that the stack answers", () => {
  const { host, port } = ipHost();
  const so = host.socket(Sock.RAW, IpProto.ICMP);
  assertEquals(host.send(so, icmp(8, 0, 5, bytes(1, 2, 3)), OTHER), 11);
  const [request] = host.output(port).map(readIp4);
  assertEquals([request.proto, request.dst], [1, OTHER]);
  assertEquals(readIcmp(request.payload).type, 8);
  const reply = message(icmp(0, 0, 5, bytes(1, 2, 3)));
  assertEquals(host.input(port, reply), ["ICMP_DELIVERED"]);
  const got = host.recv(so);
  assertEquals(typeof got !== "number" && [got.from, got.data.length], [OTHER, reply.length]);
  const asked = message(icmp(8, 0, 5));
  assertEquals(host.input(port, asked), ["ICMP_ECHO_ANSWERED"]);
  const seen = host.recv(so);
  assertEquals(typeof seen !== "number" && seen.data.length, asked.length);
  const exceeded = message(
    icmp(11, 0, 0, ip4({ src: HOST, dst: OTHER, proto: 1, payload: u16(8) })),
  );
  assertEquals(host.input(port, exceeded), ["ICMP_QUOTE_INVALID"], "quotes 2 bytes");
});

Deno.test("icmp: a raw socket for an unknown protocol takes its packets", () => {
  const { host, port } = ipHost();
  const so = host.socket(Sock.RAW, 200);
  const packet = ip4({ src: OTHER, dst: HOST, proto: 200, payload: bytes(1, 2) });
  assertEquals(host.input(port, packet), ["RAW_DELIVERED"]);
  assertEquals(host.output(port), []);
  const got = host.recv(so);
  assertEquals(typeof got !== "number" && got.data.slice(20), bytes(1, 2));
});

Deno.test("icmp: a host pings itself", () => {
  const { host } = ipHost();
  const so = host.socket(Sock.RAW, IpProto.ICMP);
  for (const dst of ["127.0.0.1", HOST]) {
    host.send(so, icmp(8, 0, 5, bytes(9)), dst);
    assertEquals(host.pollFates().sort(), ["ICMP_DELIVERED", "ICMP_ECHO_ANSWERED"], dst);
    for (const type of [8, 0]) {
      const got = host.recv(so);
      assertEquals(typeof got !== "number" && [got.from, got.data[20]], [dst, type]);
    }
  }
});
