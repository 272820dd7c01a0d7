/**
 * Data of TCP, where the port says what it is.
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";
import { printDns } from "./dns.ts";
import { textOf } from "./dns_record.ts";
import { printSsh, printText } from "./text_protocols.ts";

/** Protocols of lines of text. */
const TEXT_PORTS: readonly (readonly [name: string, ports: readonly number[]])[] = [
  ["FTP", [21]],
  ["SMTP", [25]],
  ["WHOIS", [43]],
  ["HTTP", [80, 8080]],
];
/** So much of a reset's text is told. */
const RESET_TEXT_MAX = 30;
const SSH_PORTS = [22];
const DNS_PORTS = [53];

/** What is known of the segment. */
export interface Segment {
  readonly sport: number;
  readonly dport: number;
  readonly reset: boolean;
}

/** Tells the data behind the segment's line. */
export function printTcpData(
  d: Dissection,
  { sport, dport, reset }: Segment,
  at: number,
  length: number,
): void {
  const among = (ports: readonly number[]) => ports.includes(sport) || ports.includes(dport);
  if (reset && d.verbose > 0) {
    // RFC 9293, section 3.5.2: a reset may carry text that says why
    const shown = Math.min(length, RESET_TEXT_MAX);
    d.need(at, shown);
    d.print(` [RST${length > shown ? "+" : ""} ${textOf(d, at, shown)}]`);
    return;
  }
  const text = TEXT_PORTS.find(([, ports]) => among(ports));
  if (text) printText(d, text[0], at, length);
  else if (among(SSH_PORTS)) printSsh(d, at, length);
  else if (among(DNS_PORTS) && length > 2) {
    // each message has its length before it (RFC 1035, section 4.2.2)
    if (d.has(at, 2)) printDns(d, at + 2, length - 2, true);
  }
}
