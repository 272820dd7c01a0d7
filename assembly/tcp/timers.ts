/**
 * The timers of a connection. Each row has a deadline in the Tcb; one wheel timer stands at or
 * before the earliest of them. Setting a later deadline touches one word, so the retransmission
 * timer can move with every ACK; when the wheel fires too early it is armed again.
 */
import * as clock from "../sys/clock";
import * as timer from "../sys/timer";
import { Tcb } from "./tcb_t";

/** Rows, in the order of the deadlines in Tcb. */
export const enum Row {
  REXMT = 0, // retransmission (RFC 6298)
  PERSIST = 1, // zero-window probe (RFC 9293 3.8.6.1)
  KEEP = 2, // keepalive (RFC 9293 3.8.4), and the limit of a handshake
  MSL2 = 3, // FIN-WAIT-2 of a closed socket
  DELACK = 4, // delayed ACK (RFC 9293 3.8.6.3)
  PROBE = 5, // tail loss probe (RFC 8985 7.2)
  REORDER = 6, // RACK's reordering window (RFC 8985 6.2, step 5)
  PACE = 7, // the next paced segment
  CORK = 8, // data held back by the user; see nagle.ts
  COUNT = 9,
}

function at(tp: Tcb, row: i32): usize {
  return changetype<usize>(tp) + offsetof<Tcb>("d_rexmt") + (usize(row) << 3);
}

/** Prepares the wheel timer of a new connection; `fn(tp)` is called when it fires. */
export function setup(tp: Tcb, fn: u32): void {
  timer.setup(tp.timer, fn, changetype<usize>(tp));
}

/** Sets the deadline of a row to `delay_us` from now. */
export function set(tp: Tcb, row: i32, delay_us: i64): void {
  const when = clock.now() + delay_us;
  store<i64>(at(tp, row), when);
  const t = tp.timer;
  if (!timer.pending(t) || when < t.when) timer.arm(t, when);
}

/** Switches a row off. */
export function clear(tp: Tcb, row: i32): void {
  store<i64>(at(tp, row), 0);
}

/**
 * Sets the one of REXMT, PROBE and REORDER that watches over what is in flight; at any time it is
 * one of them (RFC 8985 7.2).
 */
export function watch(tp: Tcb, row: i32, delay_us: i64): void {
  unwatch(tp);
  set(tp, row, delay_us);
}

/** Nothing is in flight any more. */
export function unwatch(tp: Tcb): void {
  tp.d_rexmt = 0;
  tp.d_probe = 0;
  tp.d_reorder = 0;
}

/** True if something watches over what is in flight, or over a closed window. */
export function watched(tp: Tcb): bool {
  return (tp.d_rexmt | tp.d_probe | tp.d_reorder | tp.d_persist) != 0;
}

/** True if the row has a deadline. */
export function isSet(tp: Tcb, row: i32): bool {
  return load<i64>(at(tp, row)) != 0;
}

/** Switches everything off; the block may go. */
export function stop(tp: Tcb): void {
  for (let row: i32 = 0; row < Row.COUNT; row++) clear(tp, row);
  timer.cancel(tp.timer);
}

/** Takes a row that is due at `now`: answers true once and switches it off. */
export function take(tp: Tcb, row: i32, now: i64): bool {
  const when = load<i64>(at(tp, row));
  if (when == 0 || when > now) return false;
  clear(tp, row);
  return true;
}

/** Arms the wheel timer for the earliest deadline, if there is one. */
export function rearm(tp: Tcb): void {
  let first: i64 = i64.MAX_VALUE;
  for (let row: i32 = 0; row < Row.COUNT; row++) {
    const when = load<i64>(at(tp, row));
    if (when != 0 && when < first) first = when;
  }
  if (first != i64.MAX_VALUE) timer.arm(tp.timer, first);
}
