/**
 * Whether to send, and how much (RFC 9293 3.8, RFC 1122 4.2.3.4). This is the only place that
 * decides it; output.ts drives it and segment.ts builds what was decided.
 */
import { MbufSize } from "../abi/mbuf";
import { Sb } from "../abi/socket";
import { TcpState, Th } from "../abi/tcp";
import * as sockbuf from "../socket/sockbuf";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as pool from "../sys/pool";
import * as cork from "./cork_hold";
import * as ecn from "./ecn";
import * as mtu_probe from "./mtu_probe";
import * as nagle from "./nagle";
import * as notsent from "./notsent";
import * as fastopen from "./fastopen";
import { Tfo } from "./fastopen_t";
import * as options from "./options";
import * as pacing from "./pacing";
import * as push from "./push";
import { Frto } from "./recovery_loss";
import * as rtt from "./rtt";
import * as segment from "./segment";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import * as window from "./window";

/** The segment that plan() has decided to send. */
@unmanaged
@final
export class OutputPlan {
  lost: Sent; // the record that is sent again, or nil: something new
  seq: u32;
  len: u32;
  flags: u32; // Th
  limited: u32; // 1: in this call cwnd kept data back
  data: u32; // 1: in this call something new was sent
  full: u32; // payload of a full segment, when maxPayloadAt was asked last
}

/** Least payload beside SACK blocks; with the least MSS such a segment is a little larger. */
const PAYLOAD_MIN: i32 = 32;

export const P: OutputPlan = changetype<OutputPlan>(memory.data(offsetof<OutputPlan>(), 16));

/** Fills in P; false if there is nothing to send. */
export function plan(tp: Tcb): bool {
  P.lost = changetype<Sent>(0);
  P.len = 0;
  if (tp.state <= TcpState.SYN_RECEIVED && !(tp.tfo & Tfo.PENDING)) return planSyn(tp);
  if (tp.lost_todo && tp.frto != Frto.PROBE && planLost(tp)) return true;
  if (planNew(tp)) return true;
  if (tp.frto != Frto.PROBE || seq.gt(tp.snd_nxt, tp.recover) || pacing.waits(tp)) return false;
  // RFC 5682 2.1 step 2b: nothing new could go, so the lost is sent again after all
  tp.frto = Frto.OFF;
  return tp.lost_todo > 0 && planLost(tp);
}

/**
 * True if {@link plan} would find nothing, as after most segments that come in: everything is sent,
 * nothing is owed and nothing is lost.
 */
export function isQuiet(tp: Tcb): bool {
  if (tp.state != TcpState.ESTABLISHED || tp.flags & (Tf.ACKNOW | Tf.FORCE)) return false;
  if (tp.lost_todo || tp.frto || tp.mtu_low) return false;
  return tp.inp.so.snd.cc == tp.snd_nxt - tp.snd_una && !window.updateDue(tp);
}

/** The first SYN, or a SYN-ACK that is asked for; the timer sends them again. */
function planSyn(tp: Tcb): bool {
  const asked = tp.state == TcpState.SYN_RECEIVED && (tp.flags & Tf.ACKNOW) != 0;
  if ((tp.snd_nxt != tp.iss && !asked) || tp.tfo & Tfo.DEFERRED) return false;
  P.seq = tp.iss;
  if (!asked) P.len = fastopen.synData(tp);
  P.flags = tp.state == TcpState.SYN_SENT ? u32(Th.SYN) : u32(Th.SYN | Th.ACK);
  return true;
}

/** Plans the first segment that is lost, if the window has room for it. */
function planLost(tp: Tcb): bool {
  const r = sent.nextLost(tp);
  if (!r) return false;
  const off = r.start - tp.snd_una;
  // SHLD-16: old data beyond a window that shrank is left alone, but for the first
  if (off > 0 && off >= tp.snd_wnd) return false;
  if (sent.pipe(tp) >= tp.cwnd || pacing.holds(tp) || !fit(tp, r)) return false;
  P.lost = r;
  return planRecord(tp, r);
}

/** Makes `r` as long as one segment may be now; false if there is no memory to cut it. */
export function fit(tp: Tcb, r: Sent): bool {
  const most = maxPayloadAt(tp, r.start - tp.snd_una);
  const size = r.end - r.start;
  if (size > most) return sent.split(tp, r, most);
  if ((r.flags & (Sf.LOST | Sf.RESENT)) != Sf.LOST) return true;
  sent.join(tp, r, most - size);
  // the byte that probed a closed window goes on with what follows it
  const alone = size == 1 && r == tp.sent_first && r == tp.sent_last && r.end - r.start == 1;
  if (alone && !T.persist_probe && !(tp.flags & Tf.SENTFIN)) {
    const end = r.end - tp.snd_una;
    const free = min<u32>(notsent.unsent(tp), tcb.windowBeyond(tp, end));
    sent.extend(tp, r, min<u32>(free, most - size));
  }
  return true;
}

/** The segment that `r` stands for, as it was. */
export function planRecord(tp: Tcb, r: Sent): bool {
  const cc = tp.inp.so.snd.cc;
  const off = r.start - tp.snd_una;
  P.seq = r.start;
  P.len = min<u32>(r.end - r.start, cc - off);
  P.flags = Th.ACK;
  if (P.len > 0 && push.has(tp, P.seq, P.seq + P.len)) P.flags |= Th.PUSH;
  if (P.len < r.end - r.start) P.flags |= Th.FIN;
  return true;
}

