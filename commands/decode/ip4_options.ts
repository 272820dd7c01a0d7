/**
 * Options of IPv4 (RFC 791, section 3.1).
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";

const NAMES: Readonly<Record<number, string>> = {
  0: "EOL",
  1: "NOP",
  7: "RR",
  68: "timestamp",
  82: "traceroute",
  130: "security",
  131: "LSRR",
  137: "SSRR",
  148: "RA",
  222: "finn",
};
const TIMESTAMP_KINDS: Readonly<Record<number, string>> = {
  0: "TSONLY",
  1: "TS+ADDR",
  3: "PRESPEC",
};
const [END, NOP, RECORD_ROUTE, TIMESTAMP, LOOSE, STRICT, ALERT] = [0, 1, 7, 68, 131, 137, 148];

/** Tells the options in brackets; false if one was cut. */
export function printIp4Options(d: Dissection, at: number, length: number): boolean {
  const end = at + length;
  let separator = "";
  while (at < end) {
    d.print(separator);
    separator = ",";
    const type = d.u8(at);
    d.print(NAMES[type] ?? `unknown ${type}`);
    if (type === END) return true;
    if (type === NOP) {
      at++;
      continue;
    }
    if (!d.has(at, 2)) return false;
    const bytes = d.u8(at + 1);
    if (bytes < 2 || bytes > end - at) {
      d.print(` [bad length ${bytes}]`);
      return true;
    }
    if (!d.has(at, bytes)) return false;
    if (type === RECORD_ROUTE || type === LOOSE || type === STRICT) printRoute(d, at, bytes);
    else if (type === TIMESTAMP) printTimestamps(d, at, bytes);
    else if (type === ALERT) printAlert(d, at, bytes);
    at += bytes;
  }
  return true;
}

/** Addresses; the comma stands at where the pointer is. */
function printRoute(d: Dissection, at: number, bytes: number): void {
  if (bytes < 3) {
    d.print(` [bad length ${bytes}]`);
    return;
  }
  const pointer = d.u8(at + 2) - 1;
  if ((bytes + 1) % 4 !== 0) d.print(` [bad length ${bytes}]`);
  if (pointer < 3 || (pointer + 1) % 4 !== 0) d.print(` [bad ptr ${pointer + 1}]`);
  let separator = " ";
  for (let i = 3; i + 4 <= bytes; i += 4) {
    d.print(separator + d.ip4(at + i));
    separator = pointer > i ? ", " : " ";
  }
  if (pointer === bytes) d.print(",");
}

function printTimestamps(d: Dissection, at: number, bytes: number): void {
  if (bytes < 4) {
    d.print(`[bad length ${bytes}]`);
    return;
  }
  d.print(" TS{");
  const kind = d.u8(at + 3) & 15;
  const step = kind === 0 ? 4 : 8;
  if ((bytes - 4) % step !== 0) d.print(`[bad length ${bytes}]`);
  const pointer = d.u8(at + 2) - 1;
  if (pointer < 4 || (pointer - 4) % step !== 0 || pointer > bytes) {
    d.print(`[bad ptr ${pointer + 1}]`);
  }
  const name = TIMESTAMP_KINDS[kind];
  if (name === undefined) {
    d.print(`[bad ts type ${kind}]}`);
    return;
  }
  d.print(name);
  for (let i = 4; i + step <= bytes; i += step) {
    const address = step === 8 ? d.ip4(at + i) : "";
    d.print(`${pointer === i ? " ^ " : " "}${d.u32(at + i + step - 4)}@${address}`);
  }
  if (pointer === bytes) d.print(" ^ ");
  const missed = d.u8(at + 3) >> 4;
  d.print(missed !== 0 ? ` [${missed} hops not recorded]} ` : "}");
}

/** RFC 2113. */
function printAlert(d: Dissection, at: number, bytes: number): void {
  if (bytes < 4) {
    d.print("(bad length)");
    return;
  }
  const value = d.u16(at + 2);
  if (value !== 0) d.print(` value ${value}`);
}
