/**
 * IPv6 (RFC 8200).
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import { IP_PROTOCOLS } from "./names.ts";
import { type IpPacket, printPayload } from "./payload.ts";

const HEADER_BYTES = 40;
const HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60;
const MORE_FRAGMENTS = 1;
/** Protocols whose line begins with addresses and ports. */
const WITH_PORTS = [6, 17, 132];

/** Tells a packet; `length` bytes of it were on the wire, padding included. */
export function printIp6(d: Dissection, at: number, length: number): void {
  d.protocol = "ip6";
  const version = d.u8(at) >> 4;
  if (version !== 6) {
    d.print(version === 4 ? "IP6, wrong link-layer encapsulation" : `IP${version}`);
    d.invalid();
    return;
  }
  if (!d.has(at, HEADER_BYTES)) {
    d.cut();
    return;
  }
  if (!d.options.link) d.print("IP6 ");
  if (length < HEADER_BYTES) {
    d.print(`truncated-ip6 ${length}`);
    return;
  }
  const payload = d.u16(at + 4);
  const missing = payload + HEADER_BYTES - length;
  if (missing > 0) d.print(`truncated-ip6 - ${missing} bytes missing!`);
  if (d.verbose > 0) printHeader(d, at, payload);
  const outer = d.limit;
  d.limit = Math.min(outer, at + HEADER_BYTES + payload);
  printBody(d, at, payload);
  d.limit = outer;
}

function printHeader(d: Dissection, at: number, payload: number): void {
  const word = d.u32(at);
  const [klass, label, next] = [word >>> 20 & 0xff, word & 0xfffff, d.u8(at + 6)];
  d.print("(");
  if (klass !== 0) d.print(`class ${hex(klass, 2)}, `);
  if (label !== 0) d.print(`flowlabel ${hex(label, 5)}, `);
  d.print(`hlim ${d.u8(at + 7)}, next-header ${IP_PROTOCOLS[next] ?? "unknown"} (${next})`);
  d.print(` payload length: ${payload}) `);
}

/** Options of hop-by-hop and destination headers (RFC 8200, section 4.2). */
function printOptions(d: Dissection, at: number, length: number): void {
  const end = at + length;
  while (at < end) {
    const type = d.u8(at);
    if (type === 0) {
      d.print("(pad1) ");
      at++;
      continue;
    }
    if (end - at < 2) return;
    const bytes = d.u8(at + 1);
    if (type === 1) d.print("(padn) ");
    else if (type === 5 && bytes === 2) d.print(`(rtalert: ${hex(d.u16(at + 2), 4)}) `);
    else d.print(`(opt_type ${hex(type, 2)}: len=${bytes}) `);
    at += 2 + bytes;
  }
}

/** Follows the chain of extension headers to what the packet carries. */
function printBody(d: Dissection, at: number, payload: number): void {
  const [src, dst] = [d.ip6(at + 8), d.ip6(at + 24)];
  const end = at + HEADER_BYTES + payload;
  let protocol = d.u8(at + 6);
  let next = at + HEADER_BYTES;
  let fragment = false;
  if (!WITH_PORTS.includes(protocol)) d.print(`${src} > ${dst}: `);
  while (true) {
    if (protocol === HOP_BY_HOP || protocol === DESTINATION || protocol === ROUTING) {
      d.protocol = protocol === ROUTING ? "rt6" : protocol === DESTINATION ? "dstopt" : "hbhopt";
      const bytes = (d.u8(next + 1) + 1) * 8;
      d.need(next, bytes);
      d.print(protocol === ROUTING ? "srcrt " : protocol === DESTINATION ? "DSTOPT " : "HBH ");
      protocol = d.u8(next);
      if (d.verbose > 0 && d.protocol !== "rt6") printOptions(d, next + 2, bytes - 2);
      next += bytes;
    } else if (protocol === FRAGMENT) {
      d.protocol = "frag6";
      const field = d.u16(next + 2);
      const [offset, more] = [field & 0xfff8, (field & MORE_FRAGMENTS) !== 0];
      const bytes = end - next - 8;
      const id = d.verbose > 0 ? `${hex(d.u32(next + 4), 8)}:` : "";
      d.need(next, 8);
      d.print(`frag (${id}${offset}|${bytes})`);
      protocol = d.u8(next);
      next += 8;
      fragment = more || offset !== 0;
      if (offset !== 0) return;
      d.print(" ");
    } else break;
  }
  const packet: IpPacket = {
    version: 6,
    header: at,
    src,
    dst,
    protocol,
    fragment,
    alone: protocol === d.u8(at + 6),
    hopLimit: d.u8(at + 7),
  };
  printPayload(d, packet, next, end - next);
}
