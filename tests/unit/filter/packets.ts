/**
 * Packets for tests of filters: of all kinds that filters tell apart, whole, cut and spoiled.
 *
 * @module
 */

import { FilterLinktype } from "../../../filter/mod.ts";

type Bytes = readonly number[];

/** A packet as it was captured. */
export interface Packet {
  readonly name: string;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Bytes it had before it was cut. */
  readonly wireLength: number;
}

const u16 = (value: number): Bytes => [value >> 8 & 255, value & 255];
const u32 = (value: number): Bytes => [...u16(value >>> 16), ...u16(value)];
const ip4 = (address: string): Bytes => address.split(".").map(Number);
const text = (string: string): Bytes => [...new TextEncoder().encode(string)];

/** An IPv6 address of whole groups, with one `::`. */
function ip6(address: string): Bytes {
  const [head, tail] = address.split("::").map((half) => half.split(":").filter((g) => g !== ""));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => u16(Number.parseInt(group, 16)));
}

const MACS = {
  a: [2, 0, 0, 0, 0, 1],
  b: [2, 0, 0, 0, 0, 2],
  broadcast: [255, 255, 255, 255, 255, 255],
  group: [1, 0, 0x5e, 0, 0, 1],
} as const;

interface Ip4 {
  readonly from?: string;
  readonly to?: string;
  /** Flags and fragment offset, as the header has them. */
  readonly fragment?: number;
  readonly options?: Bytes;
  readonly ttl?: number;
}

function v4(protocol: number, payload: Bytes, header: Ip4 = {}): Bytes {
  const { from = "10.0.0.1", to = "10.0.0.2", fragment = 0, options = [], ttl = 64 } = header;
  const length = 20 + options.length + payload.length;
  return [
    0x40 | (20 + options.length) / 4,
    0,
    ...u16(length),
    ...u16(7),
    ...u16(fragment),
    ttl,
    protocol,
    ...u16(0),
    ...ip4(from),
    ...ip4(to),
    ...options,
    ...payload,
  ];
}

function v6(next: number, payload: Bytes, from = "2001:db8::1", to = "2001:db8::2"): Bytes {
  return [0x60, 0, 0, 0, ...u16(payload.length), next, 64, ...ip6(from), ...ip6(to), ...payload];
}

function tcp(
  from: number,
  to: number,
  flags: number,
  data: Bytes = [],
  options: Bytes = [],
): Bytes {
  const words = (20 + options.length) / 4;
  const ports = [...u16(from), ...u16(to)];
  const window = [words << 4, flags, ...u16(8192), ...u16(0), ...u16(0)];
  return [...ports, ...u32(1000), ...u32(2000), ...window, ...options, ...data];
}

function udp(from: number, to: number, data: Bytes = []): Bytes {
  return [...u16(from), ...u16(to), ...u16(8 + data.length), ...u16(0), ...data];
}

const sctp = (from: number, to: number): Bytes => [...u16(from), ...u16(to), ...u32(9), ...u32(0)];
const icmp = (type: number, code = 0): Bytes => [type, code, ...u16(0), ...u32(1), ...text("ping")];

function arp(operation: number, from: string, to: string): Bytes {
  const head = [...u16(1), ...u16(0x0800), 6, 4, ...u16(operation)];
  return [...head, ...MACS.a, ...ip4(from), ...MACS.b, ...ip4(to)];
}

