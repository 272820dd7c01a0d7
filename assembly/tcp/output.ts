/**
 * Whether to send, and how much (RFC 9293 3.8, RFC 1122 4.2.3.4). This is the only place that
 * decides it; segment.ts builds what was decided.
 */
import { Errno } from "../abi/errno";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as if_queue from "../net/if_queue";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as cc from "./cc";
import * as ecn from "./ecn";
import * as options from "./options";
import * as rtt from "./rtt";
import * as sack from "./sack";
import * as segment from "./segment";
import * as seq from "./seq";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import { T } from "./settings";
import * as window from "./window";

/** The segment that plan() has decided to send. */
@unmanaged
@final
export class OutputPlan {
  seq: u32;
  len: u32;
  flags: u32; // Th
  hole: u32; // 1: fills a gap; snd_nxt stays where it is
}

/** Least payload beside SACK blocks; with the least MSS such a segment is a little larger. */
const PAYLOAD_MIN: i32 = 32;

const P: OutputPlan = changetype<OutputPlan>(memory.data(offsetof<OutputPlan>(), 16));

/** Sends everything that the windows and the rules allow now. */
export function output(tp: Tcb): i32 {
  if (tp.state < TcpState.SYN_SENT || tp.flags & Tf.FREED) return 0;
  restartAfterIdle(tp);
  while (plan(tp)) {
    if (!roomBelow(tp)) return -Errno.ENOBUFS;
    const err = segment.send(tp, P.seq, P.len, P.flags);
    if (err < 0) return failed(tp, err);
    sent(tp);
  }
  return 0;
}

/** RFC 5681 4.1: after an idle period longer than the RTO the window starts anew. */
function restartAfterIdle(tp: Tcb): void {
  if (tp.snd_una != tp.snd_max || tp.sent_at == 0 || tp.state < TcpState.ESTABLISHED) return;
  if (clock.now() - tp.sent_at > i64(tp.rto_us)) cc.idle(tp);
}

/**
 * True if the interface takes a packet. If not, the connection waits in the interface's list and
 * goes on when the driver has drained some: a full queue of our own is not congestion.
 */
function roomBelow(tp: Tcb): bool {
  const ifp = in_output.ifpFor(tp.inp);
  if (!ifp || if_queue.room(ifp) > 0) return true;
  if (!(tp.flags & Tf.BLOCKED)) {
    tp.flags |= Tf.BLOCKED;
    const b = tp.blocked;
    b.fn = unblocked.index;
    b.arg = changetype<usize>(tp);
    if_queue.block(ifp, b);
  }
  return false;
}

function unblocked(arg: usize): void {
  const tp = changetype<Tcb>(arg);
  tp.flags &= ~Tf.BLOCKED;
  tcb.wantOutput(tp);
}

/** Fills in P; false if there is nothing to send. */
function plan(tp: Tcb): bool {
  P.hole = 0;
  P.len = 0;
  if (tp.state <= TcpState.SYN_RECEIVED) return planSyn(tp);
  P.flags = Th.ACK;
  if (tp.flags & Tf.REXMT1 && seq.lt(tp.snd_una, tp.snd_max)) {
    P.hole = 1;
    P.seq = tp.snd_una;
    return planPiece(tp, sack.nextStart(tp, P.seq, tp.snd_mss) - P.seq);
  }
  if (tp.flags & Tf.RECOVERY && tp.flags & Tf.SACK && planHole(tp)) return true;
  return planNew(tp);
}

function planSyn(tp: Tcb): bool {
  const again = tp.state == TcpState.SYN_RECEIVED && (tp.flags & Tf.ACKNOW) != 0;
  if (tp.snd_nxt != tp.iss && !again) return false;
  P.seq = tp.iss;
  P.flags = tp.state == TcpState.SYN_SENT ? u32(Th.SYN) : u32(Th.SYN | Th.ACK);
  return true;
}

/** At most `most` bytes at P.seq that are to be sent again, with the FIN if they reach it. */
function planPiece(tp: Tcb, most: u32): bool {
  const sb = tp.inp.so.snd;
  const off = P.seq - tp.snd_una;
  const have = sb.cc > off ? sb.cc - off : 0;
  P.len = min<u32>(min<u32>(have, most), maxPayload(tp));
  finish(tp, off, sb.cc);
  return P.len > 0 || (P.flags & Th.FIN) != 0;
}

