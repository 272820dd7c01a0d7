/**
 * Parking: what is kept of a connection on which nothing happens. Of the words of a Tcb most are
 * zero, or the same in all connections; a parked connection keeps those that differ from a pattern,
 * which is the first connection that was parked. It takes a few blocks of 64 bytes from a chain:
 *
 * ```
 *   Inpcb.ppcb | 1 -> | next | alarm | mask, words, mask, words, ... | -> | next | words ... |
 * ```
 *
 * One byte of mask says which of eight words follow. Whoever asks for the connection gets a Tcb
 * again, bit for bit as it was (see tcb.ts); a keepalive timer goes on in a block of its own.
 */
import { TcpState } from "../abi/tcp";
import { Inpcb } from "../inet/in_pcb_t";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";
import { Tcb, Tf } from "./tcb_t";

/** The head of the first block of a parked connection; the others have `next` alone. */
@unmanaged
@final
export class Parked {
  next: usize; // next block
  alarm: Alarm; // its keepalive timer, nil if there is none
}

/** The timer of a parked connection. */
@unmanaged
@final
export class Alarm {
  timer_0: i64; // laid out as a Timer
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  inp: Inpcb;
}

/** State of the module. */
@unmanaged
@final
export class ParkState {
  known: u32; // 1: there is a pattern
}

const BLOCK_BYTES: u32 = 64;
/** Blocks for a connection in the mean; one that needs more is parked as long as there are some. */
const BLOCKS_EACH: u32 = 6;
/** Bytes of a block behind `next`. */
const ROOM: usize = 60;
/** Bytes of a Tcb that one byte of mask speaks of. */
const GROUP: usize = 32;
/** Bytes that are compared, and that the place of a Tcb must have: those behind it are zero. */
export const SIZE: usize = (offsetof<Tcb>() + GROUP - 1) & ~(GROUP - 1);

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: ParkState = changetype<ParkState>(memory.data(offsetof<ParkState>(), 16));
const PATTERN: usize = memory.data((offsetof<Tcb>() + 31) & ~31, 16);
/** A record in one piece: what its blocks hold behind `next`, one after the other. */
const TEXT: usize = memory.data(offsetof<Tcb>() + (offsetof<Tcb>() >> 5) + 128, 16);

/** Makes room for `limit` parked connections. */
export function init(limit: u32): void {
  pool.init(P, BLOCK_BYTES, limit * BLOCKS_EACH);
}

/** Whether nothing but a keepalive timer and the next segment or call can concern `tp`. */
export function idle(tp: Tcb, idle_us: i64): bool {
  if (tp.state != TcpState.ESTABLISHED || tp.out_listed || tp.flags & Tf.BLOCKED) return false;
  if (tp.sent_first || tp.segq || tp.fo_queue || tp.inp.so.snd.cc) return false;
  if (tp.flags & (Tf.ACKNOW | Tf.DELACK) || tp.d_keep && tp.d_keep <= clock.now()) return false;
  const timed = tp.d_rexmt | tp.d_persist | tp.d_2msl | tp.d_delack | tp.d_probe | tp.d_reorder |
    tp.d_pace | tp.d_cork;
  return timed == 0 && max<i64>(tp.rcvd_at, tp.sent_at) + idle_us <= clock.now();
}

/**
 * Writes down what differs from the pattern; the address of the record, 0 if there are no blocks.
 * `tp` must be idle and without its `inp`, and its timer goes; `fn` is called with the Alarm when
 * keepalive is due.
 */
export function write(tp: Tcb, inp: Inpcb, fn: u32): usize {
  strip(tp);
  if (!S.known) {
    S.known = 1;
    memory.copy(PATTERN, changetype<usize>(tp), SIZE);
  }
  const first = pack(encode(changetype<usize>(tp)));
  if (!first) return 0;
  if (!tp.d_keep) return first;
  const alarm = changetype<Alarm>(pool.get(P));
  if (!alarm) {
    free(first);
    return 0;
  }
  changetype<Parked>(first).alarm = alarm;
  alarm.inp = inp;
  timer.setup(changetype<Timer>(alarm), fn, changetype<usize>(alarm));
  timer.arm(changetype<Timer>(alarm), tp.d_keep);
  return first;
}

/** Takes out of a Tcb what has no meaning while it is parked. */
function strip(tp: Tcb): void {
  timer.cancel(tp.timer);
  tp.timer_0 = 0;
  tp.timer_1 = 0;
  tp.timer_2 = 0;
  tp.timer_3 = 0;
  tp.blk_next = 0;
  tp.blk_prev = 0;
  tp.blk_fn = 0;
  tp.blk_arg = 0;
}

/** Writes a record without an alarm to TEXT; answers its end. */
function encode(tp: usize): usize {
  store<usize>(TEXT, 0);
  let to = TEXT + sizeof<usize>();
  for (let at: usize = 0; at < SIZE; at += GROUP) {
    const p = tp + at;
    const q = PATTERN + at;
    let mask = i32x4.bitmask(i32x4.ne(v128.load(p), v128.load(q))) |
      (i32x4.bitmask(i32x4.ne(v128.load(p, 16), v128.load(q, 16))) << 4);
    store<u8>(to, u8(mask));
    to++;
    for (; mask; mask &= mask - 1) {
      store<u32>(to, load<u32>(p + (usize(ctz(mask)) << 2)));
      to += 4;
    }
  }
  return to;
}

/** Puts TEXT up to `end` into blocks; answers the first one, 0 if there are not enough. */
function pack(end: usize): usize {
  let first: usize = 0;
  let last: usize = 0;
  for (let from = TEXT; from < end; from += ROOM) {
    const block = pool.getDirty(P);
    if (!block) {
      if (first) free(first);
      return 0;
    }
    store<usize>(block, 0);
    move(block + sizeof<usize>(), from);
    if (first) store<usize>(last, block);
    else first = block;
    last = block;
  }
  return first;
}

/** Moves ROOM bytes. */
function move(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  store<u64>(to, load<u64>(from, 48), 48);
  store<u32>(to, load<u32>(from, 56), 56);
}

/** Puts what a record says into `tp`; all but its timer, and its places in lists. */
export function read(record: usize, tp: Tcb): void {
  let end = TEXT;
  for (let block = record; block; block = load<usize>(block)) {
    move(end, block + sizeof<usize>());
    end += ROOM;
  }
  const to = changetype<usize>(tp);
  memory.copy(to, PATTERN, SIZE);
  let from = TEXT + sizeof<usize>();
  for (let at = to; at < to + SIZE; at += GROUP) {
    let mask: u32 = load<u8>(from);
    from++;
    for (; mask; mask &= mask - 1) {
      store<u32>(at + (usize(ctz(mask)) << 2), load<u32>(from));
      from += 4;
    }
  }
}

/** Gives a record and its timer back. */
export function free(record: usize): void {
  const alarm = changetype<Parked>(record).alarm;
  if (alarm) {
    timer.cancel(changetype<Timer>(alarm));
    pool.put(P, changetype<usize>(alarm));
  }
  for (let block = record; block;) {
    const next = load<usize>(block);
    pool.put(P, block);
    block = next;
  }
}

/** Bytes that all records take. */
export function bytes(): u32 {
  return P.used * P.item;
}