/** The next segment from snd_nxt on, or an ACK alone. */
function planNew(tp: Tcb): bool {
  const sb = tp.inp.so.snd;
  const off = tp.snd_nxt - tp.snd_una;
  const have = notsent.unsent(tp);
  P.seq = tp.snd_nxt;
  P.flags = Th.ACK;
  const most = maxPayloadAt(tp, off);
  P.len = min<u32>(min<u32>(have, usable(tp, off, have)), most);
  if (tp.mtu_low) P.len = mtu_probe.plan(tp, off, inRecord(tp, off, have), P.len);
  finish(tp, off, sb.cc);
  if (!worthwhile(tp, off, sb.cc, most)) persistIfStuck(tp, have);
  else if (P.len == 0 || tp.flags & Tf.FORCE || !pacing.holds(tp)) return true;
  else P.limited = 0; // the pace is what limits, not cwnd
  if (!(tp.flags & Tf.ACKNOW) && !window.updateDue(tp)) return false;
  P.seq = tp.snd_nxt;
  P.len = 0;
  P.flags = Th.ACK;
  return true;
}

/** Most bytes of a segment: what the MSS leaves beside the options (RFC 6691 4). */
export function maxPayload(tp: Tcb): u32 {
  let most = min<u32>(tp.snd_mss, segment.MAX_PAYLOAD);
  // what needs more mbufs than there are would never leave, and free none
  if (most > u32(MbufSize.MCLBYTES)) {
    most = min<u32>(most, max<u32>(pool.left(mbuf.cluster()) >> 1, 1) * MbufSize.MCLBYTES);
  }
  const blocks = options.sackLength(tp);
  return blocks ? max<i32>(i32(most - blocks), PAYLOAD_MIN) : most;
}

/** The same for a segment that begins at offset `off`: none holds parts of two records. */
export function maxPayloadAt(tp: Tcb, off: u32): u32 {
  P.full = maxPayload(tp);
  return inRecord(tp, off, P.full);
}

/** Of `len` bytes from offset `off` on, those of one record (MSG_EOR ends it). */
function inRecord(tp: Tcb, off: u32, len: u32): u32 {
  const sb = tp.inp.so.snd;
  return sb.flags & Sb.RECORDS ? sockbuf.recordRoom(sb, off, len) : len;
}

/**
 * Of `have` bytes beyond offset `off`, what both windows allow (RFC 5681 2-1, 3-1, 3.2-11): nothing
 * beyond a window that has shrunk (SHLD-15).
 */
function usable(tp: Tcb, off: u32, have: u32): u32 {
  if (ecn.isHeld(tp)) return 0;
  const peer = tcb.windowBeyond(tp, off);
  // RFC 3042, RFC 6675 5 step 3: what duplicate ACKs report, if with SACK they report something,
  // has left the network and lets as much go, without a larger cwnd (RFC 5681 3.2-4, 3.2-5, 3.2-6)
  const pipe = sent.pipe(tp);
  const room = tp.cwnd > pipe ? tp.cwnd - pipe : 0;
  const both = min<u32>(peer, room);
  if (room < min<u32>(peer, have)) P.limited = 1;
  return tp.flags & Tf.FORCE && both == 0 ? 1 : both;
}

/** Adds PSH and FIN where P reaches the end of the data. */
export function finish(tp: Tcb, off: u32, cc: u32): void {
  if (P.len > 0 && push.has(tp, P.seq, P.seq + P.len)) P.flags |= Th.PUSH;
  if (off + P.len != cc) return;
  const closing = tp.state == TcpState.FIN_WAIT_1 || tp.state == TcpState.CLOSING ||
    tp.state == TcpState.LAST_ACK;
  if (closing) P.flags |= Th.FIN;
}

/**
 * True if what P holds should go now: a full segment (SHLD-28), Nagle, and the sender's side of the
 * silly window (MUST-38). Nothing can be added to what holds `most`, the end of its record.
 */
function worthwhile(tp: Tcb, off: u32, cc: u32, most: u32): bool {
  if (P.flags & Th.FIN) return true;
  if (P.len == 0) return false;
  if (P.len >= P.full || tp.flags & Tf.FORCE) return true;
  if (seq.gt(tp.snd_up, P.seq)) return true; // urgent data does not wait
  if (tp.max_sndwnd > 0 && P.len >= tp.max_sndwnd >> 1) return true;
  return off + P.len >= cc ? !nagle.holds(tp) : P.len >= most;
}

/** Data waits, nothing is in flight and nothing may go: probe the window (RFC 9293 3.8.6.1). */
function persistIfStuck(tp: Tcb, have: u32): void {
  if (have == 0 || tp.snd_una != tp.snd_nxt || timers.watched(tp)) return;
  if (tp.snd_wnd > 0 && cork.watch(tp)) return;
  tp.backoff = 0;
  tp.progress_at = clock.now(); // RFC 5482: what waits for the window waits since now
  timers.set(tp, Row.PERSIST, rtt.withinUserTimeout(tp, persistDelay(tp)));
}

/** Time to the next window probe: from the RTO on, twice as long each time (SHLD-29, SHLD-30). */
export function persistDelay(tp: Tcb): i64 {
  const us = i64(max<u32>(tp.rto_us, T.persist_min_us)) << i64(min<u32>(tp.backoff, 12));
  return min<i64>(us, i64(T.persist_max_us));
}
