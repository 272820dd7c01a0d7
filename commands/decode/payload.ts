/**
 * What a packet of IP carries, by its protocol.
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import { printGre } from "./gre.ts";
import { printIcmp } from "./icmp.ts";
import { printIcmp6 } from "./icmp6.ts";
import { printIgmp } from "./igmp.ts";
import { printIp4 } from "./ip4.ts";
import { printIp6 } from "./ip6.ts";
import { printTcp } from "./tcp.ts";
import { printUdp } from "./udp.ts";

/** Packets within packets that are told. */
const DEPTH_MAX = 16;

/** RFC 8200, section 4.7. */
const NO_NEXT = 59;

/** What protocols need to know of the packet that they came in. */
export interface IpPacket {
  readonly version: 4 | 6;
  /** Where its header begins. */
  readonly header: number;
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  /** True if it is a part of a packet only. */
  readonly fragment: boolean;
  /** True if no extension header stands between; then addresses stand before the ports. */
  readonly alone: boolean;
  readonly hopLimit: number;
}

/** Protocols of IP that are told. */
export const PROTOCOL = {
  ICMP: 1,
  IGMP: 2,
  IPV4: 4,
  TCP: 6,
  UDP: 17,
  IPV6: 41,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMP6: 58,
  SCTP: 132,
} as const;

/** Tells what begins at `at`, `length` bytes by the header of the packet. */
export function printPayload(
  d: Dissection,
  packet: IpPacket,
  at: number,
  length: number,
): void {
  if (d.depth >= DEPTH_MAX) {
    d.print("[too many packets within packets]");
    return;
  }
  d.depth++;
  switch (packet.protocol) {
    case PROTOCOL.ICMP:
      return printIcmp(d, packet, at, length);
    case PROTOCOL.IGMP:
      return printIgmp(d, at, length);
    case PROTOCOL.IPV4:
      return printIp4(d, at, length);
    case PROTOCOL.TCP:
      return printTcp(d, packet, at, length);
    case PROTOCOL.UDP:
      return printUdp(d, packet, at, length);
    case PROTOCOL.IPV6:
      return printIp6(d, at, length);
    case PROTOCOL.GRE:
      return printGre(d, at, length);
    case PROTOCOL.SCTP:
      return printSctp(d, packet, at);
    case PROTOCOL.AH:
      return printAh(d, packet, at, length);
    case PROTOCOL.ESP:
      return printEsp(d, at, length);
    case PROTOCOL.ICMP6:
      return printIcmp6(d, packet, at, length);
  }
  if (packet.protocol === NO_NEXT) d.print("no next header");
  else d.print(` ip-proto-${packet.protocol} ${length}`);
}

/** Two ends, as with the ports of TCP, UDP and SCTP. */
export function endsText({ src, dst, alone }: IpPacket, sport: number, dport: number): string {
  return alone ? `${src}.${sport} > ${dst}.${dport}: ` : `${sport} > ${dport}: `;
}

/** RFC 9260: the ends; chunks are not told. */
function printSctp(d: Dissection, packet: IpPacket, at: number): void {
  d.protocol = "sctp";
  d.need(at, 12);
  d.print(endsText(packet, d.u16(at), d.u16(at + 2)) + "sctp");
}

/** RFC 4302: the header, and what comes after it. */
function printAh(d: Dissection, packet: IpPacket, at: number, length: number): void {
  d.protocol = "ah";
  const bytes = (d.u8(at + 1) + 2) * 4;
  d.print("AH(");
  if (d.verbose > 0) d.print(`length=${d.u8(at + 1)}(${bytes}-bytes),`);
  const reserved = d.u16(at + 2);
  if (reserved !== 0) d.print(`reserved=${hex(reserved)}[MustBeZero],`);
  d.print(`spi=${hex(d.u32(at + 4), 8)},`);
  d.print(`seq=${hex(d.u32(at + 8))},`);
  d.need(at, 12);
  d.print(`icv=0x${d.hex(at + 12, Math.max(0, bytes - 12))}): `);
  printPayload(d, { ...packet, protocol: d.u8(at), alone: false }, at + bytes, length - bytes);
}

/** RFC 4303: only the numbers can be read. */
function printEsp(d: Dissection, at: number, length: number): void {
  d.protocol = "esp";
  if (!d.has(at, 8)) {
    d.cut();
    return;
  }
  d.print(`ESP(spi=${hex(d.u32(at), 8)},seq=${hex(d.u32(at + 4))}), length ${length}`);
}

/** Sum of what TCP and UDP add to their own for the checksum (RFC 9293, section 3.1). */
export function pseudoSum(d: Dissection, packet: IpPacket, length: number): number {
  const bytes = packet.version === 4 ? 8 : 32;
  const from = packet.header + (packet.version === 4 ? 12 : 8);
  let sum = packet.protocol + (length & 0xffff) + (length >>> 16);
  for (let i = 0; i < bytes; i += 2) sum += d.u16(from + i);
  return sum;
}
