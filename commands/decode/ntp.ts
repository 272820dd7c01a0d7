/**
 * Time messages (RFC 5905): the first byte.
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";

const MODES = [
  "unspecified",
  "symmetric active",
  "symmetric passive",
  "Client",
  "Server",
  "Broadcast",
  "Control Message",
  "Reserved",
] as const;
const MESSAGE_BYTES_MIN = 48;

/** Tells version and mode. */
export function printNtp(d: Dissection, at: number, length: number): void {
  d.protocol = "ntp";
  if (length < MESSAGE_BYTES_MIN) {
    d.print(`NTP, length ${length}`);
    d.invalid();
    return;
  }
  const first = d.u8(at);
  d.print(`NTPv${first >> 3 & 7}, ${MODES[first & 7]}, length ${length}`);
}
