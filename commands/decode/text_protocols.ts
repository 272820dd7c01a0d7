/**
 * Protocols of lines of text: HTTP/1.1 (RFC 9112), and others that are told as they are.
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

/** Tells the first line, or with `-v` all lines; of HTTP only if it begins a message. */
export function printText(d: Dissection, name: string, at: number, length: number): void {
  d.protocol = name.toLowerCase();
  d.print(`: ${name}`);
  const end = Math.min(at + length, d.limit);
  if (name === "HTTP" && !isMessage(d, at, end)) return;
  const first = lineAt(d, at, end);
  if (first.next === undefined && !first.binary && !d.has(at, length)) {
    // the capture ends in the first line
    d.cut();
    return;
  }
  if (d.verbose > 0) d.print(`, length: ${length}`);
  if (first.binary) return;
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

/** The version of SSH (RFC 4253, section 4.2): a line of text before all is encrypted. */
export function printSsh(d: Dissection, at: number, length: number): void {
  d.protocol = "ssh";
  const { text, next, binary } = lineAt(d, at, Math.min(at + length, d.limit));
  if (text === "" && next === undefined && !binary) d.cut();
  if (!text.startsWith("SSH-") || binary) return;
  d.print(`: SSH: ${text}`);
  if (next === undefined) d.cut();
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
      if (i + 1 === end) return { text };
      return d.data[i + 1] === 0x0a ? { text, next: i + 2 } : { text, binary: true };
    }
    if ((byte < 0x20 || byte > 0x7e) && byte !== 0x09) return { text, binary: true };
    text += String.fromCharCode(byte);
  }
  return { text };
}
