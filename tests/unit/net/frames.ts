/**
 * Builds and reads frames in plain TypeScript, for tests: nothing here shares code with the engine.
 *
 * @module
 */

/** Joins parts into one array. */
export function bytes(...parts: (number | ArrayLike<number>)[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((p) => typeof p === "number" ? [p] : Array.from(p)));
}

/** Two bytes, big end first. */
export function u16(n: number): number[] {
  return [(n >>> 8) & 255, n & 255];
}

/** Four bytes, big end first. */
export function u32(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
}

/** An IPv4 address as a number. */
export function ip(text: string): number {
  return text.split(".").reduce((n, part) => n * 256 + Number(part), 0);
}

/** An IPv4 address as text. */
export function ipText(n: number): string {
  return u32(n).join(".");
}

/** A hardware address from text. */
export function mac(text: string): number[] {
  return text.split(":").map((part) => parseInt(part, 16));
}

/** The internet checksum (RFC 1071), word by word. */
export function checksum(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += data[i] * 256 + (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return ~sum & 0xffff;
}

export const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** An Ethernet frame. */
export function ether(dst: string, src: string, type: number, payload: ArrayLike<number>) {
  return bytes(mac(dst), mac(src), u16(type), payload);
}

/** Fields of an ARP packet. */
export interface ArpFields {
  readonly op: 1 | 2;
  readonly sha: string;
  readonly spa: string;
  readonly tha?: string;
  readonly tpa: string;
}

/** An ARP packet. */
export function arp({ op, sha, spa, tha = "00:00:00:00:00:00", tpa }: ArpFields): Uint8Array {
  return bytes([0, 1, 8, 0, 6, 4], u16(op), mac(sha), u32(ip(spa)), mac(tha), u32(ip(tpa)));
}

/** Fields of an IPv4 packet; the rest is filled in. */
export interface Ip4Fields {
  readonly src: string;
  readonly dst: string;
  readonly proto: number;
  readonly payload?: ArrayLike<number>;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Offset of a fragment in bytes. */
  readonly offset?: number;
  readonly more?: boolean;
  readonly df?: boolean;
  /** Options, a multiple of 4 bytes. */
  readonly options?: readonly number[];
  /** Instead of the right ones. */
  readonly version?: number;
  readonly ihl?: number;
  readonly total?: number;
  readonly checksum?: number;
}

/** An IPv4 packet. */
export function ip4(f: Ip4Fields): Uint8Array {
  const payload = f.payload ?? [];
  const options = f.options ?? [];
  const hlen = 20 + options.length;
  const flags = (f.df ? 0x4000 : 0) | (f.more ? 0x2000 : 0) | (f.offset ?? 0) / 8;
  const header = bytes(
    ((f.version ?? 4) << 4) | (f.ihl ?? hlen / 4),
    f.tos ?? 0,
    u16(f.total ?? hlen + payload.length),
    u16(f.id ?? 1),
    u16(flags),
    f.ttl ?? 64,
    f.proto,
    [0, 0],
    u32(ip(f.src)),
    u32(ip(f.dst)),
    options,
  );
  header.set(u16(f.checksum ?? checksum(header)), 10);
  return bytes(header, payload);
}

/** A UDP datagram, checksum included. */
export function udp(
  src: string,
  dst: string,
  sport: number,
  dport: number,
  data: ArrayLike<number>,
): Uint8Array {
  const length = u16(8 + data.length);
  const datagram = bytes(u16(sport), u16(dport), length, [0, 0], data);
  const pseudo = bytes(u32(ip(src)), u32(ip(dst)), 0, 17, length, datagram);
  datagram.set(u16(checksum(pseudo) || 0xffff), 6);
  return datagram;
}

/** An ICMP message; `rest` is the second word of its header. */
export function icmp(type: number, code: number, rest: number, data: ArrayLike<number> = []) {
  const message = bytes(type, code, [0, 0], u32(rest), data);
  message.set(u16(checksum(message)), 2);
  return message;
}

/** An IGMP message. */
export function igmp(type: number, tenths: number, group: string): Uint8Array {
  const message = bytes(type, tenths, [0, 0], u32(ip(group)));
  message.set(u16(checksum(message)), 2);
  return message;
}

/** What was read of an Ethernet frame. */
export interface EtherRead {
  readonly dst: string;
  readonly src: string;
  readonly type: number;
  readonly payload: Uint8Array;
}

const hex = (data: Uint8Array) =>
  Array.from(data, (b) => b.toString(16).padStart(2, "0")).join(":");
const be16 = (data: Uint8Array, at: number) => data[at] * 256 + data[at + 1];
const be32 = (data: Uint8Array, at: number) => be16(data, at) * 65536 + be16(data, at + 2);

/** Reads an Ethernet frame. */
export function readEther(frame: Uint8Array): EtherRead {
  return {
    dst: hex(frame.subarray(0, 6)),
    src: hex(frame.subarray(6, 12)),
    type: be16(frame, 12),
    payload: frame.subarray(14),
  };
}

/** Reads an ARP packet. */
export function readArp(p: Uint8Array): Required<ArpFields> {
  const op = be16(p, 6);
  if (hex(p.subarray(0, 6)) !== "00:01:08:00:06:04" || (op !== 1 && op !== 2)) {
    throw new Error("not an ARP packet");
  }
  return {
    op,
    sha: hex(p.subarray(8, 14)),
    spa: ipText(be32(p, 14)),
    tha: hex(p.subarray(18, 24)),
    tpa: ipText(be32(p, 24)),
  };
}

/** What was read of an IPv4 packet. */
export interface Ip4Read {
  readonly src: string;
  readonly dst: string;
  readonly proto: number;
  readonly ttl: number;
  readonly tos: number;
  readonly id: number;
  readonly df: boolean;
  readonly more: boolean;
  readonly offset: number;
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

/** Reads an IPv4 packet; throws if its form or its checksum is wrong. */
export function readIp4(p: Uint8Array): Ip4Read {
  const hlen = (p[0] & 15) * 4;
  if (p[0] >> 4 !== 4 || hlen < 20 || be16(p, 2) !== p.length) throw new Error("not IPv4");
  if (checksum(p.subarray(0, hlen)) !== 0) throw new Error("wrong IPv4 header checksum");
  const field = be16(p, 6);
  return {
    src: ipText(be32(p, 12)),
    dst: ipText(be32(p, 16)),
    proto: p[9],
    ttl: p[8],
    tos: p[1],
    id: be16(p, 4),
    df: (field & 0x4000) !== 0,
    more: (field & 0x2000) !== 0,
    offset: (field & 0x1fff) * 8,
    options: p.subarray(20, hlen),
    payload: p.subarray(hlen),
  };
}

/** What was read of an ICMP message. */
export interface IcmpRead {
  readonly type: number;
  readonly code: number;
  readonly rest: number;
  readonly data: Uint8Array;
}

/** Reads an ICMP message; throws if its checksum is wrong. */
export function readIcmp(p: Uint8Array): IcmpRead {
  if (p.length < 8 || checksum(p) !== 0) throw new Error("wrong ICMP checksum");
  return { type: p[0], code: p[1], rest: be32(p, 4), data: p.subarray(8) };
}
