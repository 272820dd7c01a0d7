/**
 * ICMP messages of ping and traceroute (RFC 792), as raw sockets give and take them.
 *
 * @module
 */

/** Types of messages. */
export const IcmpType = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  ECHO: 8,
  TIME_EXCEEDED: 11,
} as const;

const IP_HEADER_BYTES = 20;
/** Bytes of an ICMP header; of an echo they hold its identifier and sequence number. */
export const ICMP_HEADER_BYTES = 8;

/** A message that a raw socket received. */
export interface IcmpMessage {
  /** Who sent it. */
  readonly source: string;
  /** Of the packet. */
  readonly ttl: number;
  /** An `IcmpType`. */
  readonly type: number;
  /** Says more, of errors. */
  readonly code: number;
  /** Identifier of an echo. */
  readonly id: number;
  /** Sequence number of an echo; of "fragmentation needed" the MTU (RFC 1191 4). */
  readonly seq: number;
  /** What follows its header. */
  readonly body: Uint8Array;
  /** Bytes of header and body. */
  readonly length: number;
}

/** A packet that an error came back for: its header and the first 8 bytes behind. */
export interface QuotedPacket {
  /** Where it was to go. */
  readonly destination: string;
  /** Its protocol. */
  readonly protocol: number;
  /** The first four words of 16 bits of what it carried: ports, or the header of an echo. */
  readonly words: readonly number[];
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** An echo request. */
export function echoRequest(id: number, seq: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ICMP_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(body, ICMP_HEADER_BYTES);
  bytes[0] = IcmpType.ECHO;
  view.setUint16(4, id);
  view.setUint16(6, seq);
  view.setUint16(2, ~sumOf(bytes) & 0xffff);
  return bytes;
}

/** Bytes of the IPv4 header at the beginning; 0 if there is none. */
function headerOf(bytes: Uint8Array): number {
  const length = (bytes[0] & 15) * 4;
  return bytes[0] >> 4 === 4 && length >= IP_HEADER_BYTES && length <= bytes.length ? length : 0;
}

/** Reads what a raw socket gave, which begins with the IP header; undefined if it is cut short. */
export function readIcmp(packet: Uint8Array): IcmpMessage | undefined {
  const header = headerOf(packet);
  if (header === 0 || packet.length < header + ICMP_HEADER_BYTES) return undefined;
  const message = packet.subarray(header);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return {
    source: packet.subarray(12, 16).join("."),
    ttl: packet[8],
    type: message[0],
    code: message[1],
    id: view.getUint16(4),
    seq: view.getUint16(6),
    body: message.subarray(ICMP_HEADER_BYTES),
    length: message.length,
  };
}

/** The packet that an error quotes (RFC 792); undefined for what quotes none. */
export function readQuoted({ type, body }: IcmpMessage): QuotedPacket | undefined {
  if (type !== IcmpType.UNREACHABLE && type !== IcmpType.TIME_EXCEEDED) return undefined;
  const header = headerOf(body);
  if (header === 0 || body.length < header + 8) return undefined;
  const view = new DataView(body.buffer, body.byteOffset + header, 8);
  return {
    destination: body.subarray(16, 20).join("."),
    protocol: body[9],
    words: [0, 2, 4, 6].map((at) => view.getUint16(at)),
  };
}

/** Reasons of "destination unreachable" by code (RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1). */
const UNREACHABLE: readonly (readonly [words: string, mark: string])[] = [
  ["Destination Net Unreachable", "!N"],
  ["Destination Host Unreachable", "!H"],
  ["Destination Protocol Unreachable", "!P"],
  ["Destination Port Unreachable", ""],
  ["Fragmentation needed", "!F"],
  ["Source Route Failed", "!S"],
  ["Destination Net Unknown", "!U"],
  ["Destination Host Unknown", "!W"],
  ["Source Host Isolated", "!I"],
  ["Destination Net Prohibited", "!A"],
  ["Destination Host Prohibited", "!Z"],
  ["Destination Net Unreachable for Type of Service", "!Q"],
  ["Destination Host Unreachable for Type of Service", "!T"],
  ["Packet filtered", "!X"],
  ["Precedence Violation", "!V"],
  ["Precedence Cutoff", "!C"],
];

/** What an error says, in words. */
export function errorWords(type: number, code: number): string {
  if (type === IcmpType.TIME_EXCEEDED) {
    return code === 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
  }
  return UNREACHABLE[code]?.[0] ?? `Destination Unreachable, code ${code}`;
}

/** What traceroute marks the error with; empty for a port that nobody listens on. */
export function errorMark(type: number, code: number): string {
  if (type === IcmpType.TIME_EXCEEDED) return "";
  return UNREACHABLE[code]?.[1] ?? `!<${code}>`;
}
