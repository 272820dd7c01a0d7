/** The pool of connections, and the small questions that many files ask of one. */
import { Cc, TcpState } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import { Inpcb } from "../inet/in_pcb_t";
import * as clock from "../sys/clock";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import * as park from "./park";
import { Alarm } from "./park";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";

/** State of the module. */
@unmanaged
@final
export class TcbState {
  look_at: i64; // when to look for idle connections again, microseconds
  idle_us: i64; // how long nothing must have happened on them
  out_first: Tcb; // blocks with output to do, in order
  out_last: Tcb;
  live_first: Tcb; // all blocks in use, the one that was not looked at for longest first
  live_last: Tcb;
  live_least: u32; // below as many it is not worth the while to park any
  parked: u32; // connections that are parked
  fire: u32; // table index of what the timers of connections call
}

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: TcbState = changetype<TcbState>(memory.data(offsetof<TcbState>(), 16));

/** ssthresh before anything is known of the path (RFC 5681 3.1: arbitrarily high). */
export const SSTHRESH_NONE: u32 = 0x3fffffff;

/** Least MSS that leaves room for data beside all options there can be. */
const MSS_LEAST: u32 = 48;
/** Bytes a header may not carry as payload: an IPv4 and a TCP header without options. */
const MIN_HEADERS: u32 = 40;

/** Connections that are never parked: a megabyte of them. */
const LIVE_LEAST: u32 = 1024;
/** How long nothing has happened on connections that are parked. */
const IDLE_US: i64 = 250_000;
/**
 * When there are so many times as many, they are parked as soon as they are idle: to look at blocks
 * that no cache holds would take longer than to look at what is kept of them.
 */
const CROWDED: u32 = 4;
/** How many are looked at in a turn, and how long to wait when none of them was idle. */
const LOOKS: u32 = 64;
const LOOK_AGAIN_US: i64 = 10_000;

/** Where a parked connection is looked at. */
const PEEK: Tcb = changetype<Tcb>(memory.data((offsetof<Tcb>() + 31) & ~31, 16));

/** Makes room for `limit` connections. */
export function init(limit: u32): void {
  pool.init(P, u32(park.SIZE), limit);
  parkFrom(LIVE_LEAST, IDLE_US);
  park.init(limit > LIVE_LEAST ? limit : 0);
}

/** Has connections parked that were idle for so long while more than `least` are not parked. */
export function parkFrom(least: u32, idle_us: i64): void {
  S.live_least = least;
  S.idle_us = idle_us;
}

/** A new block in CLOSED for `inp`, or nil. */
export function create(inp: Inpcb): Tcb {
  if (P.used + S.parked >= P.limit) return changetype<Tcb>(0); // those parked come back
  const tp = changetype<Tcb>(pool.get(P));
  if (!tp) return tp;
  enter(tp);
  tp.inp = inp;
  inp.ppcb = changetype<usize>(tp);
  tp.state = TcpState.CLOSED;
  tp.rto_us = T.rto_initial_us;
  tp.ssthresh = SSTHRESH_NONE; // RFC 5681 3.1-6
  tp.cc_algo = u8(min<u32>(T.congestion, Cc.COUNT - 1));
  tp.snd_mss = u16(T.mss_default);
  tp.peer_mss = u16(T.mss_default);
  tp.keep_idle_ms = T.keep_idle_ms;
  tp.keep_intvl_ms = T.keep_intvl_ms;
  tp.keep_cnt = u8(T.keep_cnt);
  tp.keep_init_ms = T.keep_init_ms;
  if (T.stdurg) tp.flags |= Tf.STDURG;
  if (T.window_scale) tp.flags |= Tf.REQ_SCALE;
  if (T.timestamps) tp.flags |= Tf.REQ_TS;
  if (T.sack) tp.flags |= Tf.REQ_SACK;
  return tp;
}

