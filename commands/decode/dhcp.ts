/**
 * Configuration messages (RFC 2131).
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";

const FIXED_BYTES = 236;
const MAGIC = 0x63825363;
const MESSAGE_TYPE = 53;
const TYPES = [
  "",
  "Discover",
  "Offer",
  "Request",
  "Decline",
  "ACK",
  "NACK",
  "Release",
  "Inform",
] as const;

/** Tells who asks; with `-v` the addresses and the type of message as well. */
export function printDhcp(d: Dissection, at: number, length: number): void {
  d.protocol = "bootp";
  d.need(at, FIXED_BYTES);
  d.print("BOOTP/DHCP, ");
  const operation = d.u8(at);
  if (operation === 1) {
    d.print("Request");
    if (d.u8(at + 1) === 1 && d.u8(at + 2) === 6) d.print(` from ${d.mac(at + 28)}`);
  } else d.print(operation === 2 ? "Reply" : `Unknown (${operation})`);
  d.print(`, length ${length}`);
  if (d.verbose === 0) return;
  if (d.u8(at + 3) > 0) d.print(`, hops ${d.u8(at + 3)}`);
  d.print(`, xid ${hex(d.u32(at + 4))}`);
  if (d.u16(at + 8) > 0) d.print(`, secs ${d.u16(at + 8)}`);
  const flags = d.u16(at + 10);
  d.print(`, Flags [${(flags & 0x8000) !== 0 ? "Broadcast" : "none"}]`);
  if (d.verbose > 1) d.print(` (${hex(flags, 4)})`);
  for (
    const [offset, name] of [
      [12, "Client-IP"],
      [16, "Your-IP"],
      [20, "Server-IP"],
      [24, "Gateway-IP"],
    ] as const
  ) {
    if (d.u32(at + offset) !== 0) d.print(`\n\t  ${name} ${d.ip4(at + offset)}`);
  }
  const type = messageType(d, at + FIXED_BYTES, at + length);
  if (type !== undefined) d.print(`\n\t  DHCP-Message ${TYPES[type] ?? `Unknown (${type})`}`);
}

/** The value of option 53 (RFC 2132, section 9.6), if it is there. */
function messageType(d: Dissection, at: number, end: number): number | undefined {
  if (!d.has(at, 4) || d.u32(at) !== MAGIC) return undefined;
  at += 4;
  while (at + 2 <= end && d.has(at, 2)) {
    const option = d.u8(at);
    if (option === 0) at++;
    else if (option === 255) return undefined;
    else if (option === MESSAGE_TYPE && d.has(at, 3)) return d.u8(at + 2);
    else at += 2 + d.u8(at + 1);
  }
  return undefined;
}
