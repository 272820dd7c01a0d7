/**
 * UDP (RFC 768).
 *
 * @module
 */

import { printDhcp } from "./dhcp.ts";
import { type Dissection, hex, sumWanted } from "./dissection.ts";
import { printDns } from "./dns.ts";
import { printNtp } from "./ntp.ts";
import { endsText, type IpPacket, pseudoSum } from "./payload.ts";
import { printVxlan } from "./vxlan.ts";

const HEADER_BYTES = 8;
const DNS_PORTS = [53, 5353];
const DHCP_PORTS = [67, 68];
const NTP_PORT = 123;
const VXLAN_PORT = 4789;

/** Tells a datagram of `length` bytes. */
export function printUdp(d: Dissection, packet: IpPacket, at: number, length: number): void {
  d.protocol = "udp";
  const { src, dst } = packet;
  if (!d.has(at, 4)) {
    d.print(`${src} > ${dst}: `);
    d.cut();
    return;
  }
  const [sport, dport] = [d.u16(at), d.u16(at + 2)];
  d.print(endsText(packet, sport, dport));
  if (length < HEADER_BYTES) {
    d.print(`truncated-udp ${length}`);
    return;
  }
  if (!d.has(at, 6)) {
    d.cut();
    return;
  }
  // 0 stands for what IP says (RFC 2675, section 4)
  const told = d.u16(at + 4) || length;
  if (told < HEADER_BYTES) {
    d.print(`truncated-udplength ${told}`);
    return;
  }
  const dataBytes = Math.min(told, length) - HEADER_BYTES;
  if (!d.has(at, HEADER_BYTES)) {
    d.cut();
    return;
  }
  const outer = d.limit;
  d.limit = Math.min(outer, at + HEADER_BYTES + dataBytes);
  const claimed = told - HEADER_BYTES;
  const generic = claimed > dataBytes && !packet.fragment
    ? `UDP, bad length ${claimed} > ${dataBytes}`
    : `UDP, length ${claimed}`;
  if (d.options.quiet) d.print(generic);
  else {
    if (!packet.fragment) printSum(d, packet, at, told);
    if (!printData(d, sport, dport, at + HEADER_BYTES, dataBytes)) d.print(generic);
  }
  d.limit = outer;
}

/** Over IPv6 the checksum must be there, and what is wrong is told with `-v` already. */
function printSum(d: Dissection, packet: IpPacket, at: number, length: number): void {
  if (d.options.uncheckedSums || d.verbose < (packet.version === 4 ? 2 : 1)) return;
  const there = d.u16(at + 6);
  if (there === 0 && packet.version === 4) d.print("[no cksum] ");
  if (there === 0 && packet.version === 4 || !d.has(at, length)) return;
  const sum = d.sum(at, length, pseudoSum(d, packet, length));
  d.print(
    sum === 0
      ? "[udp sum ok] "
      : `[bad udp cksum ${hex(there, 4)} -> ${hex(sumWanted(there, sum), 4)}!] `,
  );
}

/** Tells the data if a port says what it is; otherwise false. */
function printData(
  d: Dissection,
  sport: number,
  dport: number,
  at: number,
  length: number,
): boolean {
  const among = (ports: readonly number[]) => ports.includes(sport) || ports.includes(dport);
  if (among(DNS_PORTS)) printDns(d, at, length, false);
  else if (among(DHCP_PORTS)) printDhcp(d, at, length);
  else if (among([NTP_PORT])) printNtp(d, at, length);
  else if (dport === VXLAN_PORT) printVxlan(d, at, length);
  else return false;
  return true;
}
