/** What happens when a timer of a connection fires. */
import { Errno } from "../abi/errno";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import { So, Ss } from "../abi/socket";
import * as in_output from "../inet/in_output";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as cork from "./cork";
import * as delack from "./delack";
import * as fastopen from "./fastopen";
import { Tfo } from "./fastopen_t";
import * as mtu_probe from "./mtu_probe";
import * as output from "./output";
import * as plan from "./output_plan";
import * as recovery from "./recovery";
import * as loss from "./recovery_loss";
import * as rtt from "./rtt";
import * as segment from "./segment";
import { T } from "./settings";
import * as subr from "./subr";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** What the setting orphan_retries means by 0. */
const ORPHAN_RETRIES: u32 = 8;
/** The least RTO that numbers of timeouts are meant for. */
const RTO_USUAL_US: i64 = 200_000;

/** The wheel timer of a connection fired: runs the rows that are due. */
export function fire(arg: usize): void {
  const tp = changetype<Tcb>(arg);
  const now = clock.now();
  for (let row: i32 = 0; row < Row.COUNT; row++) {
    if (timers.take(tp, row, now) && !expired(tp, row)) return;
  }
  timers.rearm(tp);
}

/** False if the connection has ended. */
function expired(tp: Tcb, row: i32): bool {
  switch (row) {
    case Row.REXMT:
      return rexmt(tp);
    case Row.PERSIST:
      return persist(tp);
    case Row.KEEP:
      return keep(tp);
    case Row.MSL2:
      subr.close(tp); // FIN-WAIT-2 of a closed socket: the peer's FIN never came
      return false;
    case Row.PROBE:
      output.probe(tp);
      return true;
    case Row.REORDER:
      recovery.reorderTimeout(tp);
      output.output(tp);
      return true;
    case Row.PACE:
      output.output(tp);
      return true;
    case Row.CORK:
      cork.expired(tp);
      return true;
    default:
      stat.inc(Stat.TCP_DELACK);
      delack.expired(tp);
      output.output(tp);
      return true;
  }
}

/** RFC 6298 5.4 to 5.6; gives the connection up after R2 (RFC 9293 3.8.3, MUST-20). */
function rexmt(tp: Tcb): bool {
  if (tp.state < TcpState.ESTABLISHED || tp.tfo & Tfo.PENDING) return synTimeout(tp);
  if (tp.sent_count == 0) return sendLate(tp);
  if (tp.snd_wnd == 0) return shutWindow(tp);
  const last = (u32(tp.tries) >= mostTries(tp) && waitedLong(tp)) || userTimeout(tp);
  fastopen.timedOut(tp, tp.tries, last);
  if (last) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  expire(tp);
  mtu_probe.timeout(tp);
  loss.timeout(tp);
  if (tp.tries < 255) tp.tries++;
  output.output(tp);
  if (!timers.watched(tp)) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
  return true;
}

/** R2: timeouts in a row that end a connection, one that its user has closed perhaps sooner. */
function mostTries(tp: Tcb): u32 {
  if (!(tp.inp.so.state & Ss.NOFDREF)) return T.data_retries;
  return min<u32>(T.orphan_retries ? T.orphan_retries : ORPHAN_RETRIES, T.data_retries);
}

/**
 * True if nothing was acknowledged for as long as that many timeouts take from the usual least RTO
 * on. With a shorter one they are soon over, but R2 is a time (RFC 9293 3.8.3, SHLD-11).
 */
function waitedLong(tp: Tcb): bool {
  const n = mostTries(tp);
  let us: i64 = 0;
  let next = RTO_USUAL_US;
  for (let i: u32 = 0; i < n; i++) {
    next = min<i64>(next << 1, i64(T.rto_max_us));
    us += next;
  }
  return clock.now() - tp.progress_at >= us;
}

function expire(tp: Tcb): void {
  stat.inc(Stat.TCP_RTO);
  tp.rexmt_timeouts++;
  // R1: the path may be dead, and another next hop alive (MUST-20)
  if (u32(tp.tries) + 1 == T.data_retries_soft) in_output.doubt(tp.inp);
  if (tp.state == TcpState.SYN_SENT && u32(tp.tries) < T.syn_linear) return;
  if (tp.backoff < 12) tp.backoff++;
}

/**
 * TCP_SYNCNT, or what the stack says: once more for a Fast Open, since data waits for it. SYNs that
 * leave at one distance come on top, or an attempt would be over in a few seconds (MUST-23).
 */
function synRetries(tp: Tcb): u32 {
  const linear = tp.state == TcpState.SYN_SENT ? T.syn_linear : 0;
  if (tp.syn_retries) return tp.syn_retries + linear;
  return linear + (tp.tfo & Tfo.PENDING ? T.synack_retries + 1 : T.syn_retries);
}

