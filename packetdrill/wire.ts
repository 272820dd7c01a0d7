/**
 * IPv4 packets with TCP, UDP and ICMP, made and read in plain TypeScript. Nothing here shares code
 * with the engine, so a fault of the engine cannot hide.
 *
 * @module
 */

import type { IpInfo, TcpOption } from "./ast.ts";
import { decodeOptions, encodeOptions } from "./wire_options.ts";

/** Bytes of an IPv4 header without options. */
export const IP_HEADER = 20;
/** Bytes of a TCP header without options. */
export const TCP_HEADER = 20;
/** Bytes of a UDP header, and of an ICMP header. */
export const UDP_HEADER = 8;
/** Protocol numbers of IPv4. */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;

const ECN = { noecn: 0, ect1: 1, ect0: 2, ce: 3, ect01: 2 } as const;

/** Addresses and ports of a packet. */
export interface Flow {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
}

/** A TCP segment with the numbers of the wire. */
export interface Segment {
  /** Nine bits. */
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly win: number;
  readonly urg: number;
  readonly options: readonly TcpOption[];
  readonly data: Uint8Array;
}

/** What was read from a packet. */
export interface LivePacket {
  readonly tos: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly flow: Flow;
  /** What is wrong with its form: checksums, lengths, reserved bits; empty if nothing. */
  readonly faults: readonly string[];
  readonly tcp?: Segment;
  readonly udp?: { readonly data: Uint8Array };
  readonly icmp?: { readonly type: number; readonly code: number; readonly rest: Uint8Array };
}

/** The ones' complement sum of big-endian 16-bit words, folded. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** The four bytes of a dotted address. */
export function addressBytes(ip: string): number[] {
  return ip.split(".").map(Number);
}

/** An IPv4 header for `length` bytes of payload. */
export function ipHeader(
  flow: Pick<Flow, "src" | "dst">,
  protocol: number,
  length: number,
  info: IpInfo = {},
): Uint8Array {
  const ip = new Uint8Array(IP_HEADER);
  const view = new DataView(ip.buffer);
  ip[0] = 0x45;
  ip[1] = (info.tos ?? (info.dscp ?? 0) << 2) | (info.ecn ? ECN[info.ecn] : 0);
  view.setUint16(2, IP_HEADER + length);
  ip[8] = info.ttl ?? 255;
  ip[9] = protocol;
  ip.set(addressBytes(flow.src), 12);
  ip.set(addressBytes(flow.dst), 16);
  view.setUint16(10, ~checksum(ip) & 0xffff);
  return ip;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Sum of the pseudo header of RFC 9293 3.1. */
function pseudo(ip: Uint8Array, protocol: number, length: number): number {
  return checksum(ip.subarray(12, 20), protocol + length);
}

/** The header of a segment, checksum zero. */
function tcpHeader(flow: Flow, s: Segment, options: Uint8Array): Uint8Array {
  const tcp = new Uint8Array(TCP_HEADER + options.length);
  const view = new DataView(tcp.buffer);
  view.setUint16(0, flow.sport);
  view.setUint16(2, flow.dport);
  view.setUint32(4, s.seq);
  view.setUint32(8, s.ack);
  tcp[12] = ((tcp.length / 4) << 4) | (s.flags >> 8);
  tcp[13] = s.flags & 0xff;
  view.setUint16(14, s.win);
  view.setUint16(18, s.urg);
  tcp.set(options, TCP_HEADER);
  return tcp;
}

/** A packet cut into fragments of at most `most` bytes (RFC 791 3.2); each packet needs an `id`. */
export function fragments(packet: Uint8Array, most: number, id = packet.length): Uint8Array[] {
  const size = (most - IP_HEADER) & ~7;
  const body = packet.subarray(IP_HEADER);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = join(packet.subarray(0, IP_HEADER), body.subarray(at, at + size));
    const view = new DataView(piece.buffer);
    view.setUint16(2, piece.length);
    view.setUint16(4, id);
    view.setUint16(6, (at >> 3) | (at + size < body.length ? 0x2000 : 0));
    view.setUint16(10, 0);
    view.setUint16(10, ~checksum(piece.subarray(0, IP_HEADER)) & 0xffff);
    pieces.push(piece);
  }
  return pieces;
}

/** The packet of a TCP segment. */
export function encodeTcp(flow: Flow, s: Segment, info: IpInfo = {}): Uint8Array {
  const tcp = join(tcpHeader(flow, s, encodeOptions(s.options)), s.data);
  const ip = ipHeader(flow, PROTOCOL.tcp, tcp.length, info);
  const sum = checksum(tcp, pseudo(ip, PROTOCOL.tcp, tcp.length));
  new DataView(tcp.buffer).setUint16(16, ~sum & 0xffff);
  return join(ip, tcp);
}

