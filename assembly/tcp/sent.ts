/**
 * The segments in flight (RFC 8985 5.1): one record for each, in two lists. By sequence number,
 * from snd_una to snd_nxt without a gap; and by the time of the last sending, of those that are
 * neither reported nor taken as lost. The counters of the Tcb always agree with the records:
 *
 * ```
 *   sacked_bytes  SACKED            lost_bytes  LOST
 *   lost_todo     LOST, not RESENT  resent_bytes  RESENT
 * ```
 *
 * Without SACK the sacked_ counters say instead what duplicate ACKs let us infer; see reno.ts.
 */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as stat from "../sys/stat";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import { Tcb } from "./tcb_t";

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

export function init(limit: u32): bool {
  return pool.init(P, offsetof<Sent>(), limit);
}

/** Bytes thought to be in the network (RFC 6675 4, "pipe"; RFC 9293 FlightSize less what left). */
export function pipe(tp: Tcb): u32 {
  return tp.snd_nxt - tp.snd_una - tp.sacked_bytes - tp.lost_bytes + tp.resent_bytes;
}

/** A record for start <= x < end, which is about to leave the first time; nil without memory. */
export function append(tp: Tcb, start: u32, end: u32): Sent {
  const r = changetype<Sent>(pool.get(P));
  if (!r) return r;
  r.start = start;
  r.end = end;
  r.sends = 1;
  r.prev = tp.sent_last;
  if (tp.sent_last) tp.sent_last.next = r;
  else tp.sent_first = r;
  tp.sent_last = r;
  tp.sent_count++;
  touch(tp, r);
  return r;
}

/** It leaves now: it is the last by time. */
function touch(tp: Tcb, r: Sent): void {
  r.at = clock.now();
  r.later = changetype<Sent>(0);
  r.earlier = tp.rack_last;
  if (tp.rack_last) tp.rack_last.later = r;
  else tp.rack_first = r;
  tp.rack_last = r;
}

/** Takes it off the list by time, if it stands there. */
function untime(tp: Tcb, r: Sent): void {
  if (r.earlier) r.earlier.later = r.later;
  else if (tp.rack_first == r) tp.rack_first = r.later;
  else return;
  if (r.later) r.later.earlier = r.earlier;
  else tp.rack_last = r.earlier;
  r.later = changetype<Sent>(0);
  r.earlier = changetype<Sent>(0);
}

/** It was sent again because it was taken as lost. */
export function resent(tp: Tcb, r: Sent): void {
  const len = r.end - r.start;
  if (r.flags & Sf.LOST && !(r.flags & Sf.RESENT)) tp.lost_todo -= len;
  if (!(r.flags & Sf.RESENT)) tp.resent_bytes += len;
  r.flags |= Sf.RESENT;
  again(tp, r);
}

/** It was sent again as a probe: nothing is known to be lost (RFC 8985 7.3). */
export function again(tp: Tcb, r: Sent): void {
  r.flags |= Sf.EVER;
  r.sends++;
  if (r.flags & Sf.SACKED) return; // it cannot be found lost
  untime(tp, r);
  touch(tp, r);
}

/** Takes it as lost, or as lost once more. */
export function lose(tp: Tcb, r: Sent): void {
  const len = r.end - r.start;
  untime(tp, r);
  if (r.flags & Sf.RESENT) {
    r.flags &= ~Sf.RESENT;
    tp.resent_bytes -= len;
    stat.inc(Stat.TCP_LOST_REXMT);
    if (r.flags & Sf.LOST) tp.lost_todo += len;
  }
  if (!(r.flags & Sf.LOST)) {
    r.flags |= Sf.LOST;
    tp.lost_bytes += len;
    tp.lost_todo += len;
  }
  if (!tp.lost_hint || seq.lt(r.start, tp.lost_hint.start)) tp.lost_hint = r;
}

/** It was not lost after all, or must not count as lost any more. */
function found(tp: Tcb, r: Sent, len: u32): void {
  if (r.flags & Sf.LOST) {
    tp.lost_bytes -= len;
    if (!(r.flags & Sf.RESENT)) tp.lost_todo -= len;
  }
  if (r.flags & Sf.RESENT) tp.resent_bytes -= len;
}

