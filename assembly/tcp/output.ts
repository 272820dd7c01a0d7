/** Sends what output_plan.ts decides, keeps the records of it, and sees that it is watched over. */
import { Errno } from "../abi/errno";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as if_queue from "../net/if_queue";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as burst from "./burst";
import * as cc from "./cc";
import * as chrono from "./chrono";
import * as fastopen from "./fastopen";
import * as loss_probe from "./loss_probe";
import { Tlp } from "./loss_probe";
import * as mtu_probe from "./mtu_probe";
import * as nagle from "./nagle";
import * as notsent from "./notsent";
import * as output_plan from "./output_plan";
import { finish, fit, isQuiet, P, plan, planRecord } from "./output_plan";
import * as pacing from "./pacing";
import * as prr from "./prr";
import * as rtt from "./rtt";
import * as segment from "./segment";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import * as tcb from "./tcb";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import { T } from "./settings";
import * as undo from "./undo";

/** Sends everything that the windows and the rules allow now. */
export function output(tp: Tcb): i32 {
  if (tp.state < TcpState.SYN_SENT || tp.flags & Tf.FREED) return 0;
  restartAfterIdle(tp);
  P.limited = 0;
  P.data = 0;
  let error: i32 = 0;
  while (!isQuiet(tp) && plan(tp)) {
    if (!roomBelow(tp)) {
      P.limited = 0; // the queue is what limits, not cwnd
      error = ackAlone(tp);
      break;
    }
    error = P.lost || sent.available() ? segment.send(tp, P.seq, P.len, P.flags) : -Errno.ENOBUFS;
    if (error < 0) {
      error = failed(tp, error);
      break;
    }
    sentOne(tp);
    if (P.len == 0) break; // SYN, FIN or an ACK alone: there is nothing behind it
    if (P.len == u32(tp.snd_mss) && P.seq + P.len == tp.snd_nxt) burst.follow(tp);
  }
  if (P.data) afterNewData(tp);
  else if (error == 0) forgetRefusal(tp);
  chrono.judge(tp, P.limited != 0);
  return error;
}

/** New data has left: is cwnd what limits us (RFC 7661 4.3), and what watches over it? */
function afterNewData(tp: Tcb): void {
  const flight = tp.snd_nxt - tp.snd_una;
  const limited: u8 = P.limited || sent.pipe(tp) + tp.snd_mss > tp.cwnd ? 1 : 0;
  const round = seq.ge(tp.snd_una, tp.limited_seq);
  if (round || limited || (!tp.cwnd_limited && flight > tp.max_out)) {
    tp.cwnd_limited = limited;
    tp.max_out = flight;
    tp.limited_seq = tp.snd_nxt;
  }
  if (loss_probe.schedule(tp, false) || timers.watched(tp)) return;
  timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp)); // RFC 6298 5.1
}

/** RFC 5681 4.1-1: after an idle period longer than the RTO the window starts anew. */
function restartAfterIdle(tp: Tcb): void {
  if (tp.snd_una != tp.snd_nxt || tp.sent_at == 0 || tp.state < TcpState.ESTABLISHED) return;
  if (!T.slow_start_after_idle) return;
  if (clock.now() - tp.sent_at > i64(tp.rto_us)) cc.idle(tp);
}

/**
 * True if the interface takes a packet. If not, the connection waits in the interface's list and
 * goes on when the driver has drained some: a full queue of our own is not congestion.
 */
function roomBelow(tp: Tcb): bool {
  const ifp = in_output.ifpFor(tp.inp);
  if (!ifp || (P.len > 0 ? if_queue.allowance(ifp) : if_queue.room(ifp)) > 0) return true;
  if (!(tp.flags & Tf.BLOCKED)) {
    tp.flags |= Tf.BLOCKED;
    const b = tp.blocked;
    b.fn = unblocked.index;
    b.arg = changetype<usize>(tp);
    if_queue.block(ifp, b);
  }
  return false;
}

/** Data has to wait, but an ACK that is owed does not. Answers what the waiting data would. */
function ackAlone(tp: Tcb): i32 {
  const owed = P.len > 0 && tp.flags & Tf.ACKNOW && tp.state >= TcpState.ESTABLISHED;
  P.len = 0;
  if (owed && roomBelow(tp)) segment.send(tp, tp.snd_nxt, 0, Th.ACK);
  return -Errno.ENOBUFS;
}

