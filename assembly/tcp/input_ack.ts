/** Fifth step of RFC 9293 3.10.7.4: what the ACK field does. */
import { Fate } from "../abi/fate";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as sockbuf from "../socket/sockbuf";
import * as so_event from "../socket/so_event";
import { PKT } from "../inet/pkt_t";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as ack from "./ack_t";
import { A } from "./ack_t";
import * as cc from "./cc";
import * as challenge from "./challenge";
import * as ecn from "./ecn";
import * as fastopen_ack from "./fastopen_ack";
import * as fastopen_queue from "./fastopen_queue";
import { Tfo } from "./fastopen_t";
import * as output from "./output";
import * as mtu_probe from "./mtu_probe";
import * as push from "./push";
import * as rack from "./rack";
import * as recovery from "./recovery";
import * as reno from "./reno";
import * as respond from "./respond";
import * as rtt from "./rtt";
import * as sack from "./sack";
import { G } from "./seg";
import { Opt, Step } from "./seg_t";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import * as snd_autotune from "./snd_autotune";
import * as subr from "./subr";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

export function input(tp: Tcb): Step {
  if (!(G.flags & Th.ACK)) {
    stat.fate(Fate.TCP_NO_ACK);
    return Step.DROP;
  }
  const opens = tp.state == TcpState.SYN_RECEIVED || (tp.tfo & Tfo.PENDING) != 0;
  if (opens && !completes(tp)) return Step.DROP;
  // RFC 5961 5.2: neither beyond SND.NXT nor further back than the largest window
  if (seq.gt(G.ack, tp.snd_nxt) || seq.lt(G.ack, tp.snd_una - tp.max_sndwnd)) {
    stat.fate(Fate.TCP_ACK_INVALID);
    challenge.ack(tp);
    return Step.DROP;
  }
  ack.begin(tp.snd_una);
  if (tp.flags & Tf.SACK && G.opts & Opt.SACK) sack.take(tp);
  const windowSame = G.wnd == tp.snd_wnd;
  tp.ack_at = clock.now();
  updateWindow(tp);
  if (seq.gt(G.ack, tp.snd_una)) {
    newAck(tp, G.ack);
    return finAcked(tp);
  }
  if (!opens && isDuplicate(tp, windowSame)) duplicate(tp);
  if (A.sacked) measure(tp);
  if (ecn.isEcho(tp)) ecn.echo(tp);
  if (A.dup || A.sacked || A.dsack || tp.tlp) recovery.acked(tp);
  return Step.CONTINUE;
}

/** SYN-RECEIVED: the ACK of our SYN completes the handshake, any other is answered with RST. */
function completes(tp: Tcb): bool {
  if (!seq.gt(G.ack, tp.iss) || seq.gt(G.ack, tp.snd_nxt)) {
    stat.fate(Fate.TCP_ACK_INVALID);
    respond.reset(G, PKT.dst, PKT.src);
    return false;
  }
  tp.snd_wl1 = G.seq - 1; // so that the window of this segment is taken
  if (tp.tfo & Tfo.PENDING) {
    confirmed(tp);
    return true;
  }
  synAcked(tp);
  subr.established(tp);
  cc.start(tp);
  fastopen_ack.synAcked(tp);
  return true;
}

/** The peer of a Fast Open is confirmed; data may have gone both ways before (RFC 7413 4.2.2). */
function confirmed(tp: Tcb): void {
  rtt.finishSyn(tp);
  tp.backoff = 0;
  tp.tries = 0;
  timers.unwatch(tp);
  subr.established(tp);
  fastopen_queue.leave(tp, false);
  if (tp.rexmt_timeouts > 0) subr.afterLostSyn(tp);
  recovery.watch(tp);
}

/**
 * Our SYN is acknowledged: it took one sequence number and no byte of so_snd, and no window grows
 * by it (RFC 5681 3.1-3).
 */
export function synAcked(tp: Tcb): void {
  rtt.finishSyn(tp);
  tp.snd_una = tp.iss + 1;
  tp.snd_nxt = seq.max(tp.snd_nxt, tp.snd_una);
  tp.snd_up = tp.snd_una;
  tp.recover = tp.snd_una;
  tp.backoff = 0;
  tp.tries = 0;
  timers.unwatch(tp);
}

/** A duplicate ACK (RFC 5681 2); with SACK it is what the blocks report that counts. */
function isDuplicate(tp: Tcb, windowSame: bool): bool {
  if (G.ack != tp.snd_una || tp.snd_una == tp.snd_nxt) return false;
  if (tp.snd_wnd == 0) return false; // answers to probes of a closed window
  return G.len == 0 && windowSame && !(G.flags & (Th.SYN | Th.FIN));
}

function duplicate(tp: Tcb): void {
  stat.inc(Stat.TCP_DUPACKS_IN);
  A.dup = 1;
  tp.dupacks_total++;
  if (tp.dupacks < 255) tp.dupacks++;
}