/** The peer has reported it (RFC 2018). */
export function report(tp: Tcb, r: Sent): void {
  const len = r.end - r.start;
  found(tp, r, len);
  untime(tp, r);
  r.flags = (r.flags & Sf.EVER) | Sf.SACKED;
  tp.sacked_bytes += len;
  tp.sacked_segments++;
}

/** Forgets that anything was lost: the timeout or the reports deceived us (RFC 4015). */
export function unlose(tp: Tcb): void {
  let near = tp.rack_last;
  for (let r = tp.sent_first; r && tp.lost_bytes > 0; r = r.next) {
    if (!(r.flags & Sf.LOST)) continue;
    const len = r.end - r.start;
    const waits = !(r.flags & Sf.RESENT);
    tp.lost_bytes -= len;
    if (waits) tp.lost_todo -= len;
    r.flags &= ~Sf.LOST;
    if (waits) {
      insertByTime(tp, r, near);
      near = r;
    }
  }
  tp.lost_hint = changetype<Sent>(0);
}

/** True if the last sending of `a` was before that of `r`. */
function isEarlier(a: Sent, r: Sent): bool {
  return a.at < r.at || (a.at == r.at && seq.lt(a.start, r.start));
}

/**
 * Puts it back on the list by time, where its last sending belongs. `near`: a place on the list,
 * nil or a record, from which it is not far.
 */
function insertByTime(tp: Tcb, r: Sent, near: Sent): void {
  let before = near ? near : tp.rack_last;
  while (before && !isEarlier(before, r)) before = before.earlier;
  if (before) {
    while (before.later && isEarlier(before.later, r)) before = before.later;
  }
  r.earlier = before;
  r.later = before ? before.later : tp.rack_first;
  if (before) before.later = r;
  else tp.rack_first = r;
  if (r.later) r.later.earlier = r;
  else tp.rack_last = r;
}

/** The first segment that is lost and waits to be sent again, or nil. */
export function nextLost(tp: Tcb): Sent {
  let r = tp.lost_hint;
  while (r && (r.flags & (Sf.LOST | Sf.RESENT)) != Sf.LOST) r = r.next;
  tp.lost_hint = r;
  return r;
}

/**
 * Cuts `r` in two behind its first `len` bytes: it has become too large for one segment.
 *
 * @returns false without memory; it stays whole.
 */
export function split(tp: Tcb, r: Sent, len: u32): bool {
  const rest = changetype<Sent>(pool.get(P));
  if (!rest) return false;
  rest.start = r.start + len;
  rest.end = r.end;
  rest.at = r.at;
  rest.flags = r.flags;
  rest.sends = r.sends;
  r.end = rest.start;
  rest.prev = r;
  rest.next = r.next;
  if (r.next) r.next.prev = rest;
  else tp.sent_last = rest;
  r.next = rest;
  tp.sent_count++;
  if (r.flags & Sf.SACKED) tp.sacked_segments++;
  else if ((r.flags & (Sf.LOST | Sf.RESENT)) != Sf.LOST) insertByTime(tp, rest, r);
  return true;
}

/**
 * Moves up to `room` bytes from the record behind `r` into `r`, if that one is lost too and waits:
 * what is sent again need not be cut as it was (RFC 9293 3.8.1).
 */
export function join(tp: Tcb, r: Sent, room: u32): void {
  const mask = Sf.SACKED | Sf.LOST | Sf.RESENT;
  let n = r.next;
  while (n && room > 0 && (n.flags & mask) == Sf.LOST) {
    const len = n.end - n.start;
    r.flags |= n.flags & Sf.EVER;
    if (len > room) {
      n.start += room;
      r.end += room;
      return;
    }
    const next = n.next;
    r.end = n.end;
    r.next = next;
    if (next) next.prev = r;
    else tp.sent_last = r;
    if (tp.sent_hint == n) tp.sent_hint = r;
    tp.sent_count--;
    pool.put(P, changetype<usize>(n));
    room -= len;
    n = next;
  }
}

