/** Frames with a virtio_net_hdr on their way in: what it says is used, and not believed blindly. */

import { assert, assertEquals } from "@std/assert";
import { IfCap, Medium } from "../../../assembly/abi/ifnet.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { Ifnet } from "../../../runtime/wasm/layout.gen.ts";
import { bytes, checksum, ether, ip4, readIp4, u32, udp } from "./frames.ts";
import { Host, OWN, PEER, toHost } from "./host.ts";
import { Vnet, type VnetFields, withHeader } from "./vnet.ts";

const SECOND_US = 1_000_000;
/** Where the UDP header stands in a frame, and its checksum in that. */
const UDP = { start: 34, offset: 6 };
const PORT = 99;

/** A host whose interface has frames with the header, 10.0.0.1/24. */
function vnetHost(boot = {}): { host: Host; port: number; so: number } {
  const host = new Host(boot);
  const port = host.attach({ name: "eth0", caps: IfCap.VNET_HDR });
  assertEquals(host.address(port, "10.0.0.1/24"), 0);
  const so = host.udp(PORT);
  host.advance(10 * SECOND_US);
  host.output(port);
  return { host, port, so };
}

/** A frame with a datagram. */
function datagram(data: Uint8Array, change: (udp: Uint8Array) => void = () => {}): Uint8Array {
  const payload = udp("10.0.0.2", "10.0.0.1", 7, PORT, data);
  change(payload);
  return toHost(ip4({ src: "10.0.0.2", dst: "10.0.0.1", proto: 17, payload }));
}

