/**
 * TCP segments in IPv4 packets, made and read in plain TypeScript: what the tests put on the wire
 * and see there. Nothing here shares code with the engine.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

/** Letters of the control bits, from FIN upward. */
const LETTERS = "FSRPAUEC";
const IP_HEADER = 20;
const TCP_HEADER = 20;
const PROTOCOL_TCP = 6;

/** Options of a segment; block edges are whatever the fields seq and ack are. */
export interface SegmentOptions {
  readonly mss?: number;
  readonly wscale?: number;
  readonly sackOk?: boolean;
  readonly ts?: readonly [val: number, ecr: number];
  readonly sack?: readonly (readonly [left: number, right: number])[];
  /** Fast Open cookie in hexadecimal; empty to ask for one. */
  readonly fo?: string;
  /** True if it stands in the form of the experiment (RFC 6994). */
  readonly foExp?: boolean;
}

/** A segment with absolute numbers. */
export interface Segment extends SegmentOptions {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly seq: number;
  readonly ack: number;
  /** Letters of FSRPAUEC, in that order. */
  readonly flags: string;
  /** The window field as it stands in the header. */
  readonly win: number;
  readonly up: number;
  readonly data: Uint8Array;
  /** The packet may not be fragmented; what encode makes never may. */
  readonly df?: boolean;
  /** TOS octet of the IP header, with the ECN field. */
  readonly tos?: number;
}

/** How a packet that encode makes departs from what is right. */
export interface Faults {
  readonly badChecksum?: boolean;
  /** Bytes of options as they are to stand in the header, in place of the segment's own. */
  readonly rawOptions?: Uint8Array;
  readonly ttl?: number;
}

/** The ones' complement sum of big-endian 16-bit words. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** The bytes of a dotted IPv4 address. */
export function addressBytes(ip: string): number[] {
  return ip.split(".").map(Number);
}

/** Sum of the pseudo header of RFC 9293 3.1. */
function pseudo(src: Uint8Array, dst: Uint8Array, length: number): number {
  return checksum(src) + checksum(dst) + PROTOCOL_TCP + length;
}

function fastOpenBytes(hex: string, exp: boolean): number[] {
  const cookie = hex.match(/../g)?.map((digits) => parseInt(digits, 16)) ?? [];
  return exp ? [254, 4 + cookie.length, 0xf9, 0x89, ...cookie] : [34, 2 + cookie.length, ...cookie];
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function optionBytes(s: SegmentOptions): number[] {
  const bytes: number[] = [];
  const u32 = (v: number) => [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];
  if (s.mss !== undefined) bytes.push(2, 4, s.mss >>> 8, s.mss & 255);
  if (s.sackOk) bytes.push(4, 2);
  if (s.ts) {
    while (bytes.length % 4 !== 2) bytes.push(1);
    bytes.push(8, 10, ...u32(s.ts[0]), ...u32(s.ts[1]));
  }
  if (s.wscale !== undefined) bytes.push(1, 3, 3, s.wscale);
  if (s.sack) {
    while (bytes.length % 4 !== 2) bytes.push(1);
    bytes.push(5, 2 + 8 * s.sack.length, ...s.sack.flatMap(([l, r]) => [...u32(l), ...u32(r)]));
  }
  if (s.fo !== undefined) bytes.push(...fastOpenBytes(s.fo, s.foExp ?? false));
  while (bytes.length % 4 !== 0) bytes.push(1);
  return bytes;
}

/** An IPv4 header for `length` bytes of transport. */
export function ipHeader(
  src: string,
  dst: string,
  protocol: number,
  length: number,
  ttl = 64,
  tos = 0,
): Uint8Array {
  const ip = new Uint8Array(IP_HEADER);
  const view = new DataView(ip.buffer);
  ip[0] = 0x45;
  ip[1] = tos;
  view.setUint16(2, IP_HEADER + length);
  view.setUint16(6, 0x4000);
  ip[8] = ttl;
  ip[9] = protocol;
  ip.set(addressBytes(src), 12);
  ip.set(addressBytes(dst), 16);
  view.setUint16(10, ~checksum(ip) & 0xffff);
  return ip;
}

/** The packet of a segment, checksums and all. */
export function encode(s: Segment, faults: Faults = {}): Uint8Array {
  const options = faults.rawOptions ?? Uint8Array.from(optionBytes(s));
  assert(options.length <= 40 && options.length % 4 === 0, `${options.length} bytes of options`);
  const hlen = TCP_HEADER + options.length;
  const tcp = new Uint8Array(hlen + s.data.length);
  const view = new DataView(tcp.buffer);
  view.setUint16(0, s.sport);
  view.setUint16(2, s.dport);
  view.setUint32(4, s.seq);
  view.setUint32(8, s.ack);
  tcp[12] = (hlen / 4) << 4;
  for (const letter of s.flags) {
    assert(LETTERS.includes(letter), `flag ${letter}`);
    tcp[13] |= 1 << LETTERS.indexOf(letter);
  }
  view.setUint16(14, s.win);
  view.setUint16(18, s.up);
  tcp.set(options, TCP_HEADER);
  tcp.set(s.data, hlen);
  const ip = ipHeader(s.src, s.dst, PROTOCOL_TCP, tcp.length, faults.ttl, s.tos);
  const sum = checksum(tcp, pseudo(ip.subarray(12, 16), ip.subarray(16, 20), tcp.length));
  view.setUint16(16, (~sum & 0xffff) ^ (faults.badChecksum ? 0x0101 : 0));
  const packet = new Uint8Array(IP_HEADER + tcp.length);
  packet.set(ip);
  packet.set(tcp, IP_HEADER);
  return packet;
}

/** An ICMP error from `router` to `src` that quotes the first 8 bytes of a segment of its. */
export function icmpError(
  router: string,
  type: number,
  code: number,
  rest: number,
  s: Pick<Segment, "src" | "dst" | "sport" | "dport" | "seq">,
  length = 1500,
): Uint8Array {
  const icmp = new Uint8Array(8 + IP_HEADER + 8);
  const view = new DataView(icmp.buffer);
  icmp[0] = type;
  icmp[1] = code;
  view.setUint32(4, rest);
  icmp.set(ipHeader(s.src, s.dst, PROTOCOL_TCP, length - IP_HEADER, 60), 8);
  view.setUint16(28, s.sport);
  view.setUint16(30, s.dport);
  view.setUint32(32, s.seq);
  view.setUint16(2, ~checksum(icmp) & 0xffff);
  const ip = ipHeader(router, s.src, 1, icmp.length);
  return Uint8Array.from([...ip, ...icmp]);
}

function readOptions(bytes: Uint8Array): SegmentOptions {
  const found: {
    mss?: number;
    wscale?: number;
    sackOk?: boolean;
    ts?: [number, number];
    sack?: [number, number][];
    fo?: string;
    foExp?: boolean;
  } = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length;) {
    const kind = bytes[i];
    if (kind === 0) break;
    if (kind === 1) {
      i++;
      continue;
    }
    const size = bytes[i + 1];
    assert(size >= 2 && i + size <= bytes.length, `option ${kind} of length ${size}`);
    if (kind === 2) found.mss = view.getUint16(i + 2);
    else if (kind === 3) found.wscale = bytes[i + 2];
    else if (kind === 4) found.sackOk = true;
    else if (kind === 8) found.ts = [view.getUint32(i + 2), view.getUint32(i + 6)];
    else if (kind === 5) {
      found.sack = [];
      for (let at = i + 2; at < i + size; at += 8) {
        found.sack.push([view.getUint32(at), view.getUint32(at + 4)]);
      }
    } else if (kind === 34) {
      found.fo = hex(bytes.subarray(i + 2, i + size));
    } else if (kind === 254 && view.getUint16(i + 2) === 0xf989) {
      found.fo = hex(bytes.subarray(i + 4, i + size));
      found.foExp = true;
    } else throw new Error(`option ${kind} on the wire`);
    i += size;
  }
  return found;
}

