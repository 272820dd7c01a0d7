/**
 * How many connections a listener has that took data from a SYN and whose peer is not confirmed
 * (RFC 7413 4.2.2, PendingFastOpenRequests). One that is reset then still counts for a minute:
 * whoever resets may be the one whose address was forged (5.1).
 */
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { FoQueue, RESET_SLOTS, Tfo } from "./fastopen_t";
import { Tcb } from "./tcb_t";

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** One span of the ring; all of it but one make the minute. */
const SLOT_US: i64 = 4_000_000;

export function init(limit: u32): void {
  pool.init(P, offsetof<FoQueue>(), limit);
}

/** What `tp`, a listener or to become one, has for Fast Open, made if need be; nil: no memory. */
export function obtain(tp: Tcb): FoQueue {
  if (!tp.fo_queue) {
    const q = changetype<FoQueue>(pool.get(P));
    if (q) q.refs = 1;
    tp.fo_queue = q;
  }
  return tp.fo_queue;
}

/** True if one more may be pending. */
export function hasRoom(q: FoQueue): bool {
  turn(q);
  return q.pending + q.resets < q.limit;
}

/** `tp` is pending. */
export function enter(tp: Tcb, q: FoQueue): void {
  tp.fo_queue = q;
  tp.tfo |= Tfo.PENDING;
  q.pending++;
  q.refs++;
}

/** `tp` is pending no more, or ends: as a listener, or by a reset of its peer. */
export function leave(tp: Tcb, reset: bool): void {
  const q = tp.fo_queue;
  if (!q) return;
  if (tp.tfo & Tfo.PENDING) {
    tp.tfo &= ~Tfo.PENDING;
    q.pending--;
    if (reset) count(q);
  }
  tp.fo_queue = changetype<FoQueue>(0);
  q.refs--;
  if (q.refs == 0) pool.put(P, changetype<usize>(q));
}

function slot(q: FoQueue, i: u32): usize {
  return changetype<usize>(q) + offsetof<FoQueue>("resets_0") + ((i % RESET_SLOTS) << 1);
}

/** Empties the spans of the ring that are over. */
function turn(q: FoQueue): void {
  const now = u32(clock.now() / SLOT_US);
  const passed = min<u32>(now - q.slot, RESET_SLOTS);
  for (let i: u32 = 0; i < passed; i++) {
    const at = slot(q, now - i);
    q.resets -= load<u16>(at);
    store<u16>(at, 0);
  }
  q.slot = now;
}

function count(q: FoQueue): void {
  turn(q);
  const at = slot(q, q.slot);
  if (load<u16>(at) == 0xffff) return;
  store<u16>(at, load<u16>(at) + 1);
  q.resets++;
}
