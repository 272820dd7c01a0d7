/** Requirements of RFC 9293 for what stands on the wire that no other test is about. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Shut, TcpOpt } from "../../assembly/abi/socket.ts";
import { Fate } from "../../assembly/abi/fate.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, pattern, PEER, PEER_ISN } from "./harness.ts";
import { checksum, encode, type Segment } from "./segment.ts";
import { connecting, established } from "./shake.ts";

const SECOND = 1_000_000;

/** Every packet that a connection sends in a life of all kinds of segments. */
async function life(): Promise<Uint8Array[]> {
  const host = await Host.boot();
  const packets: Uint8Array[] = [];
  const take = () => packets.push(...host.wire.map(({ packet }) => packet));
  const c = await established({ sackOk: true, ts: true, wscale: 3 }, host);
  c.write(pattern(5000));
  take();
  c.send({ ack: 1461 });
  c.send({ seq: 2000, data: pattern(100), ack: 1461 });
  c.send({ seq: 9000, data: pattern(100), ack: 1461 });
  host.advance(3 * SECOND);
  take();
  c.shutdown(Shut.WR);
  take();
  const listener = host.listen(8080);
  const d = new Conn(host, 8080, 40001);
  d.send({ flags: "S", mss: 1460, sackOk: true, ts: [1, 0], wscale: 0 });
  d.send({ flags: "A", seq: 77, ack: 99 });
  take();
  host.close(listener);
  c.end();
  assert(packets.length > 10);
  return packets;
}

/** The options of a packet: kind, length and bytes, and what stands behind the end of the list. */
function optionsOf(packet: Uint8Array): { kind: number; length: number; at: number }[] {
  const tcp = packet.subarray(20);
  const end = (tcp[12] >> 4) * 4;
  const found = [];
  for (let i = 20; i < end;) {
    const length = tcp[i] < 2 ? 1 : tcp[i + 1];
    found.push({ kind: tcp[i], length, at: i });
    i += length;
    assert(i <= end, "an option ends within the header");
  }
  return found;
}

/** Flags of a packet. */
function flagsOf(packet: Uint8Array): number {
  return packet[33];
}

/** A segment of the peer in an IP packet with options, of whole words. */
function withIpOptions(packet: Uint8Array, options: readonly number[]): Uint8Array {
  const whole = Uint8Array.of(...packet.subarray(0, 20), ...options, ...packet.subarray(20));
  const header = whole.subarray(0, 20 + options.length);
  const view = new DataView(whole.buffer);
  header[0] = 0x40 | (header.length / 4);
  view.setUint16(2, whole.length);
  view.setUint16(10, 0);
  view.setUint16(10, ~checksum(header) & 0xffff);
  return whole;
}

Deno.test("MUST-1, REC-1: the window is unsigned, and counts 32 bits", async () => {
  const c = await established({
    host: { tcp: { initial_cwnd_segments: 100 } },
    win: 60_000,
    sndbuf: 1 << 20,
  });
  c.write(pattern(100_000));
  const bytes = c.takeAll().reduce((sum, s) => sum + s.data.length, 0);
  assert(bytes > 32_768 && bytes <= 60_000, `${bytes}`);
  c.end();
  const wide = await established({ wscale: 14, win: 65_535 });
  wide.send({});
  assertEquals(wide.tcb("snd_wnd"), 65_535 * 2 ** 14);
  wide.end();
});

Deno.test("MUST-2: every segment has the checksum of header, data and pseudo header", async () => {
  for (const packet of await life()) {
    const tcp = packet.subarray(20);
    const pseudo = checksum(packet.subarray(12, 20)) + 6 + tcp.length;
    assertEquals(checksum(tcp, pseudo), 0xffff);
    const damaged = tcp.slice();
    damaged[4] ^= 1;
    assert(checksum(damaged, pseudo) !== 0xffff);
  }
});

// MUST-4, MUST-14, MUST-64
Deno.test("MSS behind no operation, at any octet, before the end of the list", async () => {
  const lists = [
    [2, 4, 1000 >> 8, 1000 & 255],
    [1, 2, 4, 1000 >> 8, 1000 & 255, 0, 0, 0],
    [1, 1, 1, 2, 4, 1000 >> 8, 1000 & 255, 0],
    [254, 3, 7, 2, 4, 1000 >> 8, 1000 & 255, 1],
    [2, 4, 1000 >> 8, 1000 & 255, 0, 2, 4, 5],
  ];
  for (const list of lists) {
    const c = await connecting();
    c.send({ flags: "SA", ack: 1, rawOptions: Uint8Array.from(list) });
    c.expect({ flags: "A" });
    c.write(pattern(3000));
    c.expect({ len: 1000 });
    c.end();
  }
});

Deno.test("MUST-5: options are taken from data, FIN and RST", async () => {
  const unknown = Uint8Array.of(253, 6, 1, 2, 3, 4, 1, 0);
  const c = await established();
  c.send({ data: "abc", rawOptions: unknown });
  assertEquals(c.read(), "abc");
  c.send({ flags: "FA", data: "d", rawOptions: unknown });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  c.send({ flags: "R", rawOptions: unknown });
  assertEquals(c.state(), TcpState.CLOSED);
  c.end();
});

