/** What happens when a timer of a connection fires. */
import { Errno } from "../abi/errno";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import { So } from "../abi/socket";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as delack from "./delack";
import * as output from "./output";
import * as recovery from "./recovery";
import * as rtt from "./rtt";
import * as segment from "./segment";
import { T } from "./settings";
import * as subr from "./subr";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

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
    default:
      stat.inc(Stat.TCP_DELACK);
      delack.expired(tp);
      output.output(tp);
      return true;
  }
}

/** RFC 6298 5.4 to 5.6; gives the connection up after R2 (RFC 9293 3.8.3). */
function rexmt(tp: Tcb): bool {
  if (tp.snd_una == tp.snd_max && tp.state >= TcpState.ESTABLISHED) return sendLate(tp);
  // a peer that has closed its window is alive as long as it answers: that is the persist timer's
  const syns: u32 = tp.syn_retries ? u32(tp.syn_retries) : T.syn_retries; // TCP_SYNCNT
  const most = tp.state < TcpState.ESTABLISHED ? syns : T.data_retries;
  if (u32(tp.tries) >= most || userTimeout(tp)) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  stat.inc(Stat.TCP_RTO);
  tp.rexmt_timeouts++;
  if (tp.state < TcpState.ESTABLISHED) {
    rtt.cancel(tp);
    tp.snd_nxt = tp.iss;
  } else {
    recovery.timeout(tp);
  }
  tp.tries++;
  if (tp.backoff < 12) tp.backoff++;
  output.output(tp);
  const watched = timers.isSet(tp, Row.REXMT) || timers.isSet(tp, Row.PERSIST);
  if (!watched) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp));
  return true;
}

/**
 * Nothing is in flight, since the way down refused it. For want of memory that is no fault of the
 * path; any other reason counts like a timeout.
 */
function sendLate(tp: Tcb): bool {
  const error = output.output(tp);
  if (error >= 0 || error == -Errno.ENOBUFS) return true;
  if (u32(tp.tries) >= T.data_retries) {
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

/** Probes the closed window with one byte (RFC 9293 3.8.6.1), as long as that is answered. */
function persist(tp: Tcb): bool {
  stat.inc(Stat.TCP_PERSIST);
  const silent = clock.now() - tp.rcvd_at;
  if (u32(tp.backoff) >= T.data_retries && silent > 2 * i64(T.rto_max_us)) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  if (tp.backoff < 255) tp.backoff++; // counts on to the limit when the delay grows no more
  timers.set(tp, Row.PERSIST, output.persistDelay(tp));
  tp.flags |= Tf.FORCE;
  tp.snd_nxt = tp.snd_una;
  output.output(tp);
  tp.flags &= ~Tf.FORCE;
  // what the peer does not take is sent again from here when the window opens
  if (timers.isSet(tp, Row.PERSIST)) tp.snd_nxt = tp.snd_una;
  return true;
}

/** Nothing was heard for long: asks whether the peer still lives (RFC 9293 3.8.4). */
function keep(tp: Tcb): bool {
  if (tp.state < TcpState.ESTABLISHED) { // TCP_KEEPINIT
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  if (!(tp.inp.so.options & So.KEEPALIVE) || tp.state > TcpState.CLOSE_WAIT) return true;
  const idle = clock.now() - tp.rcvd_at;
  const limit = i64(tp.keep_idle_ms) * 1000;
  if (idle < limit) {
    tp.keep_probes = 0;
    timers.set(tp, Row.KEEP, limit - idle);
    return true;
  }
  if (tp.keep_probes >= tp.keep_cnt) {
    subr.drop(tp, Errno.ETIMEDOUT);
    return false;
  }
  tp.keep_probes++;
  stat.inc(Stat.TCP_KEEPALIVE);
  // <SEQ=SND.UNA-1><CTL=ACK>: not acceptable, so a living peer answers (RFC 9293 3.8.4)
  segment.send(tp, tp.snd_una - 1, 0, Th.ACK);
  timers.set(tp, Row.KEEP, i64(tp.keep_intvl_ms) * 1000);
  return true;
}