/** Takes the send window from segments that are not older than the last that set it. */
export function updateWindow(tp: Tcb): void {
  const newer = seq.lt(tp.snd_wl1, G.seq) ||
    (tp.snd_wl1 == G.seq && seq.le(tp.snd_wl2, G.ack));
  // RFC 9293 3.10.7.4: only if SND.UNA =< SEG.ACK
  if (!newer || seq.lt(G.ack, tp.snd_una)) return;
  if (G.wnd > tp.max_sndwnd) tp.max_sndwnd = G.wnd;
  if (tp.snd_wnd == 0 && G.wnd > 0) reopened(tp);
  tp.snd_wnd = G.wnd;
  tp.snd_wl1 = G.seq + (G.segs - 1) * G.size_each; // of the last, if they are several
  tp.snd_wl2 = G.ack;
}

/** The window has opened: what the peer did not take while it was shut goes again at once. */
function reopened(tp: Tcb): void {
  if (!timers.isSet(tp, Row.PERSIST) && tp.tries == 0) return;
  timers.clear(tp, Row.PERSIST);
  tp.backoff = 0;
  if (tp.sent_count == 0) return;
  if (!(tp.flags & Tf.SACK)) reno.reset(tp); // what was inferred is lost with the rest
  for (let r = tp.sent_first; r; r = r.next) {
    if (seq.gt(r.end, G.ack) && !(r.flags & Sf.SACKED)) sent.lose(tp, r);
  }
  if (!timers.watched(tp)) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
}

/** `until` acknowledges new data: SND.UNA moves, and all that hangs on it. A has been begun. */
export function newAck(tp: Tcb, until: u32): void {
  const so = tp.inp.so;
  A.acked = until - tp.snd_una;
  const bytes = min<u32>(A.acked, so.snd.cc);
  sockbuf.drop(so.snd, bytes);
  tp.bytes_delivered += bytes;
  tp.snd_una = until;
  tp.tries = 0;
  tp.progress_at = clock.now();
  tp.dupacks = 0;
  tp.soft_error = 0;
  if (seq.lt(tp.snd_up, until)) tp.snd_up = until;
  advance(tp, until);
  if (tp.sacked_segments && !(tp.flags & Tf.SACK)) reno.acked(tp);
  measure(tp);
  push.advance(tp);
  mtu_probe.acked(tp);
  if (ecn.isEcho(tp)) ecn.echo(tp);
  recovery.acked(tp);
  snd_autotune.grow(tp);
  if (bytes > 0) so_event.wwakeup(so);
  G.acked = A.acked;
}

/** Takes the segments that lie below `until` out of what is in flight. */
function advance(tp: Tcb, until: u32): void {
  for (let r = tp.sent_first; r && seq.le(r.end, until); r = tp.sent_first) {
    A.segments++;
    if (r.flags & Sf.EVER) A.resent = 1;
    if (!(r.flags & Sf.SACKED)) delivered(tp, r);
    sent.shift(tp);
  }
  const part = tp.sent_first;
  if (!part || !seq.lt(part.start, until)) return;
  if (!(part.flags & Sf.SACKED)) A.delivered += until - part.start;
  sent.trim(tp, until);
}

function delivered(tp: Tcb, r: Sent): void {
  A.delivered += r.end - r.start;
  ecn.delivered(tp);
  mtu_probe.delivered(tp, r.end - r.start);
  if (!(r.flags & Sf.EVER)) {
    if (A.rtt_at == 0) A.rtt_at = r.at + 1; // 0 means none
    if (seq.le(r.end, tp.recover)) A.orig = 1;
  }
  if (tp.flags & Tf.SACK) rack.delivered(tp, r);
}

/**
 * A round trip, from what was sent only once; else from the timestamps (RFC 7323 4.1). What a
 * retransmission has set free waited for it at the peer: that is no round trip (RFC 6298 3).
 */
function measure(tp: Tcb): void {
  if (A.rtt_at && !A.resent) rtt.since(tp, A.rtt_at - 1);
  else if (A.sack_at) rtt.since(tp, A.sack_at - 1);
  else {
    if (!(tp.flags & Tf.TS) || !(G.opts & Opt.TS) || A.segments == 0) return;
    if (!rtt.echoed(tp, tcb.tsNow(tp.ts_offset) - G.ts_ecr)) return;
  }
  cc.sample(tp, tp.rtt_last_us);
}

/** State changes when our FIN is acknowledged. */
function finAcked(tp: Tcb): Step {
  if (!(tp.flags & Tf.SENTFIN) || tp.snd_una != tp.snd_nxt || tp.inp.so.snd.cc > 0) {
    return Step.CONTINUE;
  }
  switch (tp.state) {
    case TcpState.FIN_WAIT_1:
      tp.state = TcpState.FIN_WAIT_2;
      subr.orphan(tp);
      return Step.CONTINUE;
    case TcpState.CLOSING:
      stat.fate(Fate.TCP_ACCEPTED);
      tp.state = TcpState.TIME_WAIT;
      if (tp.flags & Tf.ACKNOW) output.output(tp); // the ACK of their FIN may still be owed
      subr.timeWait(tp);
      return Step.DONE;
    case TcpState.LAST_ACK:
      stat.fate(Fate.TCP_ACCEPTED);
      subr.close(tp);
      return Step.DONE;
    default:
      return Step.CONTINUE;
  }
}
