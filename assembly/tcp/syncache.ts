/**
 * Half-open connections in compact records (RFC 4987 3.5): a SYN costs one record and no socket.
 * The record answers with SYN-ACK, repeats it, and becomes a connection when the ACK comes.
 */
import { Th } from "../abi/tcp";
import { Stat } from "../abi/stat";
import { Inpcb } from "../inet/in_pcb_t";
import * as arena from "../sys/arena";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import * as opt from "../wire/tcp_options";
import * as challenge from "./challenge";
import * as fastopen_key from "./fastopen_key";
import * as options from "./options";
import * as options_ts from "./options_ts";
import * as respond from "./respond";
import { Half, HalfFo } from "./syncache_t";
import { Tf } from "./tcb_t";
import * as tcb from "./tcb";
import { T } from "./settings";
import * as window from "./window";

/** State of the module. */
@unmanaged
@final
export class SyncacheState {
  table: usize;
  mask: u32;
}

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: SyncacheState = changetype<SyncacheState>(memory.data(offsetof<SyncacheState>(), 16));
/** The record outside of the table. */
const H: Half = changetype<Half>(memory.data(offsetof<Half>(), 16));
const OPTIONS: usize = memory.data(40, 16);

export function init(limit: u32): void {
  pool.init(P, offsetof<Half>(), limit);
  let buckets: u32 = 64;
  while (buckets < limit && buckets < 65536) buckets <<= 1;
  S.table = arena.alloc(buckets << 2, 64);
  S.mask = buckets - 1;
}

function bucket(laddr: usize, lport: u16, faddr: usize, fport: u16): usize {
  const a = load<u64>(faddr) ^ load<u64>(laddr);
  const h = rand.hash3(a ^ load<u64>(laddr, 8), load<u64>(faddr, 8), (u64(lport) << 16) | fport);
  return S.table + ((u32(h) & S.mask) << 2);
}

/** The record of a connection, or nil. */
export function find(laddr: usize, lport: u16, faddr: usize, fport: u16): Half {
  const b = bucket(laddr, lport, faddr, fport);
  for (let h = changetype<Half>(load<usize>(b)); h; h = h.next) {
    if (
      h.fport == fport && h.lport == lport && h.faddr_lo == load<u64>(faddr, 8) &&
      h.laddr_lo == load<u64>(laddr, 8) && h.faddr_hi == load<u64>(faddr) &&
      h.laddr_hi == load<u64>(laddr)
    ) {
      return h;
    }
  }
  return changetype<Half>(0);
}

function name(h: Half, laddr: usize, lport: u16, faddr: usize, fport: u16): void {
  h.laddr_hi = load<u64>(laddr);
  h.laddr_lo = load<u64>(laddr, 8);
  h.faddr_hi = load<u64>(faddr);
  h.faddr_lo = load<u64>(faddr, 8);
  h.lport = lport;
  h.fport = fport;
  h.ts_offset = tcb.newTsOffset(laddr, lport, faddr, fport);
}

/**
 * An empty record for addresses and ports that takes no place in the table: it describes a SYN that
 * is dealt with at once. There is one, and it is valid until the next is asked for.
 */
export function outside(laddr: usize, lport: u16, faddr: usize, fport: u16): Half {
  memory.fill(changetype<usize>(H), 0, offsetof<Half>());
  name(H, laddr, lport, faddr, fport);
  return H;
}

/** A new record for addresses and ports, on the table; nil if there are too many. */
export function add(listener: Inpcb, laddr: usize, lport: u16, faddr: usize, fport: u16): Half {
  const h = changetype<Half>(pool.get(P));
  if (!h) return h;
  h.listener = listener;
  name(h, laddr, lport, faddr, fport);
  h.iss = tcb.newIss(laddr, lport, faddr, fport);
  h.sent_at = clock.now();
  const b = bucket(laddr, lport, faddr, fport);
  h.next = changetype<Half>(load<usize>(b));
  store<usize>(b, changetype<usize>(h));
  timer.setup(h.timer, fire.index, changetype<usize>(h));
  timer.arm(h.timer, h.sent_at + repeatDelay(h));
  return h;
}

/** True if `h` is a record of the table. */
export function isRecord(h: Half): bool {
  return h != H;
}

/** Takes the record off the table and gives it back. */
export function remove(h: Half): void {
  const b = bucket(h.laddr, h.lport, h.faddr, h.fport);
  let link = b;
  for (let p = changetype<Half>(load<usize>(b)); p; p = p.next) {
    if (p == h) {
      store<usize>(link, changetype<usize>(h.next));
      break;
    }
    link = changetype<usize>(p) + offsetof<Half>("next");
  }
  timer.cancel(h.timer);
  h.listener = changetype<Inpcb>(0); // flush() looks at free records too
  pool.put(P, changetype<usize>(h));
}

