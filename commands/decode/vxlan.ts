/**
 * VXLAN (RFC 7348).
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import { printEthernet } from "./link.ts";

const HEADER_BYTES = 8;
const HAS_IDENTIFIER = 0x08;

/** Tells the header and the frame behind it. */
export function printVxlan(d: Dissection, at: number, length: number): void {
  d.protocol = "vxlan";
  d.print("VXLAN");
  if (length < HEADER_BYTES) {
    d.invalid();
    return;
  }
  const flags = d.u8(at);
  d.print(`, flags [${(flags & HAS_IDENTIFIER) !== 0 ? "I" : "invalid"}] (${hex(flags, 2)}), `);
  d.print(`vni ${d.u32(at + 4) >>> 8}\n`);
  printEthernet(d, at + HEADER_BYTES, length - HEADER_BYTES);
}