/** What the frames carry: a name, an ethertype, and the packet. */
const PAYLOADS: readonly (readonly [name: string, type: number, packet: Bytes])[] = [
  ["syn", 0x0800, v4(6, tcp(40000, 80, 0x02, [], [2, 4, 5, 0xb4]))],
  ["syn ack", 0x0800, v4(6, tcp(80, 40000, 0x12), { from: "10.0.0.2", to: "10.0.0.1" })],
  ["ack", 0x0800, v4(6, tcp(40000, 80, 0x10))],
  ["get", 0x0800, v4(6, tcp(40000, 80, 0x18, text("GET / HTTP/1.1")))],
  ["rst", 0x0800, v4(6, tcp(443, 5000, 0x04), { from: "192.168.1.7", to: "10.0.0.1" })],
  ["fin", 0x0800, v4(6, tcp(22, 50000, 0x11), { from: "10.0.0.3" })],
  ["ip options", 0x0800, v4(6, tcp(40001, 443, 0x18, text("data")), { options: [1, 1, 1, 0] })],
  ["ece cwr", 0x0800, v4(6, tcp(6000, 6001, 0xc2), { to: "172.16.5.4" })],
  ["query", 0x0800, v4(17, udp(5353, 53, text("query")), { to: "8.8.8.8" })],
  ["answer", 0x0800, v4(17, udp(53, 5353, text("answer")), { from: "8.8.8.8", to: "10.0.0.1" })],
  ["dhcp", 0x0800, v4(17, udp(68, 67), { from: "0.0.0.0", to: "255.255.255.255", ttl: 1 })],
  ["port 80 udp", 0x0800, v4(17, udp(80, 80))],
  ["ntp", 0x0800, v4(17, udp(123, 123, text("x".repeat(48))), { to: "10.1.2.3" })],
  ["first fragment", 0x0800, v4(17, udp(53, 1024, text("abcd")), { fragment: 0x2000 })],
  ["later fragment", 0x0800, v4(17, [0, 80, 0, 80, 1, 2, 3, 4, 5], { fragment: 0x2010 })],
  ["last fragment", 0x0800, v4(6, [0, 80, 0, 80, 1, 2, 3, 4, 5], { fragment: 0x0020 })],
  ["echo", 0x0800, v4(1, icmp(8), { to: "10.1.2.3" })],
  ["echo reply", 0x0800, v4(1, icmp(0), { from: "10.1.2.3", to: "10.0.0.1" })],
  ["unreachable", 0x0800, v4(1, icmp(3, 3))],
  ["igmp", 0x0800, v4(2, [0x16, 0, 0, 0, ...ip4("224.0.0.5")], { to: "224.0.0.5", ttl: 1 })],
  ["sctp", 0x0800, v4(132, sctp(5000, 80))],
  ["gre", 0x0800, v4(47, [0, 0, 8, 0])],
  ["esp", 0x0800, v4(50, u32(77))],
  ["ah", 0x0800, v4(51, [...u32(6), ...u32(77)])],
  ["pim", 0x0800, v4(103, [0x20, 0, 0, 0], { to: "224.0.0.13" })],
  ["vrrp", 0x0800, v4(112, [0x21, 1, 100, 1], { to: "224.0.0.18", ttl: 255 })],
  ["same", 0x0800, v4(6, tcp(7, 7, 0x10), { from: "10.0.0.9", to: "10.0.0.9" })],
  ["short header", 0x0800, [0x43, ...v4(6, tcp(80, 80, 2)).slice(1)]],
  ["version 5", 0x0800, [0x55, ...v4(6, tcp(80, 80, 2)).slice(1)]],
  ["syn 6", 0x86dd, v6(6, tcp(40000, 80, 0x02))],
  ["data 6", 0x86dd, v6(6, tcp(443, 40000, 0x18, text("data")), "2001:db8::2", "2001:db8::1")],
  ["query 6", 0x86dd, v6(17, udp(5353, 53), "fe80::1", "2001:4860::8888")],
  ["sctp 6", 0x86dd, v6(132, sctp(80, 5000))],
  ["echo 6", 0x86dd, v6(58, icmp(128))],
  ["solicitation", 0x86dd, v6(58, [135, 0, 0, 0], "fe80::1", "ff02::1:ff00:2")],
  ["fragment 6", 0x86dd, v6(44, [6, 0, 0, 1, 0, 0, 0, 1, ...tcp(40000, 80, 0x10)])],
  ["fragment of udp 6", 0x86dd, v6(44, [17, 0, 0, 1, 0, 0, 0, 1, ...udp(53, 53)])],
  ["options 6", 0x86dd, v6(0, [6, 0, 1, 4, 0, 0, 0, 0, ...tcp(40000, 80, 0x10)])],
  ["who has", 0x0806, arp(1, "10.0.0.1", "10.0.0.2")],
  ["is at", 0x0806, arp(2, "10.0.0.2", "10.0.0.1")],
  ["rarp", 0x8035, arp(3, "0.0.0.0", "10.0.0.1")],
  ["loopback", 0x9000, [0, 0, 1, 0]],
];

