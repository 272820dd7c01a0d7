/**
 * Names and records of DNS (RFC 1035, sections 3 and 4.1.4).
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import { CLASSES, TYPES } from "./dns_names.ts";

const POINTER = 0xc0;
const FLUSH = 0x8000;
/** A name has at most 127 labels; pointers beyond that go in a circle. */
const JUMPS_MAX = 127;
const EDNS = 41;
const DNSSEC_OK = 0x8000;

/** A name; `next` is undefined if it was cut or makes no sense. */
export interface Name {
  readonly text: string;
  readonly next?: number;
}

/** Reads a name, following pointers into the message. */
export function nameAt(d: Dissection, message: number, at: number): Name {
  let text = "";
  let next: number | undefined;
  let jumps = 0;
  while (true) {
    if (!d.has(at, 1)) return { text };
    const length = d.u8(at);
    if (length === 0) return { text: text || ".", next: next ?? at + 1 };
    if ((length & POINTER) === POINTER) {
      if (!d.has(at, 2) || ++jumps > JUMPS_MAX) return { text };
      next ??= at + 2;
      const target = message + (d.u16(at) & 0x3fff);
      if (target >= at) return { text: text + "<BAD PTR>" };
      at = target;
    } else if ((length & POINTER) !== 0 || !d.has(at + 1, length)) return { text };
    else {
      text += textOf(d, at + 1, length) + ".";
      at += 1 + length;
    }
  }
}

/** Characters that can be printed; others as the terminal would show their keys. */
export function textOf(d: Dissection, at: number, length: number): string {
  return Array.from(d.data.subarray(at, at + length), (byte) => {
    const seven = byte & 0x7f;
    const meta = byte > 0x7f ? "M-" : "";
    if (seven >= 0x20 && seven < 0x7f) return meta + String.fromCharCode(seven);
    return `${meta}^${String.fromCharCode(seven ^ 0x40)}`;
  }).join("");
}

/** Tells a record; undefined if it was cut, otherwise where the next begins. */
export function printRecord(d: Dissection, message: number, at: number): number | undefined {
  const { text, next } = nameAt(d, message, at);
  if (next === undefined || !d.has(next, 10)) return undefined;
  const [type, klass, ttl] = [d.u16(next), d.u16(next + 2), d.u32(next + 4)];
  const bytes = d.u16(next + 8);
  const data = next + 10;
  if (d.verbose > 0) d.print(` ${text}`);
  if (type === EDNS) {
    d.print(` OPT UDPsize=${klass}`);
    if ((ttl & DNSSEC_OK) !== 0) d.print(" DO");
    return data + bytes;
  }
  const plain = klass & ~FLUSH;
  if (plain !== 1) d.print(` ${CLASSES[plain] ?? `Class${plain}`}`);
  if ((klass & FLUSH) !== 0) d.print(" (Cache flush)");
  if (d.verbose > 2) d.print(` [${span(ttl)}]`);
  d.print(` ${TYPES[type] ?? `Type${type}`}`);
  if (!d.has(data, bytes)) return undefined;
  return printData(d, message, type, data, bytes) ? data + bytes : undefined;
}

/** Weeks, days, hours, minutes and seconds, those that are not 0. */
function span(seconds: number): string {
  const units = [[604800, "w"], [86400, "d"], [3600, "h"], [60, "m"], [1, "s"]] as const;
  if (seconds === 0) return "0s";
  let text = "";
  for (const [unit, letter] of units) {
    const count = Math.floor(seconds / unit);
    if (count > 0) text += `${count}${letter}`;
    seconds %= unit;
  }
  return text;
}

function printData(
  d: Dissection,
  message: number,
  type: number,
  at: number,
  bytes: number,
): boolean {
  const name = (from: number) => {
    const { text, next } = nameAt(d, message, from);
    d.print(` ${text}`);
    return next;
  };
  switch (type) {
    case 1:
      if (bytes < 4) return false;
      d.print(` ${d.ip4(at)}`);
      return true;
    case 28:
      if (bytes < 16) return false;
      d.print(` ${d.ip6(at)}`);
      return true;
    case 2: // NS, CNAME, PTR, DNAME
    case 5:
    case 12:
    case 39:
      return name(at) !== undefined;
    case 6:
      return printAuthority(d, at, name);
    case 15:
      if (name(at + 2) === undefined) return false;
      d.print(` ${d.u16(at)}`);
      return true;
    case 16:
      return printTexts(d, at, bytes);
    case 33: {
      const { text, next } = nameAt(d, message, at + 6);
      d.print(` ${text}:${d.u16(at + 4)} ${d.u16(at)} ${d.u16(at + 2)}`);
      return next !== undefined;
    }
    case 257:
      d.print(` ${hex(d.u8(at))}`);
      return true;
  }
  return true;
}

/** The start of a zone's authority; its numbers with `-v`. */
function printAuthority(
  d: Dissection,
  at: number,
  name: (from: number) => number | undefined,
): boolean {
  if (d.verbose < 1) return true;
  const mailbox = name(at);
  const numbers = mailbox === undefined ? undefined : name(mailbox);
  if (numbers === undefined || !d.has(numbers, 20)) return false;
  for (let i = 0; i < 20; i += 4) d.print(` ${d.u32(numbers + i)}`);
  return true;
}

function printTexts(d: Dissection, at: number, bytes: number): boolean {
  const end = at + bytes;
  while (at < end) {
    const length = d.u8(at);
    if (at + 1 + length > end) return false;
    d.print(` "${textOf(d, at + 1, length)}"`);
    at += 1 + length;
  }
  return true;
}