/** RFC 6675 NextSeg() rule 1 and, when nothing new may go, rule 3: the next gap to fill. */
function planHole(tp: Tcb): bool {
  const from = seq.max(tp.high_rxt, tp.snd_una);
  if (!sack.nextHole(tp, from)) return false;
  if (!mayAdd(tp)) return false;
  if (!sack.HOLE.lost && newData(tp) > 0) return false;
  P.hole = 1;
  P.seq = sack.HOLE.start;
  return planPiece(tp, sack.HOLE.end - sack.HOLE.start);
}

/** True if recovery may put one more segment into the network (RFC 6675 5, step C). */
function mayAdd(tp: Tcb): bool {
  return tp.cwnd >= sack.pipe(tp) + tp.snd_mss;
}

/** Bytes never sent that the peer's window takes. */
function newData(tp: Tcb): u32 {
  const off = tp.snd_max - tp.snd_una;
  const lim = min<u32>(tp.inp.so.snd.cc, tp.snd_wnd);
  return lim > off ? lim - off : 0;
}

/** The next segment from snd_nxt on, or an ACK alone. */
function planNew(tp: Tcb): bool {
  if (seq.lt(tp.snd_nxt, tp.snd_max)) tp.snd_nxt = sack.skip(tp, tp.snd_nxt);
  const sb = tp.inp.so.snd;
  const off = tp.snd_nxt - tp.snd_una;
  const have = sb.cc > off ? sb.cc - off : 0;
  P.seq = tp.snd_nxt;
  P.len = min<u32>(min<u32>(have, usable(tp, off)), maxPayload(tp));
  if (seq.lt(P.seq, tp.snd_max)) P.len = sack.nextStart(tp, P.seq, P.len) - P.seq;
  finish(tp, off, sb.cc);
  if (worthwhile(tp, off, sb.cc)) return true;
  persistIfStuck(tp, have);
  if (!(tp.flags & Tf.ACKNOW) && !window.updateDue(tp)) return false;
  P.seq = tp.snd_max;
  P.len = 0;
  P.flags = Th.ACK;
  return true;
}

/** Most bytes of a segment: what the MSS leaves beside the options (RFC 6691 4). */
function maxPayload(tp: Tcb): u32 {
  const most = min<u32>(tp.snd_mss, segment.MAX_PAYLOAD);
  const blocks = options.sackLength(tp);
  return blocks ? max<i32>(i32(most - blocks), PAYLOAD_MIN) : most;
}

/** Bytes beyond offset `off` that both windows allow. */
function usable(tp: Tcb, off: u32): u32 {
  if (ecn.isHeld(tp) && tp.snd_nxt == tp.snd_max) return 0;
  const peer = tp.snd_wnd > off ? tp.snd_wnd - off : 0;
  let room: u32;
  if (tp.flags & Tf.RECOVERY && tp.flags & Tf.SACK) {
    const pipe = sack.pipe(tp);
    room = tp.cwnd > pipe ? tp.cwnd - pipe : 0;
  } else {
    const out = off - sack.below(tp, tp.snd_nxt);
    // RFC 3042: the first two duplicate ACKs each let one new segment go; with SACK, by what they
    // report as arrived (RFC 6675 5, step 3)
    const dups: u32 = tp.flags & (Tf.SACK | Tf.RECOVERY) || tp.dupacks >= 3 ? 0 : tp.dupacks;
    const cwnd = tp.cwnd + dups * u32(tp.snd_mss);
    room = cwnd > out ? cwnd - out : 0;
  }
  const both = min<u32>(peer, room);
  return tp.flags & Tf.FORCE && both == 0 ? 1 : both;
}

/** Adds PSH and FIN where P reaches the end of the data. */
function finish(tp: Tcb, off: u32, cc: u32): void {
  if (off + P.len != cc) return;
  if (P.len > 0) P.flags |= Th.PUSH;
  const closing = tp.state == TcpState.FIN_WAIT_1 || tp.state == TcpState.CLOSING ||
    tp.state == TcpState.LAST_ACK;
  if (closing) P.flags |= Th.FIN;
}

