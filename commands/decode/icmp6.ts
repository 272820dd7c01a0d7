/**
 * ICMPv6 (RFC 4443, RFC 4861).
 *
 * @module
 */

import { type Dissection, hex, sumWanted } from "./dissection.ts";
import { type IpPacket, pseudoSum } from "./payload.ts";

const NAMES: Readonly<Record<number, string>> = {
  1: "destination unreachable",
  2: "packet too big",
  3: "time exceeded in-transit",
  4: "parameter problem",
  128: "echo request",
  129: "echo reply",
  130: "multicast listener query",
  131: "multicast listener report",
  132: "multicast listener done",
  133: "router solicitation",
  134: "router advertisement",
  135: "neighbor solicitation",
  136: "neighbor advertisement",
  137: "redirect",
  143: "multicast listener report v2",
};

/** Tells a message of `length` bytes. */
export function printIcmp6(d: Dissection, packet: IpPacket, at: number, length: number): void {
  d.protocol = "icmp6";
  d.need(at, 4);
  if (d.verbose > 0 && !packet.fragment && d.has(at, length)) {
    const there = d.u16(at + 2);
    const sum = d.sum(at, length, pseudoSum(d, packet, length));
    d.print(
      sum === 0
        ? "[icmp6 sum ok] "
        : `[bad icmp6 cksum ${hex(there, 4)} -> ${hex(sumWanted(there, sum), 4)}!] `,
    );
  }
  const type = d.u8(at);
  const name = NAMES[type] ?? `unknown icmp6 type (${type})`;
  d.print(`ICMP6, ${name}`);
  if (type === 128 || type === 129) d.print(`, id ${d.u16(at + 4)}, seq ${d.u16(at + 6)}`);
  else if (type === 135) d.print(`, who has ${d.ip6(at + 8)}`);
  else if (type === 136) d.print(`, tgt is ${d.ip6(at + 8)}`);
  if (d.verbose === 0) d.print(`, length ${length}`);
}