const TARGETS: Readonly<Record<string, Bytes>> = {
  dhcp: MACS.broadcast,
  "who has": MACS.broadcast,
  igmp: MACS.group,
  pim: MACS.group,
};

/** Ethernet frames, tags and LLC among them. */
function frames(): [string, Bytes][] {
  const plain = PAYLOADS.map(([name, type, packet]): [string, Bytes] => [
    name,
    [...(TARGETS[name] ?? MACS.b), ...MACS.a, ...u16(type), ...packet],
  ]);
  const head = [...MACS.b, ...MACS.a];
  const tags: readonly (readonly [string, Bytes])[] = [
    ["vlan 5", [...u16(0x8100), ...u16(5)]],
    ["vlan 5, priority 7", [...u16(0x8100), ...u16(0xe005)]],
    ["vlan 100", [...u16(0x8100), ...u16(100)]],
    ["vlan 5 in 200", [...u16(0x88a8), ...u16(200), ...u16(0x8100), ...u16(5)]],
    ["vlan 9100", [...u16(0x9100), ...u16(5)]],
  ];
  const tagged = tags.flatMap(([name, tag]) =>
    PAYLOADS.filter((_, i) => i % 4 === 0).map(([of, type, packet]): [string, Bytes] => [
      `${of} in ${name}`,
      [...head, ...tag, ...u16(type), ...packet],
    ])
  );
  const llc: [string, Bytes] = ["stp", [...MACS.group, ...MACS.a, ...u16(38), 0x42, 0x42, 3, 0, 0]];
  return [...plain, ...tagged, llc];
}

/** Packets of a link type. */
function whole(linktype: number): [string, Bytes][] {
  if (linktype === FilterLinktype.ETHERNET) return frames();
  const packets = PAYLOADS.filter(([, type]) => type === 0x0800 || type === 0x86dd);
  if (linktype !== FilterLinktype.NULL) return packets.map(([name, , packet]) => [name, packet]);
  return packets.flatMap(([name, type, packet], i): [string, Bytes][] => {
    // the families of IPv6 differ; one packet is of a family that is none
    const family = type === 0x0800 ? 2 : [24, 28, 30, 10][i % 4];
    return [[name, [family, 0, 0, 0, ...packet]]];
  });
}

/** Numbers without a pattern. */
function* noise(seed: number): Generator<number, never> {
  let state = seed;
  while (true) {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    yield (state ^ state >>> 13) >>> 0;
  }
}

/** All packets of a link type: whole, padded, cut at many places, and with some bytes spoiled. */
export function packetsOf(linktype: number): Packet[] {
  const next = noise(linktype + 1);
  const draw = (below: number) => next.next().value % below;
  return whole(linktype).flatMap(([name, bytes]) => {
    const data = Uint8Array.from(bytes);
    const packets: Packet[] = [{ name, data, wireLength: data.length }];
    const padded = new Uint8Array(data.length + draw(60));
    padded.set(data);
    packets.push({ name: `${name}, padded`, data: padded, wireLength: padded.length });
    for (let i = 0; i < 3; i++) {
      const cut = data.slice(0, 1 + draw(data.length));
      packets.push({ name: `${name}, cut to ${cut.length}`, data: cut, wireLength: data.length });
    }
    for (let i = 0; i < 2; i++) {
      const spoiled = data.slice();
      for (let n = 0; n <= i; n++) spoiled[draw(Math.min(60, data.length))] = draw(256);
      packets.push({ name: `${name}, spoiled`, data: spoiled, wireLength: data.length });
    }
    return packets;
  });
}

/** A packet in up to four pieces, some of which may be empty. */
export function inPieces(data: Uint8Array, seed: number): Uint8Array[] {
  const next = noise(seed);
  const cuts = [0, 1, 2].map(() => next.next().value % (data.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => data.subarray(from, cuts[i] ?? data.length));
}