/** The checksum field as a sender leaves it to a device: the sum of the pseudo-header. */
function half(payload: Uint8Array): void {
  const length = [payload.length >> 8, payload.length & 255];
  const sum = ~checksum(bytes([10, 0, 0, 2], [10, 0, 0, 1], 0, 17, length)) & 0xffff;
  payload.set([sum >> 8, sum & 255], 6);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

/** All messages that wait. */
function received(host: Host, so: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (;;) {
    const message = host.recv(so);
    if (typeof message === "number") return all;
    all.push(message.data);
  }
}

const data = pattern(3000);
const needs: VnetFields = { flags: Vnet.NEEDS_CSUM, ...UDP };
const cut: VnetFields = { ...needs, type: Vnet.UDP_L4, size: 1000 };
const spoil = (payload: Uint8Array) => void (payload[6] ^= 1);
const without = (payload: Uint8Array) => payload.fill(0, 6, 8);

const CASES: readonly (readonly [string, VnetFields, Uint8Array, string[]])[] = [
  ["an empty header", {}, datagram(data.slice(0, 900)), ["UDP_DELIVERED"]],
  ["a wrong checksum", {}, datagram(data.slice(0, 900), spoil), ["UDP_CHECKSUM"]],
  ["verified by the device", { flags: Vnet.DATA_VALID }, datagram(data.slice(0, 900), spoil), [
    "UDP_DELIVERED",
  ]],
  ["a checksum left to us", needs, datagram(data.slice(0, 900), half), ["UDP_DELIVERED"]],
  ["left to us, at no transport's place", { ...needs, start: 35 }, datagram(data.slice(0, 900)), [
    "UDP_CHECKSUM",
  ]],
  ["left to us beyond the frame", { ...needs, offset: 65535 }, datagram(data), ["VNET_INVALID"]],
  ["a start beyond the frame", { ...needs, start: 65535 }, datagram(data), ["VNET_INVALID"]],
  ["three datagrams", cut, datagram(data, half), Array(3).fill("UDP_DELIVERED")],
  [
    "three with a checksum of all",
    { ...cut, flags: 0 },
    datagram(data),
    Array(3).fill(
      "UDP_DELIVERED",
    ),
  ],
  ["three with a wrong one", { ...cut, flags: 0 }, datagram(data, spoil), ["UDP_CHECKSUM"]],
  ["three without", { ...cut, flags: 0 }, datagram(data, without), Array(3).fill("UDP_DELIVERED")],
  ["as large as one", { ...cut, size: 3000 }, datagram(data, half), ["FRAME_TOO_LONG"]],
  ["pieces that are too large", { ...cut, size: 1500 }, datagram(data, half), [
    "FRAME_TOO_LONG",
    "FRAME_TOO_LONG",
  ]],
  ["pieces of no size", { ...cut, size: 0 }, datagram(data, half), ["VNET_INVALID"]],
  ["more pieces than there can be", { ...cut, size: 1 }, datagram(data, half), ["VNET_INVALID"]],
  [
    "one datagram of many fragments",
    { ...needs, type: Vnet.UDP, size: 1480 },
    datagram(
      data,
      half,
    ),
    ["UDP_DELIVERED"],
  ],
  ["TCP that is UDP", { ...needs, type: Vnet.TCPV4, size: 1000 }, datagram(data, half), [
    "VNET_INVALID",
  ]],
  ["a type there is not", { ...needs, type: 2, size: 1000 }, datagram(data, half), [
    "VNET_INVALID",
  ]],
  ["too long without a type", needs, datagram(data, half), ["FRAME_TOO_LONG"]],
  ["IPv6", { type: Vnet.TCPV6, size: 1000 }, ether(OWN, PEER, 0x86dd, pattern(900)), [
    "ETHER_TYPE_UNKNOWN",
  ]],
];

for (const [name, fields, frame, fates] of CASES) {
  Deno.test(`vnet: ${name}`, () => {
    const { host, port, so } = vnetHost();
    const mbufs = host.mbufs();
    const before = host.count(port, "ipackets");
    assertEquals(host.input(port, withHeader(fields, frame)), fates);
    assertEquals(host.count(port, "ipackets") - before, fates.length);
    const want = fates.filter((fate) => fate === "UDP_DELIVERED").length;
    const got = received(host, so);
    assertEquals(got.length, want);
    assertEquals(bytes(...got), data.slice(0, bytes(...got).length));
    assertEquals(host.mbufs(), mbufs);
  });
}

Deno.test("vnet: a frame that is shorter than the header", () => {
  const { host, port } = vnetHost();
  for (let n = 1; n <= 10; n++) {
    assertEquals(host.input(port, new Uint8Array(n)), ["VNET_INVALID"]);
  }
  assertEquals(host.input(port, new Uint8Array(11)), ["ETHER_SHORT"]);
  assertEquals(host.count(port, "ierrors"), 10);
});

/** A segment to another network, with CWR, PSH and FIN, and 3000 bytes. */
function strangers(): Uint8Array {
  const tcp = new Uint8Array(20 + data.length);
  tcp.set([0, 7, 0, 9, 0, 0, 1, 0, 0, 0, 0, 5, 0x50, 0x99, 255, 255]);
  tcp.set(data, 20);
  const length = [tcp.length >> 8, tcp.length & 255];
  const sum = ~checksum(bytes([10, 0, 0, 2], [10, 1, 0, 2], 0, 6, length)) & 0xffff;
  tcp.set([sum >> 8, sum & 255], 16);
  return ip4({ src: "10.0.0.2", dst: "10.1.0.2", proto: 6, payload: tcp, df: true, id: 70 });
}

Deno.test("vnet: what is sent on is cut to what it stands for, and its checksums made", () => {
  const { host, port } = vnetHost();
  const far = host.attach({ name: "tun0", medium: Medium.IP });
  assertEquals(host.address(far, "10.1.0.1/24"), 0);
  host.call.ip_forwarding(1);
  const fields = { flags: Vnet.NEEDS_CSUM, type: Vnet.TCPV4 | Vnet.ECN, size: 1400 };
  const frame = withHeader({ ...fields, start: 34, offset: 16 }, toHost(strangers()));
  assertEquals(host.input(port, frame), Array(3).fill("IP_FORWARDED"));
  const packets = host.output(far).map(readIp4);
  assertEquals(packets.map(({ id }) => id), [70, 71, 72]);
  assertEquals(packets.map(({ payload }) => payload[13]), [0x90, 0x10, 0x19], "control bits");
  let at = 0;
  for (const { payload } of packets) {
    assertEquals(payload.slice(4, 8), bytes(u32(256 + at)), "sequence number");
    const length = [payload.length >> 8, payload.length & 255];
    assertEquals(checksum(bytes([10, 0, 0, 2], [10, 1, 0, 2], 0, 6, length, payload)), 0);
    assertEquals(payload.slice(20), data.slice(at, at + 1400));
    at += 1400;
  }
  // without a checksum to make, the one that is there must be right
  assertEquals(host.input(port, withHeader({ ...fields, flags: 0 }, toHost(strangers()))), [
    "TCP_CHECKSUM",
  ]);
});

Deno.test("vnet: frames wait in the device while mbufs are short", () => {
  const { host, port, so } = vnetHost({ mbufs_cluster: 200 });
  assertEquals(host.call.if_rx_prepare(port, 64), 5, "175 clusters hold 5 frames of 64 KiB");
  const held: number[] = [];
  while (host.call.if_rx_prepare(port, 64) > 0) held.push(host.call.probe_mbuf_getcl(1));
  assertEquals(held.length, 175);
  for (const m of held) host.call.probe_mbuf_freem(m);
  assertEquals(host.call.if_rx_prepare(port, 64), 5);
  assertEquals(host.input(port, withHeader(cut, datagram(data, half))).length, 3);
  assertEquals(received(host, so).length, 3);
});

Deno.test("vnet: interfaces that come and go take the same memory", () => {
  const host = new Host();
  let slots = 0;
  for (let i = 0; i < 300; i++) {
    const port = host.attach({ name: "big", caps: i % 2 ? IfCap.VNET_HDR : 0, mtu: 9000 });
    assert(port > 0, `${port}`);
    const at = host.view.getUint32(host.call.if_ptr(port) + Ifnet.slots, true);
    if (slots) assertEquals(at, slots);
    slots = at;
    assertEquals(host.call.if_detach(port), 0);
  }
});

/** Numbers that are the same each time. */
function randomFrom(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
}

Deno.test("vnet: 30000 spoiled headers and frames do no harm", () => {
  const { host, port, so } = vnetHost();
  const random = randomFrom(99);
  const mbufs = host.mbufs();
  const frames = [datagram(data, half), datagram(data.slice(0, 100)), datagram(new Uint8Array(0))];
  let fates = 0;
  for (let i = 0; i < 30_000; i++) {
    if (i % 500 === 0) host.call.ip_forwarding(random(2));
    const pick = () => [0, 1, 2, 10, 34, 54, 1000, 1460, 65535, random(65536)][random(10)];
    const fields = {
      flags: random(4),
      type: [0, 1, 3, 4, 5, 0x81, random(256)][random(7)],
      hdrLen: pick(),
      size: pick(),
      start: random(3) ? 34 : pick(),
      offset: random(3) ? [6, 16][random(2)] : pick(),
    };
    const frame = frames[random(3)].slice();
    if (random(2)) frame[23] = 6; // TCP
    for (let n = random(3); n > 0; n--) frame[random(Math.min(60, frame.length))] = random(256);
    const whole = withHeader(fields, frame);
    const length = random(10) ? whole.length : 1 + random(whole.length);
    fates += host.input(port, whole.subarray(0, length)).length;
    if (i % 50 === 0) {
      received(host, so);
      host.output(port);
    }
  }
  assertEquals(host.count(port, "ipackets"), fates, "a fate for each");
  for (const fate of [Fate.VNET_INVALID, Fate.UDP_DELIVERED, Fate.UDP_CHECKSUM]) {
    assert(host.fate(fate) > 500, `fate ${fate}: ${host.fate(fate)}`);
  }
  received(host, so);
  host.advance(3600 * SECOND_US);
  host.output(port);
  received(host, so);
  assertEquals(host.mbufs(), mbufs);
});
