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
  const operation = d.u8(at);
  d.print("BOOTP/DHCP, ");
  if (operation === 1) {
    d.print("Request");
    if (d.u8(at + 1) === 1 && d.u8(at + 2) === 6) d.print(` from ${d.mac(at + 28)}`);
  } else d.print(operation === 2 ? "Reply" : `unknown (${hex(operation, 2)})`);
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
  if (d.u8(at + 1) === 1 && d.u8(at + 2) === 6) {
    d.print(`\n\t  Client-Ethernet-Address ${d.mac(at + 28)}`);
  }
  printMessageType(d, at + FIXED_BYTES, at + length);
}

/** The first thing that options say (RFC 2132, section 9.6); the others are not told. */
function printMessageType(d: Dissection, at: number, end: number): void {
  const magic = d.u32(at);
  if (magic !== MAGIC) {
    if (magic !== 0) d.print(`\n\t  Vendor-#${hex(magic)}`);
    return;
  }
  d.print(`\n\t  Vendor-rfc1048 Extensions\n\t    Magic Cookie ${hex(MAGIC)}`);
  at += 4;
  while (at + 2 <= end) {
    const option = d.u8(at);
    if (option === 0) at++;
    else if (option === 255) return;
    else if (option !== MESSAGE_TYPE) at += 2 + d.u8(at + 1);
    else {
      const type = d.u8(at + 2);
      d.print(`\n\t    DHCP-Message (53), length ${d.u8(at + 1)}: `);
      d.print(TYPES[type] ?? `Unknown (${type})`);
      return;
    }
  }
}
