/**
 * Link layer discovery (IEEE 802.1AB): who the neighbour is.
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";
import { textOf } from "./dns_record.ts";

const END = 0, SYSTEM_NAME = 5;

/** Tells the length and the name of the system, if the message has it. */
export function printLldp(d: Dissection, at: number, length: number): void {
  d.protocol = "lldp";
  d.print(`LLDP, length ${length}`);
  const end = at + length;
  while (at + 2 <= end) {
    const head = d.u16(at);
    const [type, bytes] = [head >> 9, head & 0x1ff];
    if (type === END) return;
    d.need(at + 2, bytes);
    if (type === SYSTEM_NAME) {
      d.print(`: ${textOf(d, at + 2, bytes)}`);
      return;
    }
    at += 2 + bytes;
  }
}