/** Reads a packet that the engine sent; anything wrong with it is a failure of the test. */
export function decode(packet: Uint8Array): Segment {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  assertEquals(packet[0], 0x45, "IP version and header length");
  assertEquals(view.getUint16(2), packet.length, "IP total length");
  assertEquals(checksum(packet.subarray(0, IP_HEADER)), 0xffff, "IP header checksum");
  assertEquals(packet[9], PROTOCOL_TCP, "IP protocol");
  const tcp = packet.subarray(IP_HEADER);
  const [src, dst] = [packet.subarray(12, 16), packet.subarray(16, 20)];
  assertEquals(checksum(tcp, pseudo(src, dst, tcp.length)), 0xffff, "TCP checksum");
  const hlen = (tcp[12] >>> 4) * 4;
  assert(hlen >= TCP_HEADER && hlen <= tcp.length, "TCP data offset");
  assertEquals(tcp[12] & 15, 0, "reserved bits");
  const flags = [...LETTERS].filter((_, bit) => tcp[13] & (1 << bit)).join("");
  return {
    src: src.join("."),
    dst: dst.join("."),
    sport: view.getUint16(IP_HEADER),
    dport: view.getUint16(IP_HEADER + 2),
    seq: view.getUint32(IP_HEADER + 4),
    ack: view.getUint32(IP_HEADER + 8),
    flags,
    win: view.getUint16(IP_HEADER + 14),
    up: view.getUint16(IP_HEADER + 18),
    data: tcp.slice(hlen),
    df: (packet[6] & 0x40) !== 0,
    tos: packet[1],
    ...readOptions(tcp.subarray(TCP_HEADER, hlen)),
  };
}

/** A segment in one line, for failures. */
export function show(s: Omit<Segment, "src" | "dst" | "sport" | "dport">): string {
  const options = [
    s.mss === undefined ? "" : `mss ${s.mss}`,
    s.sackOk ? "sackOK" : "",
    s.ts ? `ts ${s.ts[0]}:${s.ts[1]}` : "",
    s.wscale === undefined ? "" : `ws ${s.wscale}`,
    s.sack ? `sack ${s.sack.map(([l, r]) => `${l}:${r}`).join(" ")}` : "",
  ].filter((text) => text !== "").join(", ");
  const up = s.flags.includes("U") ? ` up ${s.up}` : "";
  const end = s.seq + s.data.length;
  return `${s.flags} ${s.seq}:${end} ack ${s.ack} win ${s.win}${up} <${options}>`;
}