/** The packet of a UDP datagram. */
export function encodeUdp(flow: Flow, data: Uint8Array, info: IpInfo = {}): Uint8Array {
  const udp = new Uint8Array(UDP_HEADER + data.length);
  const view = new DataView(udp.buffer);
  view.setUint16(0, flow.sport);
  view.setUint16(2, flow.dport);
  view.setUint16(4, udp.length);
  udp.set(data, UDP_HEADER);
  const ip = ipHeader(flow, PROTOCOL.udp, udp.length, info);
  const sum = ~checksum(udp, pseudo(ip, PROTOCOL.udp, udp.length)) & 0xffff;
  view.setUint16(6, sum || 0xffff);
  return join(ip, udp);
}

/** The packet of an ICMP message: four bytes of rest of header, then `payload`. */
export function encodeIcmp(
  flow: Pick<Flow, "src" | "dst">,
  message: { readonly type: number; readonly code: number; readonly rest: number },
  payload: Uint8Array,
  info: IpInfo = {},
): Uint8Array {
  const icmp = new Uint8Array(UDP_HEADER + payload.length);
  const view = new DataView(icmp.buffer);
  icmp[0] = message.type;
  icmp[1] = message.code;
  view.setUint32(4, message.rest);
  icmp.set(payload, UDP_HEADER);
  view.setUint16(2, ~checksum(icmp) & 0xffff);
  return join(ipHeader(flow, PROTOCOL.icmp, icmp.length, info), icmp);
}

/**
 * What an ICMP error quotes: the IP header of a packet of `length` payload bytes behind a bare
 * header, and its first eight bytes.
 */
export function quote(flow: Flow, protocol: number, seq: number, length: number): Uint8Array {
  const ip = ipHeader(flow, protocol, length, { ttl: 64 });
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint16(0, flow.sport);
  view.setUint16(2, flow.dport);
  if (protocol === PROTOCOL.tcp) view.setUint32(4, seq);
  else view.setUint16(4, length);
  return join(ip, head);
}

/** Reads a packet; undefined if it is not even an IPv4 header. */
export function decode(bytes: Uint8Array): LivePacket | undefined {
  if (bytes.length < IP_HEADER || bytes[0] >> 4 !== 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const faults: string[] = [];
  const hlen = (bytes[0] & 15) * 4;
  if (checksum(bytes.subarray(0, hlen)) !== 0xffff) faults.push("IP header checksum");
  if (view.getUint16(2) !== bytes.length) faults.push("IP total length");
  if (hlen !== IP_HEADER) faults.push("IP header length");
  const protocol = bytes[9];
  const body = bytes.subarray(hlen);
  const dotted = (at: number) => bytes.subarray(at, at + 4).join(".");
  const hasPorts = protocol !== PROTOCOL.icmp && body.length >= 4;
  const flow = {
    src: dotted(12),
    dst: dotted(16),
    sport: hasPorts ? view.getUint16(hlen) : 0,
    dport: hasPorts ? view.getUint16(hlen + 2) : 0,
  };
  const packet = { tos: bytes[1], ttl: bytes[8], protocol, flow, faults };
  if (protocol === PROTOCOL.icmp) return { ...packet, icmp: readIcmp(body, faults) };
  const sum = checksum(body, pseudo(bytes, protocol, body.length));
  if (sum !== 0xffff) faults.push("transport checksum");
  if (protocol === PROTOCOL.tcp) return { ...packet, tcp: readTcp(body, faults) };
  if (protocol === PROTOCOL.udp) return { ...packet, udp: { data: body.subarray(UDP_HEADER) } };
  return packet;
}

function readIcmp(body: Uint8Array, faults: string[]): LivePacket["icmp"] {
  if (checksum(body) !== 0xffff) faults.push("ICMP checksum");
  return { type: body[0], code: body[1], rest: body.subarray(4) };
}

function readTcp(body: Uint8Array, faults: string[]): Segment {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const hlen = (body[12] >> 4) * 4;
  if (hlen < TCP_HEADER || hlen > body.length) faults.push("TCP data offset");
  if (body[12] & 0x0e) faults.push("reserved bits of TCP");
  return {
    flags: ((body[12] & 1) << 8) | body[13],
    seq: view.getUint32(4),
    ack: view.getUint32(8),
    win: view.getUint16(14),
    urg: view.getUint16(18),
    options: decodeOptions(body.subarray(TCP_HEADER, hlen)),
    data: body.subarray(hlen),
  };
}
