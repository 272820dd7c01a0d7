/**
 * The scoreboard of selective acknowledgments (RFC 2018, RFC 6675): the ranges beyond snd_una that
 * the peer has reported, ascending, disjoint and not touching.
 */
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { SackRange } from "./sack_t";
import * as seq from "./seq";
import { Tcb } from "./tcb_t";

/** RFC 6675 2: three later pieces reported mean that a piece is lost. */
const DUP_THRESH: u32 = 3;

/** Ranges kept for one connection; more are forgotten, which only costs a retransmission. */
const RANGES_MAX: u32 = 256;

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** What nextHole found. */
@unmanaged
@final
export class Hole {
  start: u32;
  end: u32;
  lost: u32; // 1 if RFC 6675 IsLost() holds for it
}

export const HOLE: Hole = changetype<Hole>(memory.data(offsetof<Hole>(), 16));

export function init(limit: u32): void {
  pool.init(P, offsetof<SackRange>(), limit);
}

/** Takes a reported range in; answers the bytes that are new. */
export function update(tp: Tcb, start: u32, end: u32): u32 {
  // RFC 2883 4: a block at or below SND.UNA is a report of a duplicate, not news of a hole
  if (!seq.lt(start, end) || seq.le(end, tp.snd_una) || seq.gt(end, tp.snd_max)) return 0;
  start = seq.max(start, tp.snd_una);
  let prev = changetype<SackRange>(0);
  let r = tp.sacked;
  while (r && seq.lt(r.end, start)) {
    prev = r;
    r = r.next;
  }
  const before = tp.sacked_bytes;
  if (r && seq.le(r.start, end)) {
    extend(tp, r, start, end);
    return tp.sacked_bytes - before;
  }
  if (tp.sacked_count >= RANGES_MAX) return 0;
  const fresh = changetype<SackRange>(pool.get(P));
  if (!fresh) return 0;
  fresh.start = start;
  fresh.end = end;
  fresh.next = r;
  if (prev) prev.next = fresh;
  else tp.sacked = fresh;
  tp.sacked_count++;
  tp.sacked_bytes += end - start;
  return end - start;
}

/** Widens `r` to cover start..end and swallows the ranges that this reaches. */
function extend(tp: Tcb, r: SackRange, start: u32, end: u32): void {
  const had = r.end - r.start;
  r.start = seq.min(r.start, start);
  let to = seq.max(r.end, end);
  let swallowed: u32 = 0;
  let next = r.next;
  while (next && seq.le(next.start, to)) {
    to = seq.max(to, next.end);
    swallowed += next.end - next.start;
    r.next = next.next;
    pool.put(P, changetype<usize>(next));
    tp.sacked_count--;
    next = r.next;
  }
  r.end = to;
  tp.sacked_bytes += (r.end - r.start) - had - swallowed;
}

/** Forgets what lies below the new snd_una. */
export function advance(tp: Tcb, una: u32): void {
  for (let r = tp.sacked; r && seq.lt(r.start, una); r = tp.sacked) {
    if (seq.gt(r.end, una)) {
      tp.sacked_bytes -= una - r.start;
      r.start = una;
      return;
    }
    tp.sacked_bytes -= r.end - r.start;
    tp.sacked_count--;
    tp.sacked = r.next;
    pool.put(P, changetype<usize>(r));
  }
}

/** Forgets everything: the connection ends, or the peer has reneged (RFC 2018 8). */
export function clear(tp: Tcb): void {
  for (let r = tp.sacked; r; r = tp.sacked) {
    tp.sacked = r.next;
    pool.put(P, changetype<usize>(r));
  }
  tp.sacked_bytes = 0;
  tp.sacked_count = 0;
}

/** The first number at or after `s` that the peer has not reported. */
export function skip(tp: Tcb, s: u32): u32 {
  for (let r = tp.sacked; r && seq.le(r.start, s); r = r.next) {
    if (seq.lt(s, r.end)) return r.end;
  }
  return s;
}

/** Start of the first reported range above `s`, or `s + limit` if none is nearer. */
export function nextStart(tp: Tcb, s: u32, limit: u32): u32 {
  for (let r = tp.sacked; r; r = r.next) {
    if (seq.gt(r.start, s)) return seq.min(r.start, s + limit);
  }
  return s + limit;
}

/** Reported bytes below `s`. */
export function below(tp: Tcb, s: u32): u32 {
  let n: u32 = 0;
  for (let r = tp.sacked; r && seq.lt(r.start, s); r = r.next) n += seq.min(r.end, s) - r.start;
  return n;
}

/**
 * Finds the first gap at or above `from` that lies below a reported range, into HOLE.
 *
 * @returns false if there is none.
 */
export function nextHole(tp: Tcb, from: u32): bool {
  let at = tp.snd_una;
  let above = tp.sacked_bytes;
  let count = tp.sacked_count;
  for (let r = tp.sacked; r; r = r.next) {
    if (seq.gt(r.start, at) && seq.lt(from, r.start)) {
      HOLE.start = seq.max(at, from);
      HOLE.end = r.start;
      HOLE.lost = isLost(tp, above, count) ? 1 : 0;
      return true;
    }
    above -= r.end - r.start;
    count--;
    at = r.end;
  }
  return false;
}

/** RFC 6675 4 IsLost(): `above` bytes in `count` ranges are reported above a gap. */
function isLost(tp: Tcb, above: u32, count: u32): bool {
  return count >= DUP_THRESH || above > (DUP_THRESH - 1) * u32(tp.snd_mss);
}

/** True if the first missing piece is to be taken as lost (RFC 6675 5, step 4). */
export function headLost(tp: Tcb): bool {
  return isLost(tp, tp.sacked_bytes, tp.sacked_count);
}

/** RFC 6675 4 SetPipe(): bytes thought to be in the network. */
export function pipe(tp: Tcb): u32 {
  let at = tp.snd_una;
  let above = tp.sacked_bytes;
  let count = tp.sacked_count;
  let n: u32 = 0;
  for (let r = tp.sacked; r; r = r.next) {
    if (!isLost(tp, above, count)) n += r.start - at;
    if (seq.lt(at, tp.high_rxt)) n += seq.min(tp.high_rxt, r.start) - at;
    above -= r.end - r.start;
    count--;
    at = r.end;
  }
  return n + (tp.snd_max - at);
}
