/**
 * Group membership (RFC 2236, RFC 3376).
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";

const QUERY = 0x11, REPORT_1 = 0x12, DVMRP = 0x13, PIM = 0x14, REPORT_2 = 0x16, LEAVE = 0x17;
const REPORT_3 = 0x22;
const RECORDS: Readonly<Record<number, string>> = {
  1: "is_in",
  2: "is_ex",
  3: "to_in",
  4: "to_ex",
  5: "allow",
  6: "block",
};

/** Tells a message of `length` bytes. */
export function printIgmp(d: Dissection, at: number, length: number): void {
  d.protocol = "igmp";
  if (d.options.quiet) {
    d.print("igmp");
    return;
  }
  const type = d.u8(at);
  switch (type) {
    case QUERY:
      if (length >= 12) printQuery3(d, at, length);
      else printQuery(d, at);
      break;
    case REPORT_1:
      d.print(`igmp v1 report ${d.ip4(at + 4)}`);
      if (length !== 8) d.print(` [len ${length}]`);
      break;
    case REPORT_2:
      d.print(`igmp v2 report ${d.ip4(at + 4)}`);
      break;
    case REPORT_3:
      printReport3(d, at, length);
      break;
    case LEAVE:
      d.print(`igmp leave ${d.ip4(at + 4)}`);
      break;
    case DVMRP:
      d.print("igmp dvmrp");
      break;
    case PIM:
      d.print("igmp pimv1");
      break;
    default:
      d.print(`igmp-${type}`);
  }
  if (d.verbose > 0 && d.has(at, length)) {
    if (d.sum(at, length) !== 0) d.print(` bad igmp cksum ${d.u16(at + 2).toString(16)}!`);
  }
}

function printQuery(d: Dissection, at: number): void {
  const delay_ds = d.u8(at + 1);
  if (delay_ds === 0) {
    d.print("igmp query v1");
    d.need(at + 4, 4);
    return;
  }
  d.print("igmp query v2");
  if (delay_ds !== 100) d.print(` [max resp time ${delay_ds}]`);
  if (d.u32(at + 4) !== 0) d.print(` [gaddr ${d.ip4(at + 4)}]`);
}

/** A byte that is a floating-point number from 128 on (RFC 3376, section 4.1.1). */
function longCode(code: number): number {
  return code < 128 ? code : (code & 15 | 16) << (code >> 4 & 7) + 3;
}

function printQuery3(d: Dissection, at: number, length: number): void {
  d.print("igmp query v3");
  if (length < 12 || length % 4 !== 0) {
    d.print(` [invalid len ${length}]`);
    return;
  }
  const delay_ds = longCode(d.u8(at + 1));
  if (delay_ds !== 100) {
    d.print(` [max resp time ${(delay_ds / 10).toFixed(1)}s]`);
  }
  const sources = d.u16(at + 10);
  if (d.u32(at + 4) === 0 && sources === 0) return;
  d.print(` [gaddr ${d.ip4(at + 4)}`);
  if (sources > 0) {
    if (length < 12 + 4 * sources) {
      d.print(` [invalid number of sources]`);
    } else if (d.verbose > 1) {
      d.print(" {");
      for (let i = 0; i < sources; i++) d.print(` ${d.ip4(at + 12 + 4 * i)}`);
      d.print(" }");
    } else d.print(`, ${sources} source(s)`);
  }
  d.print("]");
}

function printReport3(d: Dissection, at: number, length: number): void {
  d.print("igmp v3 report");
  if (length < 16 || length % 4 !== 0) {
    d.print(` [invalid len ${length}]`);
    return;
  }
  const records = d.u16(at + 6);
  d.print(`, ${records} group record(s)`);
  if (d.verbose === 0) return;
  let next = 8;
  for (let i = 0; i < records; i++) {
    if (length < next + 8) {
      d.print(` [invalid number of groups]`);
      return;
    }
    d.print(` [gaddr ${d.ip4(at + next + 4)}`);
    const type = d.u8(at + next);
    d.print(` ${RECORDS[type] ?? ` [v3-report-#${type}]`}`);
    const sources = d.u16(at + next + 2);
    next += 8;
    if (length < next + 4 * sources) {
      d.print(` [invalid number of sources ${sources}]`);
      return;
    }
    d.print(d.verbose > 1 ? " {" : `, ${sources} source(s)`);
    if (d.verbose > 1) {
      for (let s = 0; s < sources; s++) d.print(` ${d.ip4(at + next + 4 * s)}`);
      d.print(" }");
    }
    next += 4 * sources;
    d.print("]");
  }
}