/** The last record, lost and about to be sent again, takes `len` numbers beyond snd_nxt in. */
export function extend(tp: Tcb, r: Sent, len: u32): void {
  r.end += len;
  tp.snd_nxt += len;
  tp.lost_bytes += len;
  tp.lost_todo += len;
}

/** Takes the first record out: its last number is acknowledged. */
export function shift(tp: Tcb): void {
  const r = tp.sent_first;
  const len = r.end - r.start;
  if (r.flags & Sf.SACKED) {
    tp.sacked_bytes -= len;
    tp.sacked_segments--;
  } else {
    found(tp, r, len);
    untime(tp, r);
  }
  tp.sent_first = r.next;
  if (r.next) r.next.prev = changetype<Sent>(0);
  else tp.sent_last = changetype<Sent>(0);
  if (tp.lost_hint == r) tp.lost_hint = r.next;
  if (tp.sent_hint == r) tp.sent_hint = r.next;
  tp.sent_count--;
  pool.put(P, changetype<usize>(r));
}

/** Takes the records from `s` on out, which were the last to be made: they could not leave. */
export function retract(tp: Tcb, s: u32): void {
  for (let r = tp.sent_last; r && seq.ge(r.start, s); r = tp.sent_last) {
    untime(tp, r);
    tp.sent_last = r.prev;
    if (r.prev) r.prev.next = changetype<Sent>(0);
    else tp.sent_first = changetype<Sent>(0);
    if (tp.sent_hint == r) tp.sent_hint = changetype<Sent>(0);
    tp.sent_count--;
    pool.put(P, changetype<usize>(r));
  }
}

/** Part of the first record is acknowledged: it begins at `una` now. */
export function trim(tp: Tcb, una: u32): void {
  const r = tp.sent_first;
  const len = una - r.start;
  if (r.flags & Sf.SACKED) tp.sacked_bytes -= len;
  else found(tp, r, len);
  r.start = una;
}

/** The peer has taken its reports back (RFC 2018 8): all of it is to be sent again. */
export function renege(tp: Tcb): void {
  let near = tp.rack_last;
  for (let r = tp.sent_first; r; r = r.next) {
    if (!(r.flags & Sf.SACKED)) continue;
    tp.sacked_bytes -= r.end - r.start;
    tp.sacked_segments--;
    r.flags &= ~Sf.SACKED;
    insertByTime(tp, r, near);
    near = r;
  }
}

/** Bytes between two sequence numbers. */
function distance(a: u32, b: u32): u32 {
  return seq.lt(a, b) ? b - a : a - b;
}

/**
 * The first record that ends beyond `s`, or nil. It is looked for from the nearest of both ends and
 * the place of the last search.
 */
export function find(tp: Tcb, s: u32): Sent {
  const last = tp.sent_last;
  if (!last) return last;
  let r = tp.sent_hint ? tp.sent_hint : tp.sent_first;
  let near = distance(s, r.start);
  if (distance(s, tp.sent_first.start) < near) {
    r = tp.sent_first;
    near = distance(s, r.start);
  }
  if (distance(s, last.start) < near) r = last;
  while (r && seq.gt(r.start, s) && r.prev) r = r.prev;
  while (r && seq.le(r.end, s)) r = r.next;
  if (r) tp.sent_hint = r;
  return r;
}

/** Segments that were sent again and are thought to be in the network. */
export function countResent(tp: Tcb): i32 {
  if (tp.resent_bytes == 0) return 0;
  let n: i32 = 0;
  for (let r = tp.sent_first; r; r = r.next) {
    if (r.flags & Sf.RESENT) n++;
  }
  return n;
}

/** True if one more segment can be kept. */
export function available(): bool {
  return P.used < P.limit;
}

/** Forgets everything: the connection ends. */
export function clear(tp: Tcb): void {
  while (tp.sent_first) shift(tp);
}

/** Records that are out, of all connections. */
export function used(): u32 {
  return P.used;
}