function unblocked(arg: usize): void {
  const tp = changetype<Tcb>(arg);
  tp.flags &= ~Tf.BLOCKED;
  tcb.wantOutput(tp);
}

/** The planned segment has left: move the pointers, keep its record, and watch over it. */
function sentOne(tp: Tcb): void {
  const syn: u32 = P.flags & Th.SYN ? 1 : 0;
  const fin: u32 = P.flags & Th.FIN ? 1 : 0;
  const end = P.seq + P.len + syn + fin;
  if (end == P.seq) return;
  tp.sent_at = clock.now();
  if (syn) return sentSyn(tp, end);
  tp.bytes_sent += P.len;
  if (P.len > 0) pacing.sent(tp, P.len);
  if (tp.ca_state >= Ca.CWR) prr.sentBytes(tp, P.len);
  if (P.lost) return sentAgain(tp, P.lost);
  const probe = timers.isSet(tp, Row.PERSIST); // what waits for the window waits on
  forgetRefusal(tp);
  if (tp.snd_una == tp.snd_nxt && !probe) tp.progress_at = tp.sent_at;
  if (fin) tp.flags |= Tf.SENTFIN;
  stat.add(Stat.TCP_BYTES_OUT, end - tp.snd_nxt);
  sent.append(tp, P.seq, end);
  nagle.sent(tp, end, P.len >= P.full);
  if (tp.mtu_low) mtu_probe.dataSent(tp, P.seq, end);
  tp.snd_nxt = end;
  notsent.sent(tp);
  if (probe) {
    tp.flags &= ~Tf.FORCE; // one probe at a time
    if (tp.snd_wnd == 0) return;
    timers.clear(tp, Row.PERSIST); // what the window takes is data like any other
    tp.backoff = 0;
  }
  P.data = 1;
}

function sentSyn(tp: Tcb, end: u32): void {
  if (seq.gt(end, tp.snd_nxt)) {
    if (P.len > 0) sentSynData(tp, end);
    fastopen.synSent(tp, P.len);
    tp.snd_nxt = end;
    tp.progress_at = tp.sent_at;
    rtt.startSyn(tp);
  }
  if (!timers.watched(tp)) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
}

/** The SYN has taken data along (RFC 7413). */
function sentSynData(tp: Tcb, end: u32): void {
  tp.bytes_sent += P.len;
  stat.add(Stat.TCP_BYTES_OUT, P.len);
  sent.append(tp, tp.iss + 1, end);
  nagle.sent(tp, end, false);
}

/** Counts a retransmission. That of the first segment starts the timer anew (RFC 6298 5.1). */
function sentAgain(tp: Tcb, r: Sent): void {
  counted(tp);
  if (tp.undo_at == 0) tp.undo_at = max<i64>(tp.sent_at, 1);
  undo.resent(tp);
  sent.resent(tp, r);
  if (r == tp.sent_first && !timers.isSet(tp, Row.REORDER)) {
    timers.watch(tp, Row.REXMT, rtt.rexmtDelay(tp));
  }
}

function counted(tp: Tcb): void {
  stat.inc(Stat.TCP_REXMT_SEGMENTS);
  stat.add(Stat.TCP_REXMT_BYTES, P.len);
  tp.rexmt_segments++;
  tp.bytes_resent += P.len;
}

/** The retransmission timer of a SYN or SYN-ACK (RFC 6298 5.7 follows when it is acknowledged). */
export function resendSyn(tp: Tcb): void {
  if (tp.snd_nxt == tp.iss) {
    output(tp); // the first could not leave
    return;
  }
  rtt.cancelSyn(tp);
  const flags = tp.state == TcpState.SYN_SENT ? u32(Th.SYN) : u32(Th.SYN | Th.ACK);
  if (!roomBelow(tp) || segment.send(tp, tp.iss, 0, flags) < 0) return;
  P.len = 0;
  counted(tp);
  tp.sent_at = clock.now();
}