/** A SYN or SYN-ACK has met no answer: the same rules (RFC 9293 MUST-22). */
function synTimeout(tp: Tcb): bool {
  const last = u32(tp.tries) >= synRetries(tp) || userTimeout(tp);
  fastopen.timedOut(tp, tp.tries, last);
  if (last) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  expire(tp);
  tp.tries++;
  timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
  output.resendSyn(tp);
  return true;
}

/**
 * The peer has taken its window back with data in flight. The first segment asks for it, and the
 * connection lives as long as the peer answers (RFC 9293 3.8.6: MUST-34, MUST-35, SHLD-17).
 */
function shutWindow(tp: Tcb): bool {
  if (userTimeout(tp) || (u32(tp.tries) >= mostTries(tp) && silent(tp))) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  expire(tp);
  if (tp.tries < 255) tp.tries++;
  output.resendFirst(tp);
  timers.watch(tp, Row.REXMT, rtt.rexmtDelay(tp));
  return true;
}

/** True if nothing has come from the peer for very long. */
function silent(tp: Tcb): bool {
  return clock.now() - tp.rcvd_at > 2 * i64(T.rto_max_us);
}

/**
 * Nothing is in flight, since the way down refused it. For want of memory that is no fault of the
 * path; any other reason counts like a timeout.
 */
function sendLate(tp: Tcb): bool {
  const error = output.output(tp);
  if (error >= 0 || error == -Errno.ENOBUFS) return true;
  if (u32(tp.tries) >= mostTries(tp)) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  tp.tries++;
  if (tp.backoff < 12) tp.backoff++;
  timers.set(tp, Row.REXMT, rtt.backedOff(tp));
  return true;
}

/** TCP_USER_TIMEOUT: data may stay unacknowledged only so long (RFC 5482). */
function userTimeout(tp: Tcb): bool {
  if (tp.user_timeout_ms == 0) return false;
  return clock.now() - tp.progress_at >= i64(tp.user_timeout_ms) * 1000;
}

/**
 * Probes the closed window (MUST-36), as long as that is answered (MUST-37). A small one is filled:
 * the peer may never open it further (the override timeout of RFC 1122 4.2.3.4).
 */
function persist(tp: Tcb): bool {
  stat.inc(Stat.TCP_PERSIST);
  if (userTimeout(tp) || (u32(tp.backoff) >= mostTries(tp) && silent(tp))) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  if (tp.backoff < 255) tp.backoff++; // counts on to the limit when the delay grows no more
  timers.set(tp, Row.PERSIST, rtt.withinUserTimeout(tp, plan.persistDelay(tp)));
  if (tp.sent_first) {
    output.resendFirst(tp); // the byte of the last probe
  } else if (T.persist_probe && tp.snd_wnd == 0) {
    segment.send(tp, tp.snd_una - 1, 0, Th.ACK); // not acceptable: it must be answered
  } else {
    tp.flags |= Tf.FORCE;
    output.output(tp);
    tp.flags &= ~Tf.FORCE;
  }
  return true;
}

/**
 * Nothing was heard for long: asks whether the peer still lives (RFC 9293 3.8.4), several times
 * before it is taken for dead (MUST-29).
 */
function keep(tp: Tcb): bool {
  if (tp.state < TcpState.ESTABLISHED) { // TCP_KEEPINIT
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  if (!(tp.inp.so.options & So.KEEPALIVE) || tp.state > TcpState.CLOSE_WAIT) return true;
  const idle = clock.now() - tp.rcvd_at;
  const limit = i64(tp.keep_idle_ms) * 1000;
  // MUST-26: not while data is outstanding, which finds out by itself
  const busy = tp.snd_una != tp.snd_nxt || tp.inp.so.snd.cc > 0;
  if (idle < limit || busy) {
    tp.keep_probes = 0;
    timers.set(tp, Row.KEEP, busy ? limit : limit - idle);
    return true;
  }
  // TCP_USER_TIMEOUT, if it is set, takes the place of TCP_KEEPCNT, as in Linux
  const user = i64(tp.user_timeout_ms) * 1000;
  const over = user ? tp.keep_probes > 0 && idle >= user : tp.keep_probes >= tp.keep_cnt;
  if (over) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  tp.keep_probes++;
  stat.inc(Stat.TCP_KEEPALIVE);
  // <SEQ=SND.UNA-1><CTL=ACK>, no data (SHLD-12): not acceptable, so a living peer answers
  segment.send(tp, tp.snd_una - 1, 0, Th.ACK);
  timers.set(tp, Row.KEEP, i64(tp.keep_intvl_ms) * 1000);
  return true;
}
