/**
 * Options of TCP.
 *
 * @module
 */

import { type Dissection, hex } from "./dissection.ts";
import type { FlowView } from "./flows.ts";

const NAMES: Readonly<Record<number, string>> = {
  0: "eol",
  1: "nop",
  2: "mss",
  3: "wscale",
  4: "sackOK",
  5: "sack",
  6: "echo",
  7: "echoreply",
  8: "TS",
  11: "cc",
  12: "ccnew",
  13: "ccecho",
  19: "md5",
  20: "scps",
  28: "uto",
  29: "tcp-ao",
  30: "mptcp",
  34: "tfo",
  254: "exp",
};
const [END, NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK] = [0, 1, 2, 3, 4, 5];
const [TIMESTAMPS, MD5, USER_TIMEOUT, FAST_OPEN, EXPERIMENT] = [8, 19, 28, 34, 254];
/** Connection counts of RFC 1644, and what came before timestamps (RFC 1072). */
const [ECHO, ECHO_REPLY, COUNT, COUNT_NEW, COUNT_ECHO] = [6, 7, 11, 12, 13];
/** How many bytes follow kind and length, where the kind says so. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  [MSS]: 2,
  [WINDOW_SCALE]: 1,
  [SACK_PERMITTED]: 0,
  [ECHO]: 4,
  [ECHO_REPLY]: 4,
  [TIMESTAMPS]: 8,
  [COUNT]: 4,
  [COUNT_NEW]: 4,
  [COUNT_ECHO]: 4,
  [MD5]: 16,
  [USER_TIMEOUT]: 2,
};
/** Where these are cut, a bracket follows the mark. */
const CLOSED: readonly number[] = [WINDOW_SCALE, SACK, TIMESTAMPS];
/** The number of an experiment that was Fast Open (RFC 7413, section 4.1.1). */
const FAST_OPEN_EXPERIMENT = 0xf989;

/** Tells the options in brackets; false if one makes no sense, which ends the line. */
export function printTcpOptions(
  d: Dissection,
  at: number,
  length: number,
  flow: FlowView | undefined,
): boolean {
  const end = at + length;
  d.print(", options [");
  let separator = "";
  while (at < end) {
    d.print(separator);
    separator = ",";
    const kind = d.u8(at++);
    if (kind === END || kind === NOP) {
      d.print(NAMES[kind]);
      if (kind === END) break;
      continue;
    }
    const bytes = d.u8(at);
    if (bytes < 2 || bytes > end - at + 1) {
      d.print("[bad opt]");
      return false;
    }
    at++;
    d.print(NAMES[kind] ?? `unknown-${kind}`);
    const wanted = FIXED_BYTES[kind] ?? bytes - 2;
    if (wanted > end - at || kind === EXPERIMENT && bytes < 4) {
      d.print("[bad opt]");
      return false;
    }
    if (!d.has(at, wanted) && CLOSED.includes(kind)) {
      if (kind === SACK) printSack(d, at, wanted, flow);
      d.cut();
      d.print(">");
      return false;
    }
    d.need(at, wanted);
    printOption(d, kind, at, wanted, flow);
    if (wanted !== bytes - 2) d.print(`[len ${bytes}]`);
    // The kind says how long it is, whatever its own length said.
    at += wanted;
  }
  d.print("]");
  return true;
}

function printOption(
  d: Dissection,
  kind: number,
  at: number,
  bytes: number,
  flow: FlowView | undefined,
): void {
  switch (kind) {
    case MSS:
      return d.print(` ${d.u16(at)}`);
    case WINDOW_SCALE:
      return d.print(` ${d.u8(at)}`);
    case SACK_PERMITTED:
      return;
    case SACK:
      return printSack(d, at, bytes, flow);
    case TIMESTAMPS:
      return d.print(` val ${d.u32(at)} ecr ${d.u32(at + 4)}`);
    case MD5:
      d.print(` shared secret not supplied with -M, can't check - ${d.hex(at, 16)}`);
      return;
    case USER_TIMEOUT:
      return printUserTimeout(d, d.u16(at));
    case FAST_OPEN:
      d.print(" ");
      return printCookie(d, at, bytes);
    case EXPERIMENT:
      return printExperiment(d, at, bytes);
    case ECHO:
    case ECHO_REPLY:
    case COUNT:
    case COUNT_NEW:
    case COUNT_ECHO:
      return d.print(` ${d.u32(at)}`);
  }
  if (bytes > 0) d.print(` 0x${d.hex(at, bytes)}`);
}

/** Blocks of RFC 2018, counted as the acknowledgments of the same segment. */
function printSack(d: Dissection, at: number, bytes: number, view: FlowView | undefined): void {
  if (bytes % 8 !== 0) {
    d.print(" invalid sack");
    return;
  }
  d.print(` ${bytes / 8} `);
  const flow = view?.flow;
  const base = flow === undefined ? 0 : view!.reversed ? flow.seq : flow.ack;
  for (let i = 0; i < bytes && d.has(at + i, 8); i += 8) {
    d.print(`{${d.u32(at + i) - base >>> 0}:${d.u32(at + i + 4) - base >>> 0}}`);
  }
}

/** RFC 5482: the first bit says minutes. */
function printUserTimeout(d: Dissection, value: number): void {
  const seconds = (value & 0x8000) !== 0 ? (value & 0x7fff) * 60 : value;
  d.print(` ${hex(value)} ${seconds}`);
}

/** RFC 7413, section 4.1.1. */
function printCookie(d: Dissection, at: number, bytes: number): void {
  if (bytes === 0) d.print(" cookiereq");
  else if (bytes % 2 !== 0 || bytes < 4 || bytes > 16) d.invalid();
  else d.print(` cookie ${d.hex(at, bytes)}`);
}

/** Experiments have a number of their own (RFC 6994). */
function printExperiment(d: Dissection, at: number, bytes: number): void {
  const experiment = d.u16(at);
  if (experiment === FAST_OPEN_EXPERIMENT) {
    d.print("-tfo");
    printCookie(d, at + 2, bytes - 2);
    return;
  }
  d.print(`-${experiment.toString(16).padStart(4, "0")}`);
}