/** True if what P holds should go now: Nagle and the sender's side of the silly window. */
function worthwhile(tp: Tcb, off: u32, cc: u32): bool {
  if (P.flags & Th.FIN) return true;
  if (P.len == 0) return false;
  if (P.len >= maxPayload(tp) || seq.lt(P.seq, tp.snd_max) || tp.flags & Tf.FORCE) return true;
  if (seq.gt(tp.snd_up, P.seq)) return true; // urgent data does not wait
  if (tp.max_sndwnd > 0 && P.len >= tp.max_sndwnd >> 1) return true;
  if (off + P.len < cc || tp.flags & (Tf.MORETOCOME | Tf.CORK)) return false;
  return (tp.flags & Tf.NODELAY) != 0 || tp.snd_una == tp.snd_max;
}

/** Data waits, nothing is in flight and nothing may go: probe the window (RFC 9293 3.8.6.1). */
function persistIfStuck(tp: Tcb, have: u32): void {
  if (have == 0 || tp.snd_una != tp.snd_nxt || tp.flags & (Tf.CORK | Tf.MORETOCOME)) return;
  if (timers.isSet(tp, Row.REXMT) || timers.isSet(tp, Row.PERSIST)) return;
  tp.backoff = 0;
  timers.set(tp, Row.PERSIST, persistDelay(tp));
}

/** Time to the next window probe: from the RTO on, twice as long each time (SHLD-29, SHLD-30). */
export function persistDelay(tp: Tcb): i64 {
  const us = i64(max<u32>(tp.rto_us, T.persist_min_us)) << i64(min<u32>(tp.backoff, 12));
  return min<i64>(us, i64(T.persist_max_us));
}

/** The planned segment has left: move the pointers, time it, and watch over it. */
function sent(tp: Tcb): void {
  const syn: u32 = P.flags & Th.SYN ? 1 : 0;
  const fin: u32 = P.flags & Th.FIN ? 1 : 0;
  const end = P.seq + P.len + syn + fin;
  if (end == P.seq) return;
  tp.sent_at = clock.now();
  if (tp.snd_una == tp.snd_max) tp.progress_at = tp.sent_at;
  if (fin) tp.flags |= Tf.SENTFIN;
  const again = seq.lt(P.seq, tp.snd_max);
  if (again) resent(tp, end);
  if (seq.gt(end, tp.snd_max)) {
    if (!again) rtt.start(tp, P.seq);
    stat.add(Stat.TCP_BYTES_OUT, end - tp.snd_max);
    tp.snd_max = end;
  }
  advance(tp, end);
}

/** Counts a retransmission; a segment sent twice is not timed (Karn, RFC 6298 3). */
function resent(tp: Tcb, end: u32): void {
  stat.inc(Stat.TCP_REXMT_SEGMENTS);
  stat.add(Stat.TCP_REXMT_BYTES, seq.min(end, tp.snd_max) - P.seq);
  tp.rexmt_segments++;
  if (seq.le(P.seq, tp.rtt_seq) && seq.lt(tp.rtt_seq, end)) rtt.cancel(tp);
}

function advance(tp: Tcb, end: u32): void {
  if (P.hole) {
    tp.flags &= ~Tf.REXMT1;
    tp.high_rxt = seq.max(tp.high_rxt, end);
  }
  if (seq.gt(end, tp.snd_nxt)) tp.snd_nxt = end;
  if (timers.isSet(tp, Row.PERSIST)) {
    if (tp.flags & Tf.FORCE) {
      tp.flags &= ~Tf.FORCE; // one probe at a time
      return;
    }
    timers.clear(tp, Row.PERSIST);
    tp.backoff = 0;
  }
  if (!timers.isSet(tp, Row.REXMT)) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp)); // RFC 6298 5.1
}

/**
 * The way down refused. Without memory or room the retransmission timer tries again; an error of
 * the route is remembered and reported if the connection then times out (RFC 9293 3.9.2.2).
 */
function failed(tp: Tcb, err: i32): i32 {
  if (err == -Errno.EMSGSIZE) tcb.setMss(tp); // the path has become narrower (RFC 1191 6.3)
  else if (err != -Errno.ENOBUFS) tp.soft_error = -err;
  if (!timers.isSet(tp, Row.REXMT) && !timers.isSet(tp, Row.PERSIST)) {
    timers.set(tp, Row.REXMT, rtt.backedOff(tp));
  }
  return err;
}

/** Sends for every connection that this turn's input has marked. */
export function flush(): void {
  for (let tp = tcb.nextOutput(); tp; tp = tcb.nextOutput()) output(tp);
}