Deno.test("MUST-14, SHLD-5: SYN and SYN-ACK announce our MSS, also the default", async () => {
  for (const mtu of [576, 1400, 1500]) {
    const c = await connecting({ host: { mtu } });
    c.host.advance(SECOND);
    c.expect({ flags: "S", mss: mtu - 40 });
    const listener = c.host.listen(8080);
    const d = new Conn(c.host, 8080, 40001);
    d.send({ flags: "S" });
    d.expect({ flags: "SA", mss: mtu - 40 });
    c.end(listener);
  }
});

Deno.test("MUST-68, MUST-69: all our options have lengths, and no list ends early", async () => {
  for (const packet of await life()) {
    for (const { kind, length } of optionsOf(packet)) {
      assert(kind !== 0, "the header ends with the options");
      assert(kind === 1 || length >= 2, `option ${kind} of length ${length}`);
    }
  }
});

Deno.test("MUST-65: the MSS option stands in SYNs alone", async () => {
  const packets = await life();
  for (const packet of packets) {
    const has = optionsOf(packet).some(({ kind }) => kind === 2);
    assertEquals(has, (flagsOf(packet) & 2) !== 0);
  }
});

Deno.test("MUST-45: a connection keeps its address, whatever the interface gets", async () => {
  const c = await established();
  c.host.addAddress("192.168.0.9");
  c.write("abc");
  assertEquals(c.expect({ data: "abc" }).src, c.host.ip);
  c.host.advance(SECOND);
  assertEquals(c.expect({ data: "abc" }).src, c.host.ip);
  c.end();
});

Deno.test("MUST-50: IP options do not matter to TCP", async () => {
  const c = await established();
  for (const options of [[1, 1, 1, 1], [148, 4, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0]]) {
    c.host.input(withIpOptions(c.packet({ data: "abc" }), options));
    assertEquals(c.read(), "abc");
  }
  c.end();
});

Deno.test("MUST-57: a SYN to a broadcast or group address is dropped silently", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  const syn: Segment = {
    src: PEER,
    dst: host.ip,
    sport: 40000,
    dport: 80,
    seq: PEER_ISN,
    ack: 0,
    flags: "S",
    win: 65535,
    up: 0,
    data: new Uint8Array(0),
  };
  for (const dst of ["192.168.255.255", "224.0.0.1", "255.255.255.255"]) {
    host.input(encode({ ...syn, dst }));
    assertEquals(host.wire.length, 0, dst);
  }
  assertEquals(host.call("last_fate"), Fate.TCP_BROADCAST);
  host.input(encode(syn));
  assertEquals(host.wire.length, 1);
  host.end(listener);
});

Deno.test("MUST-63: a SYN from an address that no host has is ignored", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  for (const src of ["127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.1"]) {
    const c = new Conn(host, 80, 40000);
    const packet = c.packet({ flags: "S", mss: 1460 });
    packet.set(src.split(".").map(Number), 12);
    const view = new DataView(packet.buffer);
    view.setUint16(10, 0);
    view.setUint16(10, ~checksum(packet.subarray(0, 20)) & 0xffff);
    host.input(packet);
    assertEquals(host.call("last_fate"), Fate.IP_SOURCE_INVALID, src);
    assertEquals(host.wire.length, 0);
  }
  host.end(listener);
});

Deno.test("SHLD-2: a reset may carry data", async () => {
  const c = await established();
  c.send({ flags: "RA", data: "why" });
  assertEquals(c.state(), TcpState.CLOSED);
  c.readFails(Errno.ECONNRESET);
  c.end();
});

Deno.test("MUST-60: what is corked leaves all the same after a while", async () => {
  const c = await established({ options: [[IpProto.TCP, TcpOpt.CORK, 1]] });
  c.write("abc");
  c.silent();
  c.expectWithin(2 * SECOND, { data: "abc", flags: "PA" });
  c.end();
});

Deno.test("MUST-61, SHLD-27: PSH stands where the queue ends, pushes are joined", async () => {
  for (const push_writes of [0, 1]) {
    const c = await established({ host: { tcp: { push_writes } } });
    c.write(pattern(2920));
    const flags = c.takeAll().map((s) => s.flags);
    assertEquals(flags.at(-1), "PA");
    for (const text of ["a", "b", "c"]) c.write(text);
    c.silent();
    c.send({});
    c.expect({ data: "abc", flags: "PA" });
    c.end();
  }
});

Deno.test("SHLD-28: while there is enough, segments are full", async () => {
  const c = await established({ sndbuf: 1 << 18 });
  for (let i = 0; i < 50; i++) c.write(pattern(777, i * 777));
  let sent = 0;
  for (let round = 0; sent < 50 * 777 && round < 40; round++) {
    const segments = c.takeAll();
    sent += segments.reduce((sum, s) => sum + s.data.length, 0);
    const short = segments.filter((s) => s.data.length < 1460);
    assert(short.length <= (round === 0 ? 1 : sent === 50 * 777 ? 1 : 0), `round ${round}`);
    c.send({});
  }
  assertEquals(sent, 50 * 777);
  c.end();
});