/** Gives the block back. Whoever still holds it sees Tf.FREED until it is used again. */
export function release(tp: Tcb): void {
  unlist(tp);
  leave(tp);
  tp.flags |= Tf.FREED;
  tp.state = TcpState.CLOSED;
  pool.put(P, changetype<usize>(tp));
}

/**
 * Puts the connection on the list that the end of this turn sends for: one ACK for all that came
 * (MUST-58).
 */
export function wantOutput(tp: Tcb): void {
  if (tp.out_listed) return;
  tp.out_listed = 1;
  const last = S.out_last;
  tp.out_prev = last;
  tp.out_next = changetype<Tcb>(0);
  if (last) last.out_next = tp;
  else S.out_first = tp;
  S.out_last = tp;
}

/** Takes the next connection with output to do off the list, or nil. */
export function nextOutput(): Tcb {
  const tp = S.out_first;
  if (tp) unlist(tp);
  return tp;
}

function unlist(tp: Tcb): void {
  if (!tp.out_listed) return;
  const next = tp.out_next;
  const prev = tp.out_prev;
  if (prev) prev.out_next = next;
  else S.out_first = next;
  if (next) next.out_prev = prev;
  else S.out_last = prev;
  tp.out_next = changetype<Tcb>(0);
  tp.out_prev = changetype<Tcb>(0);
  tp.out_listed = 0;
}

/** Puts a block at the end of those in use. */
function enter(tp: Tcb): void {
  const last = S.live_last;
  tp.live_prev = last;
  tp.live_next = changetype<Tcb>(0);
  if (last) last.live_next = tp;
  else S.live_first = tp;
  S.live_last = tp;
}

function leave(tp: Tcb): void {
  if (tp.live_prev) tp.live_prev.live_next = tp.live_next;
  else S.live_first = tp.live_next;
  if (tp.live_next) tp.live_next.live_prev = tp.live_prev;
  else S.live_last = tp.live_prev;
  tp.live_next = changetype<Tcb>(0);
  tp.live_prev = changetype<Tcb>(0);
}

/** The connection of a control block, or nil. One that was parked goes on. */
export function ofInp(inp: Inpcb): Tcb {
  return inp.ppcb & 1 ? unpark(inp) : changetype<Tcb>(inp.ppcb);
}

/** Whether the connection of a control block is parked; it is then ESTABLISHED. */
export function isParked(inp: Inpcb): bool {
  return (inp.ppcb & 1) != 0;
}

/** The same to look at only: one that is parked stays so. Valid until the next is looked at. */
export function peek(inp: Inpcb): Tcb {
  if (!isParked(inp)) return changetype<Tcb>(inp.ppcb);
  park.read(inp.ppcb & ~1, PEEK);
  PEEK.inp = inp;
  return PEEK;
}

/** Connections that are parked. */
export function parked(): u32 {
  return S.parked;
}

/** Gives a parked connection its block again. There is one: see create. */
function unpark(inp: Inpcb): Tcb {
  const record = inp.ppcb & ~1;
  const tp = changetype<Tcb>(pool.getDirty(P));
  park.read(record, tp);
  park.free(record);
  S.parked--;
  tp.inp = inp;
  inp.ppcb = changetype<usize>(tp);
  enter(tp);
  timers.setup(tp, S.fire);
  timers.rearm(tp);
  return tp;
}

/** The keepalive timer of a parked connection: what is due fires in this run of the wheel. */
function alarm(arg: usize): void {
  unpark(changetype<Alarm>(arg).inp);
}

/**
 * Parks some of the connections that are idle, if there are many; at the end of a turn, when nobody
 * holds any. There is no timer for this: a stack on which nothing happens needs no memory.
 */
export function parkIdle(): void {
  if (P.used <= S.live_least || clock.now() < S.look_at) return;
  let found = false;
  for (let i: u32 = 0; i < LOOKS && P.used > S.live_least; i++) {
    const tp = S.live_first;
    leave(tp);
    const idle_us: i64 = P.used > CROWDED * S.live_least ? 0 : S.idle_us;
    if (park.idle(tp, idle_us) && settle(tp)) found = true;
    else enter(tp);
  }
  if (!found) S.look_at = clock.now() + LOOK_AGAIN_US;
}