/** Forgets all records of a listener that closes. */
export function flush(listener: Inpcb): void {
  for (let i: u32 = 0; i < P.high; i++) {
    const h = changetype<Half>(pool.at(P, i));
    if (h.listener == listener) remove(h);
  }
}

/** Sends the SYN-ACK, for the first time or again. When the timer repeats it does not change. */
export function answer(h: Half): void {
  reply(h, tcb.tsNow(h.ts_offset));
  if (h.sends < 255) h.sends++;
}

/** Sends the SYN-ACK that `h` describes, with timestamp `ts_val` if timestamps are agreed. */
export function reply(h: Half, ts_val: u32): void {
  const scale = h.flags & Tf.SCALE ? i32(h.rcv_scale) : -1;
  let len = options.writeHandshake(
    OPTIONS,
    h.rcv_mss,
    (h.flags & Tf.TS) != 0,
    ts_val,
    h.ts_recent,
    (h.flags & Tf.SACK) != 0,
    scale,
  );
  if (h.fo && h.sends == 0) len += putCookie(h, OPTIONS + len);
  const win = window.ofSyn(tcb.ofInp(h.listener));
  respond.segment(
    h.laddr,
    h.lport,
    h.faddr,
    h.fport,
    h.iss,
    h.irs + 1,
    h.flags & Tf.ECN ? Th.SYN | Th.ACK | Th.ECE : Th.SYN | Th.ACK,
    win,
    OPTIONS,
    len,
    h.listener.ttl,
    h.listener.tos,
  );
}

/** The Fast Open cookie that the peer asked for (RFC 7413 4.1.2); repetitions go without. */
function putCookie(h: Half, p: usize): u32 {
  stat.inc(Stat.TCP_FASTOPEN_COOKIES);
  const cookie = fastopen_key.cookieFor(tcb.ofInp(h.listener).fo_queue, h.laddr, h.faddr);
  return opt.putFastOpen(p, h.fo == HalfFo.EXP, cookie, fastopen_key.COOKIE_LEN);
}

/** An ACK for a segment that is not acceptable (RFC 9293 3.10.7.4), if the limit allows. */
export function acknowledge(h: Half): void {
  if (!challenge.allowed()) return;
  const len = h.flags & Tf.TS ? options_ts.write(tcb.tsNow(h.ts_offset), h.ts_recent) : 0;
  const win = window.ofSyn(tcb.ofInp(h.listener));
  respond.segment(
    h.laddr,
    h.lport,
    h.faddr,
    h.fport,
    h.iss + 1,
    h.irs + 1,
    Th.ACK,
    h.flags & Tf.SCALE ? win >> u32(h.rcv_scale) : win,
    options_ts.BUFFER,
    len,
    h.listener.ttl,
    h.listener.tos,
  );
}

/** Time to the next repetition (RFC 6298 2.1, 5.5). */
function repeatDelay(h: Half): i64 {
  const us = i64(T.rto_initial_us) << i64(min<u32>(h.repeats, 12));
  return min<i64>(us + (h.repeats ? i64(T.rto_slop_us) : 0), i64(T.rto_max_us));
}

/**
 * The timer repeats the SYN-ACK, less and less often, and then gives the connection up. A peer that
 * has answered, and of which TCP_DEFER_ACCEPT wants data, is left in peace until that time is
 * nearly over: then it is asked for the ACK that makes the connection after all.
 */
function fire(arg: usize): void {
  const h = changetype<Half>(arg);
  const tp = tcb.ofInp(h.listener);
  const most: u32 = tp.syn_retries ? tp.syn_retries : T.synack_retries;
  const waits = h.acked != 0 && h.repeats < tp.defer;
  if (u32(h.repeats) >= most && !waits) {
    stat.inc(Stat.TCP_BACKLOG_DROPS);
    remove(h);
    return;
  }
  h.repeats++;
  timer.arm(h.timer, clock.now() + repeatDelay(h));
  if (h.acked && h.repeats < tp.defer) return;
  stat.inc(Stat.TCP_REXMT_SEGMENTS);
  answer(h);
}

/** True if there is no room for another half-open connection (RFC 4987 3.2). */
export function full(): bool {
  return pool.left(P) == 0 || (T.max_syn_backlog != 0 && P.used >= T.max_syn_backlog);
}

/** Half-open connections now. */
export function count(): u32 {
  return P.used;
}
