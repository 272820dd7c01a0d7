/**
 * Messages of DNS (RFC 1035).
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import { CLASSES, OPCODES, RESPONSES, TYPES } from "./dns_names.ts";
import { nameAt, printRecord } from "./dns_record.ts";

const HEADER_BYTES = 12;
const RESPONSE = 0x8000, AUTHORITATIVE = 0x0400, CUT_SHORT = 0x0200, DESIRED = 0x0100;
const AVAILABLE = 0x0080, AUTHENTIC = 0x0020, CHECKING_DISABLED = 0x0010;
const MULTICAST_FLAG = 0x8000;

interface Header {
  readonly id: number;
  readonly flags: number;
  /** Numbers of questions, answers, authorities and additional records. */
  readonly counts: readonly [number, number, number, number];
}

/** Tells a message of `length` bytes. */
export function printDns(d: Dissection, at: number, length: number, overTcp: boolean): void {
  d.protocol = "domain";
  if (overTcp) d.print(" ");
  if (length < HEADER_BYTES) {
    d.print(`domain [length ${length} < ${HEADER_BYTES}]`);
    d.invalid();
    return;
  }
  d.need(at, HEADER_BYTES);
  const header: Header = {
    id: d.u16(at),
    flags: d.u16(at + 2),
    counts: [d.u16(at + 4), d.u16(at + 6), d.u16(at + 8), d.u16(at + 10)],
  };
  const whole = (header.flags & RESPONSE) !== 0
    ? printResponse(d, at, header)
    : printQuery(d, at, header);
  if (whole) d.print(` (${length})`);
  else d.cut();
}

function operation({ flags }: Header): string {
  const opcode = flags >> 11 & 15;
  return OPCODES[opcode] ?? ` op${opcode}`;
}

function printResponse(d: Dissection, at: number, header: Header): boolean {
  const { id, flags, counts: [questions, ...others] } = header;
  const response = flags & 15;
  d.print(`${id}${operation(header)}${RESPONSES[response] ?? ` Resp${response}`}`);
  if ((flags & AUTHORITATIVE) !== 0) d.print("*");
  if ((flags & AVAILABLE) === 0) d.print("-");
  if ((flags & CUT_SHORT) !== 0) d.print("|");
  if ((flags & AUTHENTIC) !== 0) d.print("$");
  if (questions !== 1) d.print(` [${questions}q]`);
  let next: number | undefined = at + HEADER_BYTES;
  for (let i = 0; i < questions && next !== undefined; i++) {
    if (d.verbose > 1) d.print(i === 0 ? " q:" : ",");
    next = question(d, at, next, d.verbose > 1);
  }
  if (next === undefined) return false;
  d.print(` ${others.join("/")}`);
  const [answers, authorities, additional] = others;
  const told = [[answers, ""], [authorities, " ns:"], [additional, " ar:"]] as const;
  return printRecords(d, at, next, d.verbose < 2 ? told.slice(0, 1) : told);
}

function printQuery(d: Dissection, at: number, header: Header): boolean {
  const { id, flags, counts } = header;
  d.print(`${id}${operation(header)}`);
  if ((flags & DESIRED) !== 0) d.print("+");
  if ((flags & CHECKING_DISABLED) !== 0) d.print("%");
  const odd = AUTHORITATIVE | CUT_SHORT | AVAILABLE | 15 | 0x40;
  if ((flags & odd) !== 0) d.print(` [b2&3=${hex(flags)}]`);
  const [questions, answers, authorities, additional] = counts;
  if (questions !== 1) d.print(` [${questions}q]`);
  for (const [count, mark] of [[answers, "a"], [authorities, "n"], [additional, "au"]] as const) {
    if (count > 0) d.print(` [${count}${mark}]`);
  }
  let next: number | undefined = at + HEADER_BYTES;
  for (let i = 0; i < questions; i++) {
    next = question(d, at, next, true);
    if (next === undefined) return false;
  }
  if (d.verbose < 2) return true;
  return printRecords(d, at, next, [[answers, " a:"], [authorities, " ns:"], [additional, " ar:"]]);
}

/** Sections of records, each after its mark; false if one was cut. */
function printRecords(
  d: Dissection,
  message: number,
  at: number,
  sections: readonly (readonly [count: number, mark: string])[],
): boolean {
  let next: number | undefined = at;
  for (const [count, mark] of sections) {
    for (let i = 0; i < count; i++) {
      d.print(i === 0 ? mark : ",");
      next = printRecord(d, message, next);
      if (next === undefined) return false;
    }
  }
  return true;
}

/** One question; undefined if it was cut, otherwise where the next begins. */
function question(d: Dissection, message: number, at: number, told: boolean): number | undefined {
  const { text, next } = nameAt(d, message, at);
  if (next === undefined || !d.has(next, 4)) return undefined;
  if (told) {
    const [type, klass] = [d.u16(next), d.u16(next + 2)];
    d.print(` ${TYPES[type] ?? `Type${type}`}`);
    const plain = klass & ~MULTICAST_FLAG;
    if ((klass & MULTICAST_FLAG) !== 0) d.print(" (QU)");
    if (plain !== 1) d.print(` ${CLASSES[plain] ?? `Class${plain}`}`);
    d.print(`? ${text}`);
  }
  return next + 4;
}
