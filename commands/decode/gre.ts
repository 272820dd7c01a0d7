/**
 * GRE (RFC 2784, RFC 2890).
 *
 * @module
 */

import { bits, type Dissection, hex } from "./dissection.ts";
import { printEthernet, printType } from "./link.ts";

const CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000;
const FLAGS = [
  [CHECKSUM, "checksum present"],
  [ROUTING, "routing present"],
  [KEY, "key present"],
  [SEQUENCE, "sequence# present"],
] as const;
const VERSION = 7;
const ETHERNET = 0x6558;
const PROTOCOLS: Readonly<Record<number, string>> = {
  0x0800: "IPv4",
  0x86dd: "IPv6",
  0x6558: "TEB",
};

/** Tells the header and what it carries. */
export function printGre(d: Dissection, at: number, length: number): void {
  d.protocol = "gre";
  const flags = d.u16(at);
  const version = flags & VERSION;
  d.print(`GREv${version}`);
  if (version !== 0) {
    // version 1 is that of PPTP (RFC 2637)
    d.print(`, length ${length}`);
    return;
  }
  if (d.verbose > 0) d.print(`, Flags [${bits(flags, FLAGS, ", ")}]`);
  const type = d.u16(at + 2);
  let next = at + 4;
  if ((flags & (CHECKSUM | ROUTING)) !== 0) {
    const sum = d.u16(next);
    if (d.verbose > 0) d.print(`, sum ${hex(sum)}`);
    d.print(`, off ${hex(d.u16(next + 2))}`);
    next += 4;
  }
  if ((flags & KEY) !== 0) {
    d.print(`, key=${hex(d.u32(next))}`);
    next += 4;
  }
  if ((flags & SEQUENCE) !== 0) {
    d.print(`, seq ${d.u32(next)}`);
    next += 4;
  }
  if ((flags & ROUTING) !== 0) {
    d.print(", routing present");
    return;
  }
  if (d.options.link) {
    d.print(`, proto ${PROTOCOLS[type] ?? "unknown"} (${hex(type, 4)})`);
  }
  d.print(`, length ${length}`);
  d.print(d.verbose < 1 ? ": " : "\n\t");
  const rest = length - (next - at);
  if (type === ETHERNET) printEthernet(d, next, rest);
  else if (!printType(d, type, next, rest)) d.print(`gre-proto-${hex(type)}`);
}