/** The SYN-ACK of a Fast Open: data may follow it at once (RFC 7413 4.2.2). */
export function sendSynAck(tp: Tcb): void {
  tp.sent_at = clock.now();
  tp.progress_at = tp.sent_at;
  rtt.startSyn(tp);
  timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
  if (roomBelow(tp)) segment.send(tp, tp.iss, 0, Th.SYN | Th.ACK);
  fastopen.synSent(tp, 0);
}

/** Sends the first segment in flight again whatever the windows say: a probe of a closed one. */
export function resendFirst(tp: Tcb): void {
  const r = tp.sent_first;
  if (r && fit(tp, r)) sendRecord(tp, r);
}

/** Sends `r` once more, lost or not. False if the way down refused. */
function sendRecord(tp: Tcb, r: Sent): bool {
  planRecord(tp, r);
  if (!roomBelow(tp) || segment.send(tp, P.seq, P.len, P.flags) < 0) return false;
  counted(tp);
  if (P.len > 0) pacing.sent(tp, P.len);
  tp.sent_at = clock.now();
  if (r.flags & Sf.LOST) sent.resent(tp, r);
  else sent.again(tp, r);
  return true;
}

/** TLP_send_probe() (RFC 8985 7.3): new data if there is some, else the last segment once more. */
export function probe(tp: Tcb): void {
  let out = false;
  if (tp.tlp == Tlp.NONE && tp.sent_count > 0) {
    if (probeNew(tp)) {
      loss_probe.sent(tp, Tlp.NEW);
      out = true;
    } else if (probeLast(tp)) {
      loss_probe.sent(tp, Tlp.AGAIN);
      out = true;
    }
  }
  loss_probe.rearm(tp, !out); // RFC 8985 7.3: anew, behind a probe
}

/** One segment of new data, whatever cwnd says; false if there is none or it cannot go. */
function probeNew(tp: Tcb): bool {
  const off = tp.snd_nxt - tp.snd_una;
  P.lost = changetype<Sent>(0);
  P.seq = tp.snd_nxt;
  P.flags = Th.ACK;
  P.len = min<u32>(notsent.unsent(tp), output_plan.maxPayloadAt(tp, off));
  // no sliver of the peer's window (RFC 1122 4.2.3.4)
  if (P.len == 0 || P.len > tcb.windowBeyond(tp, off) || !sent.available()) return false;
  finish(tp, off, tp.inp.so.snd.cc);
  if (!roomBelow(tp) || segment.send(tp, P.seq, P.len, P.flags) < 0) return false;
  sentOne(tp);
  return true;
}

function probeLast(tp: Tcb): bool {
  let r = tp.sent_last;
  while (r && r.flags & Sf.SACKED) r = r.prev; // what has arrived tells nothing new
  if (!r) return false;
  const size = r.end - r.start;
  const most = output_plan.maxPayload(tp);
  if (size > most) {
    if (!sent.split(tp, r, size - most)) return false;
    r = r.next;
  }
  return sendRecord(tp, r);
}

/**
 * The way down refused. Without memory or room the retransmission timer tries again; an error of
 * the route is remembered and reported if the connection then times out (RFC 9293 3.9.2.2).
 */
function failed(tp: Tcb, err: i32): i32 {
  if (err == -Errno.EMSGSIZE) tcb.setMss(tp); // the path has become narrower (RFC 1191 6.3)
  else if (err != -Errno.ENOBUFS) tp.soft_error = -err;
  if (!timers.watched(tp)) timers.set(tp, Row.REXMT, rtt.backedOff(tp));
  return err;
}

/** What the way down had refused has left, and with nothing in flight nothing is watched over. */
function forgetRefusal(tp: Tcb): void {
  if (tp.snd_una == tp.snd_nxt && tp.state >= TcpState.ESTABLISHED) timers.clear(tp, Row.REXMT);
}

/** A segment has been taken in: what it calls for leaves at the end of the batch. */
export function after(tp: Tcb): void {
  if (!isQuiet(tp)) return tcb.wantOutput(tp);
  forgetRefusal(tp);
  chrono.judge(tp, false);
}

/**
 * Sends for every connection that this turn's input, all of it, has marked (MUST-59), and for those
 * that waited for room below as long as there is some.
 */
export function flush(): void {
  do {
    for (let tp = tcb.nextOutput(); tp; tp = tcb.nextOutput()) output(tp);
  } while (if_queue.wakeMore());
}
