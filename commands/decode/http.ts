/**
 * The beginning of a message of HTTP/1.1 (RFC 9112).
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";

const METHODS = new Set([
  "GET",
  "PUT",
  "COPY",
  "HEAD",
  "LOCK",
  "MOVE",
  "POLL",
  "POST",
  "BCOPY",
  "BMOVE",
  "MKCOL",
  "TRACE",
  "LABEL",
  "MERGE",
  "DELETE",
  "SEARCH",
  "UNLOCK",
  "REPORT",
  "UPDATE",
  "NOTIFY",
  "BDELETE",
  "CONNECT",
  "OPTIONS",
  "CHECKIN",
  "PROPFIND",
  "CHECKOUT",
  "CCM_POST",
  "SUBSCRIBE",
  "PROPPATCH",
  "BPROPFIND",
  "BPROPPATCH",
  "UNCHECKOUT",
  "MKACTIVITY",
  "MKWORKSPACE",
  "UNSUBSCRIBE",
  "RPC_CONNECT",
  "VERSION-CONTROL",
  "BASELINE-CONTROL",
]);

/** Tells the first line, or with `-v` all lines. */
export function printHttp(d: Dissection, at: number, length: number): void {
  d.protocol = "http";
  d.print(": HTTP");
  const end = Math.min(at + length, d.limit);
  if (!isMessage(d, at, end)) return;
  if (d.verbose > 0) d.print(`, length: ${length}`);
  if (lineAt(d, at, end).binary) return;
  if (d.verbose === 0) d.print(":");
  let from = at;
  while (from < end) {
    const line = lineAt(d, from, end);
    d.print((d.verbose > 0 ? "\n\t" : " ") + line.text);
    if (line.next === undefined) {
      d.cut();
      return;
    }
    if (d.verbose === 0) return;
    from = line.next;
  }
}

/** True if it begins with a method or a status. */
function isMessage(d: Dissection, at: number, end: number): boolean {
  const text = String.fromCharCode(...d.data.subarray(at, Math.min(end, at + 64)));
  const [word, second = ""] = text.split(/[ \t\r\n]+/);
  if (METHODS.has(word) && text.length > word.length) return true;
  return text.startsWith("HTTP/") && /^\d{3}/.test(second);
}

interface Line {
  readonly text: string;
  /** Where the next begins; none if the end of this was not captured. */
  readonly next?: number;
  /** True if it ends at a byte that is not of text. */
  readonly binary?: true;
}

function lineAt(d: Dissection, from: number, end: number): Line {
  let text = "";
  for (let i = from; i < end; i++) {
    const byte = d.data[i];
    if (byte === 0x0a) return { text, next: i + 1 };
    if (byte === 0x0d) {
      return d.data[i + 1] === 0x0a && i + 1 < end ? { text, next: i + 2 } : { text, binary: true };
    }
    if ((byte < 0x20 || byte > 0x7e) && byte !== 0x09) return { text, binary: true };
    text += String.fromCharCode(byte);
  }
  return { text };
}