/** Parks a connection; false if there is no room for that. */
function settle(tp: Tcb): bool {
  const inp = tp.inp;
  S.fire = tp.timer.fn;
  tp.inp = changetype<Inpcb>(0);
  const record = park.write(tp, inp, alarm.index);
  if (!record) {
    tp.inp = inp;
    timers.setup(tp, S.fire);
    timers.rearm(tp);
    return false;
  }
  pool.put(P, changetype<usize>(tp));
  inp.ppcb = record | 1;
  S.parked++;
  return true;
}

/** Our timestamp clock, in milliseconds (RFC 7323 5.4). */
export function tsNow(offset: u32): u32 {
  return u32(clock.now() / 1000) + offset;
}

/** What our timestamp clock said at a time, for the segments of `tp`. */
export function tsAt(tp: Tcb, at: i64): u32 {
  return u32(at / 1000) + tp.ts_offset;
}

/** Largest payload that the path to the peer takes, before options. */
export function pathMss(inp: Inpcb): u32 {
  const mtu = in_output.mtu(inp);
  return mtu > MIN_HEADERS + 64 ? mtu - MIN_HEADERS : 64;
}

/**
 * Sets the send MSS: the least of what the peer takes, what the path takes and what the user
 * asked, less the option every segment carries (RFC 9293 MUST-16, RFC 6691).
 */
export function setMss(tp: Tcb): void {
  let mss = min<u32>(tp.peer_mss, pathMss(tp.inp));
  if (tp.user_mss) mss = min<u32>(mss, tp.user_mss);
  if (tp.mtu_low) mss = min<u32>(mss, u32(tp.mtu_low) - MIN_HEADERS); // a search; see mtu_probe.ts
  mss = max<u32>(mss, max<u32>(T.mss_min, MSS_LEAST));
  if (tp.flags & Tf.TS) mss -= 12;
  const before: u32 = tp.snd_mss;
  tp.snd_mss = u16(mss);
  // RFC 5681 3.1-5: the window holds as many segments as before, so that no burst of small ones
  // goes
  if (mss < before && tp.state >= TcpState.ESTABLISHED) {
    tp.cwnd = max<u32>(u32(u64(tp.cwnd) * mss / before), mss);
  }
}

/** Bytes that the peer's window takes beyond offset `off` from SND.UNA. */
export function windowBeyond(tp: Tcb, off: u32): u32 {
  return tp.snd_wnd > off ? tp.snd_wnd - off : 0;
}

/** Initial window (RFC 6928 2): ten segments. */
export function initialCwnd(tp: Tcb): u32 {
  return T.initial_cwnd_segments * tp.snd_mss;
}

/**
 * A secret function of addresses (16 bytes each) and ports (RFC 6528 3): one half for the sequence
 * number, the other for the timestamps.
 */
function secretOf(laddr: usize, lport: u16, faddr: usize, fport: u16): u64 {
  const hi = load<u64>(laddr) ^ load<u64>(faddr);
  const ports = (u64(lport) << 16) | u64(fport);
  return rand.siphash(hi, load<u64>(laddr, 8), load<u64>(faddr, 8), ports);
}

/**
 * Initial sequence number (SHLD-1): a clock of 4 microseconds (MUST-8) and a function that nobody
 * outside can compute (MUST-9; RFC 6528 3).
 */
export function newIss(laddr: usize, lport: u16, faddr: usize, fport: u16): u32 {
  return u32(secretOf(laddr, lport, faddr, fport)) + u32(clock.now() >> 2);
}

/** Offset of a connection's timestamps, so that they tell nothing of the host (RFC 7323 7.1). */
export function newTsOffset(laddr: usize, lport: u16, faddr: usize, fport: u16): u32 {
  return u32(secretOf(laddr, lport, faddr, fport) >> 32);
}
