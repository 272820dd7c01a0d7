/**
 * IPv4 (RFC 791).
 *
 * @module
 */

import { bits, type Dissection, hex, sumWanted } from "./dissection.ts";
import { printIp4Options } from "./ip4_options.ts";
import { IP_PROTOCOLS } from "./names.ts";
import { type IpPacket, printPayload } from "./payload.ts";

const HEADER_BYTES = 20;
const OFFSET_MASK = 0x1fff;
const MORE_FRAGMENTS = 0x2000;
const FLAGS = [[0x2000, "+"], [0x4000, "DF"], [0x8000, "rsvd"]] as const;
/** Codepoints of RFC 3168. */
const ECN = ["", ",ECT(1)", ",ECT(0)", ",CE"] as const;
/** Protocols whose line begins with addresses and ports. */
const WITH_PORTS = [6, 17, 132];

/** Tells a packet; `length` bytes of it were on the wire, padding included. */
export function printIp4(d: Dissection, at: number, length: number): void {
  d.protocol = "ip";
  const version = d.u8(at) >> 4;
  if (version !== 4) {
    d.print(version === 6 ? "wrong link-layer encapsulation" : `IP${version}`);
    d.invalid();
    return;
  }
  if (!d.options.link) d.print("IP ");
  if (length < HEADER_BYTES) {
    d.print(`truncated-ip ${length}`);
    return;
  }
  if (!d.has(at, HEADER_BYTES)) {
    d.cut();
    return;
  }
  const headerBytes = (d.u8(at) & 15) * 4;
  if (headerBytes < HEADER_BYTES) {
    d.print(`bad-hlen ${headerBytes}`);
    return;
  }
  const total = d.u16(at + 2);
  if (length < total) d.print(`truncated-ip - ${total - length} bytes missing! `);
  if (total < headerBytes) {
    d.print(`bad-len ${total}`);
    return;
  }
  // what lies behind is padding of the frame
  const outer = d.limit;
  d.limit = Math.min(outer, at + total);
  if (d.verbose > 0) printHeader(d, at, headerBytes);
  printBody(d, at, headerBytes, total);
  d.limit = outer;
}

function printHeader(d: Dissection, at: number, headerBytes: number): void {
  const [tos, ttl, protocol, offset] = [d.u8(at + 1), d.u8(at + 8), d.u8(at + 9), d.u16(at + 6)];
  d.print(`(tos ${hex(tos)}${ECN[tos & 3]}`);
  if (ttl >= 1) d.print(`, ttl ${ttl}`);
  d.print(`, id ${d.u16(at + 4)}, offset ${(offset & OFFSET_MASK) * 8}`);
  d.print(`, flags [${bits(offset, FLAGS, ", ")}]`);
  d.print(`, proto ${IP_PROTOCOLS[protocol] ?? "unknown"} (${protocol})`);
  d.print(`, length ${d.u16(at + 2)}`);
  if (headerBytes > HEADER_BYTES) {
    d.print(", options (");
    const whole = printIp4Options(d, at + HEADER_BYTES, headerBytes - HEADER_BYTES);
    if (!whole) d.print(" [truncated-option]");
    d.print(")");
  }
  if (!d.options.uncheckedSums && d.has(at, headerBytes)) {
    const sum = d.sum(at, headerBytes);
    if (sum !== 0) {
      const there = d.u16(at + 10);
      d.print(`, bad cksum ${there.toString(16)} (->${sumWanted(there, sum).toString(16)})!`);
    }
  }
  d.print(")\n    ");
}

function printBody(d: Dissection, at: number, headerBytes: number, total: number): void {
  const [offset, protocol] = [d.u16(at + 6), d.u8(at + 9)];
  const packet: IpPacket = {
    version: 4,
    header: at,
    src: d.ip4(at + 12),
    dst: d.ip4(at + 16),
    protocol,
    fragment: (offset & (MORE_FRAGMENTS | OFFSET_MASK)) !== 0,
    alone: true,
    hopLimit: d.u8(at + 8),
  };
  if ((offset & OFFSET_MASK) !== 0) {
    // the header of the protocol was in the first fragment
    d.print(`${packet.src} > ${packet.dst}: ip-proto-${protocol}`);
    return;
  }
  if (!WITH_PORTS.includes(protocol)) d.print(`${packet.src} > ${packet.dst}: `);
  if (!d.has(at, headerBytes)) {
    d.print(` [remaining caplen(${d.limit - at}) < header length(${headerBytes})]`);
    d.cut();
    return;
  }
  printPayload(d, packet, at + headerBytes, total - headerBytes);
}
