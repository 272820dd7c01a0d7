/**
 * Packets byte by byte, for tests of what is printed of them; checksums are right unless a field
 * says otherwise.
 *
 * @module
 */

/** Bytes of a frame or a part of one. */
export type Bytes = readonly number[];

/** A frame with a name. */
export type NamedFrame = readonly [name: string, frame: Bytes];

/** The two bytes of a number. */
export const u16 = (value: number): Bytes => [value >> 8 & 255, value & 255];
/** The four bytes of a number. */
export const u32 = (value: number): Bytes => [...u16(value >>> 16), ...u16(value & 0xffff)];
/** Characters of ASCII. */
export const text = (string: string): Bytes => [...new TextEncoder().encode(string)];
/** An IPv4 address. */
export const ip4 = (address: string): Bytes => address.split(".").map(Number);

/** An IPv6 address with one `::`. */
export function ip6(address: string): Bytes {
  const [head, tail] = address.split("::").map((half) => half.split(":").filter((g) => g !== ""));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => u16(Number.parseInt(group, 16)));
}

/** The Internet checksum of bytes (RFC 1071). */
export function checksum(bytes: Bytes): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Bytes with two of them, at `at`, replaced. */
function put16(bytes: Bytes, at: number, value: number): Bytes {
  return [...bytes.slice(0, at), ...u16(value), ...bytes.slice(at + 2)];
}

/** The two hosts. */
export const A = "10.0.0.1", B = "10.0.0.2";
/** Their Ethernet addresses. */
export const MAC_A = [2, 0, 0, 0, 0, 1], MAC_B = [2, 0, 0, 0, 0, 2];

interface Ip4Header {
  readonly src?: string;
  readonly dst?: string;
  readonly tos?: number;
  readonly fragment?: number;
  readonly ttl?: number;
  readonly options?: Bytes;
  readonly badSum?: boolean;
  readonly total?: number;
}

/** A packet of IPv4. */
export function v4(protocol: number, payload: Bytes, header: Ip4Header = {}): Bytes {
  const { src = A, dst = B, tos = 0, fragment = 0x4000, ttl = 64, options = [] } = header;
  const bytes = 20 + options.length;
  const head = [
    0x40 | bytes / 4,
    tos,
    ...u16(header.total ?? bytes + payload.length),
    ...u16(4711),
    ...u16(fragment),
    ttl,
    protocol,
    0,
    0,
    ...ip4(src),
    ...ip4(dst),
    ...options,
  ];
  const sum = checksum(head) ^ (header.badSum ? 0x1234 : 0);
  return [...put16(head, 10, sum), ...payload];
}

/** A packet of IPv6. */
export function v6(next: number, payload: Bytes, src = "2001:db8::1", dst = "2001:db8::2"): Bytes {
  return [0x60, 0, 0, 0, ...u16(payload.length), next, 64, ...ip6(src), ...ip6(dst), ...payload];
}

interface Segment {
  readonly sport?: number;
  readonly dport?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags: number;
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: Bytes;
  readonly data?: Bytes;
  readonly badSum?: boolean;
  readonly words?: number;
}

/** A segment in a packet; from B to A if `back`. */
export function tcp(s: Segment, back = false, header: Ip4Header = {}): Bytes {
  const { sport = 40000, dport = 5001, seq = 1000, ack = 0, options = [], data = [] } = s;
  const [src, dst] = back ? [B, A] : [A, B];
  const segment = [
    ...(back ? [...u16(dport), ...u16(sport)] : [...u16(sport), ...u16(dport)]),
    ...u32(seq),
    ...u32(ack),
    (s.words ?? (20 + options.length) / 4) << 4,
    s.flags,
    ...u16(s.window ?? 501),
    0,
    0,
    ...u16(s.urgent ?? 0),
    ...options,
    ...data,
  ];
  return v4(6, summed(segment, 16, 6, src, dst, s.badSum), { src, dst, ...header });
}

/** A checksum over the pseudo-header (RFC 9293, section 3.1) put into its place. */
function summed(
  bytes: Bytes,
  at: number,
  protocol: number,
  src: string,
  dst: string,
  bad = false,
): Bytes {
  const pseudo = [...ip4(src), ...ip4(dst), 0, protocol, ...u16(bytes.length)];
  return put16(bytes, at, checksum([...pseudo, ...bytes]) ^ (bad ? 0x0101 : 0));
}

/** A datagram in a packet. */
export function udp(sport: number, dport: number, data: Bytes, header: Ip4Header = {}): Bytes {
  const bytes = [...u16(sport), ...u16(dport), ...u16(8 + data.length), 0, 0, ...data];
  const { src = A, dst = B } = header;
  return v4(17, summed(bytes, 6, 17, src, dst), header);
}

/** A message of ICMP. */
export function icmp(type: number, code: number, rest: Bytes): Bytes {
  const message = [type, code, 0, 0, ...rest];
  return put16(message, 2, checksum(message));
}

/** An Ethernet frame. */
export function ether(type: number, payload: Bytes, tags: Bytes = []): Bytes {
  return [...MAC_B, ...MAC_A, ...tags, ...u16(type), ...payload];
}

/** A message of ARP. */
export function arp(operation: number, target: Bytes = [0, 0, 0, 0, 0, 0]): Bytes {
  const head = [...u16(1), ...u16(0x0800), 6, 4, ...u16(operation)];
  return [...head, ...MAC_A, ...ip4(A), ...target, ...ip4(B)];
}

/** Flags of TCP. */
export const FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128;
/** Options of a SYN. */
export const SYN_OPTIONS: Bytes = [2, 4, 5, 180, 4, 2, 8, 10, ...u32(7), ...u32(0), 1, 3, 3, 7];
