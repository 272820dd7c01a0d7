/**
 * Bytes below a line: hexadecimal digits, text, or both.
 *
 * @module
 */

import { type Dissection, hexOf } from "./dissection.ts";
import type { DumpStyle } from "./options.ts";

const ROW_BYTES = 16;
/** Columns of sixteen bytes in pairs. */
const HEX_COLUMNS = 40;

/** Rows of 16 bytes, each after a line's end. */
export function dumpRows(bytes: Uint8Array, withText: boolean): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = bytes.subarray(at, at + ROW_BYTES);
    const pairs = hexOf(row).match(/.{1,4}/g)!.join(" ");
    const offset = `\n\t0x${at.toString(16).padStart(4, "0")}:  `;
    text += withText
      ? `${offset}${pairs.padEnd(HEX_COLUMNS)} ${Array.from(row, printable).join("")}`
      : offset + pairs;
  }
  return text;
}

/** The rows of a packet that cannot be told, unless they are to come anyway. */
export function printRows(d: Dissection, at: number): void {
  const { dump = "none", quiet = false } = d.options;
  if (!quiet && (dump === "none" || dump === "text")) {
    d.print(dumpRows(d.data.subarray(at, d.limit), true));
  }
}

/** Bytes in a style of dump. */
export function dump(bytes: Uint8Array, style: DumpStyle): string {
  if (style === "none") return "";
  if (style === "text") return "\n" + asciiText(bytes);
  return dumpRows(bytes, style === "hex-and-text");
}

function printable(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}

/** Line ends, tabs and blanks stay as they are; a carriage return before a line's end goes. */
function asciiText(bytes: Uint8Array): string {
  let text = "";
  bytes.forEach((byte, i) => {
    if (byte === 0x0d && (bytes[i + 1] === 0x0a || i + 1 === bytes.length)) {
      if (i + 1 === bytes.length) text += ".";
      return;
    }
    text += byte === 0x0a || byte === 0x09 || byte === 0x20
      ? String.fromCharCode(byte)
      : printable(byte);
  });
  return text;
}
