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

/** The first block of a parked connection; the words begin behind it. */
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
  at: usize; // next byte to write or read
  end: usize; // end of its block
  block: usize; // the block
  known: u32; // 1: there is a pattern
}

const BLOCK_BYTES: u32 = 64;
/** Blocks for a connection in the mean; one that needs more is parked as long as there are some. */
const BLOCKS_EACH: u32 = 6;
const SIZE: usize = offsetof<Tcb>();
/** Bytes of a Tcb that one byte of mask speaks of. */
const GROUP: usize = 32;

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: ParkState = changetype<ParkState>(memory.data(offsetof<ParkState>(), 16));
const PATTERN: usize = memory.data(offsetof<Tcb>(), 16);

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
  const first = pool.getDirty(P);
  if (!first) return 0;
  const parked = changetype<Parked>(first);
  parked.next = 0;
  parked.alarm = changetype<Alarm>(0);
  begin(first);
  strip(tp);
  if (!S.known) {
    S.known = 1;
    memory.copy(PATTERN, changetype<usize>(tp), SIZE);
  }
  for (let at: usize = 0; at < SIZE; at += GROUP) {
    if (!writeGroup(changetype<usize>(tp) + at, PATTERN + at, min<usize>(SIZE - at, GROUP))) {
      free(first);
      return 0;
    }
  }
  if (!tp.d_keep) return first;
  const alarm = changetype<Alarm>(pool.get(P));
  if (!alarm) {
    free(first);
    return 0;
  }
  parked.alarm = alarm;
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

/** Begins to write or read behind the head of the first block. */
function begin(first: usize): void {
  S.block = first;
  S.at = first + offsetof<Parked>();
  S.end = first + BLOCK_BYTES;
}

/** Has the next bytes of a record written to another block if they do not fit into this one. */
function more(bytes: usize): bool {
  if (S.end - S.at >= bytes) return true;
  const block = pool.getDirty(P);
  if (!block) return false;
  store<usize>(block, 0);
  store<usize>(S.block, block);
  S.block = block;
  S.at = block + sizeof<usize>();
  S.end = block + BLOCK_BYTES;
  return true;
}

function writeGroup(from: usize, pattern: usize, bytes: usize): bool {
  let mask: u32 = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    if (load<u32>(from + i) != load<u32>(pattern + i)) mask |= 1 << (u32(i) >> 2);
  }
  if (!more(1)) return false;
  store<u8>(S.at, u8(mask));
  S.at++;
  for (; mask; mask &= mask - 1) {
    if (!more(4)) return false;
    store<u32>(S.at, load<u32>(from + (usize(ctz(mask)) << 2)));
    S.at += 4;
  }
  return true;
}

/** Goes on reading in the next block if the next bytes were not written to this one. */
function onward(bytes: usize): void {
  if (S.end - S.at >= bytes) return;
  S.block = load<usize>(S.block);
  S.at = S.block + sizeof<usize>();
  S.end = S.block + BLOCK_BYTES;
}

/** Puts what a record says into `tp`; all but its timer, and its places in lists. */
export function read(record: usize, tp: Tcb): void {
  const to = changetype<usize>(tp);
  memory.copy(to, PATTERN, SIZE);
  begin(record);
  for (let at: usize = 0; at < SIZE; at += GROUP) {
    onward(1);
    let mask: u32 = load<u8>(S.at);
    S.at++;
    for (; mask; mask &= mask - 1) {
      onward(4);
      store<u32>(to + at + (usize(ctz(mask)) << 2), load<u32>(S.at));
      S.at += 4;
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
