/**
 * Frames of Ethernet, ARP, IPv4, ICMP, IGMP, UDP and TCP made from fields, right checksums
 * included. Addresses of IPv4 are numbers in host order, those of Ethernet 6 bytes.
 *
 * @module
 */

export type Bytes = Uint8Array<ArrayBuffer>;

/** Offsets in a frame. */
export const IP_AT = 14;
export const ETHERTYPE_AT = 12;

export const ETHERTYPE_IP = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

export const ICMP = 1;
export const IGMP = 2;
export const TCP = 6;
export const UDP = 17;

/** Where the checksum is in each protocol's header. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { [ICMP]: 2, [IGMP]: 2, [TCP]: 16, [UDP]: 6 };
/** Least bytes of each protocol's header. */
const HEADER_BYTES: Readonly<Record<number, number>> = {
  [ICMP]: 8,
  [IGMP]: 8,
  [TCP]: 20,
  [UDP]: 8,
};

/** Fields of an IPv4 header. */
export interface IpFields {
  readonly src: number;
  readonly dst: number;
  readonly protocol: number;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Flags and offset as they stand in the header. */
  readonly fragment?: number;
  /** Options, padded with zeros to words. */
  readonly options?: Uint8Array;
}

/** Fields of a TCP header. */
export interface TcpFields {
  readonly sport: number;
  readonly dport: number;
  readonly seq: number;
  readonly ack?: number;
  readonly flags: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
}

export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function u32(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getUint32(at);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

function padded(options: Uint8Array | undefined): Bytes {
  const bytes = new Uint8Array(((options?.length ?? 0) + 3) & ~3);
  if (options) bytes.set(options);
  return bytes;
}

/** RFC 1071: the sum of 16-bit words, not yet complemented. */
function sum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let total = start;
  for (let i = from; i < to; i += 2) total += (bytes[i] << 8) | (i + 1 < to ? bytes[i + 1] : 0);
  return total;
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** A frame of Ethernet. */
export function ether(dst: Uint8Array, src: Uint8Array, type: number, payload: Uint8Array): Bytes {
  return concat(dst, src, Uint8Array.of(type >>> 8, type), payload);
}

/** A packet of IPv4 (RFC 791); the checksums of what it carries are put right. */
export function ip4(fields: IpFields, payload: Uint8Array): Bytes {
  const options = padded(fields.options);
  const header = new Uint8Array(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  header[1] = fields.tos ?? 0;
  put16(header, 2, header.length + payload.length);
  put16(header, 4, fields.id ?? 1);
  put16(header, 6, fields.fragment ?? 0);
  header[8] = fields.ttl ?? 64;
  header[9] = fields.protocol;
  put32(header, 12, fields.src);
  put32(header, 16, fields.dst);
  header.set(options, 20);
  const packet = concat(header, payload);
  fixPacket(packet);
  return packet;
}

export function udp(sport: number, dport: number, payload: Uint8Array): Bytes {
  const datagram = concat(new Uint8Array(8), payload);
  put16(datagram, 0, sport);
  put16(datagram, 2, dport);
  put16(datagram, 4, datagram.length);
  return datagram;
}

export function tcp(fields: TcpFields): Bytes {
  const options = padded(fields.options);
  const header = new Uint8Array(20 + options.length);
  put16(header, 0, fields.sport);
  put16(header, 2, fields.dport);
  put32(header, 4, fields.seq);
  put32(header, 8, fields.ack ?? 0);
  header[12] = (header.length / 4) << 4;
  header[13] = fields.flags;
  put16(header, 14, fields.window ?? 65535);
  put16(header, 18, fields.urgent ?? 0);
  header.set(options, 20);
  return concat(header, fields.payload ?? new Uint8Array(0));
}

export function icmp(type: number, code: number, rest: number, payload: Uint8Array): Bytes {
  const message = concat(Uint8Array.of(type, code, 0, 0, 0, 0, 0, 0), payload);
  put32(message, 4, rest);
  return message;
}

export function igmp(type: number, time: number, group: number): Bytes {
  const message = Uint8Array.of(type, time, 0, 0, 0, 0, 0, 0);
  put32(message, 4, group);
  return message;
}

export function arp(
  op: number,
  sender: { mac: Uint8Array; ip: number },
  target: { mac: Uint8Array; ip: number },
): Bytes {
  const message = new Uint8Array(28);
  message.set([0, 1, 8, 0, 6, 4, 0, op]);
  message.set(sender.mac, 8);
  put32(message, 14, sender.ip);
  message.set(target.mac, 18);
  put32(message, 24, target.ip);
  return message;
}

/** Puts the checksums of a frame right as far as its lengths make sense; others stay. */
export function fixFrame(frame: Uint8Array): void {
  if (frame.length < IP_AT + 20 || u16(frame, ETHERTYPE_AT) !== ETHERTYPE_IP) return;
  fixPacket(frame.subarray(IP_AT));
}

/** The same for a packet of IPv4. */
export function fixPacket(packet: Uint8Array): void {
  const header = (packet[0] & 15) * 4;
  if (header < 20 || header > packet.length) return;
  put16(packet, 10, 0);
  put16(packet, 10, fold(sum(packet, 0, header)));
  const total = u16(packet, 2);
  const isFragment = (u16(packet, 6) & 0x3fff) !== 0;
  const protocol = packet[9];
  const at = CHECKSUM_AT[protocol];
  if (isFragment || at === undefined || total > packet.length) return;
  const length = total - header;
  if (length < HEADER_BYTES[protocol]) return;
  put16(packet, header + at, 0);
  const pseudo = protocol === TCP || protocol === UDP ? sum(packet, 12, 20, protocol + length) : 0;
  const checksum = fold(sum(packet, header, total, pseudo));
  put16(packet, header + at, checksum === 0 && protocol === UDP ? 0xffff : checksum);
}

/** Cuts a packet into fragments whose payloads have `size` bytes, a multiple of 8. */
export function fragments(packet: Uint8Array, size: number): Bytes[] {
  const header = (packet[0] & 15) * 4;
  const pieces: Bytes[] = [];
  for (let at = header; at < packet.length; at += size) {
    const end = Math.min(at + size, packet.length);
    const piece = concat(packet.subarray(0, header), packet.subarray(at, end));
    put16(piece, 2, piece.length);
    put16(piece, 6, ((at - header) >>> 3) | (end < packet.length ? 0x2000 : 0));
    fixPacket(piece);
    pieces.push(piece);
  }
  return pieces;
}
