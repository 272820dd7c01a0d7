/**
 * The sender's state machine (RFC 5681 3.2, 6582, 6675, 8985): what an ACK means for the segments
 * in flight, and what the window does then. What is sent next is decided in output_plan.ts alone.
 *
 * ```
 *   OPEN <-> DISORDER --> RECOVERY --> OPEN       a loss is found, all the flight is acknowledged
 *              any    --> LOSS     --> OPEN       timeout; see recovery_loss.ts
 *   OPEN, DISORDER    --> CWR      --> OPEN       the path has marked instead of dropping
 * ```
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import * as ack from "./ack_t";
import { A } from "./ack_t";
import * as cc from "./cc";
import * as ecn from "./ecn";
import * as loss_probe from "./loss_probe";
import * as loss from "./recovery_loss";
import * as mtu_probe from "./mtu_probe";
import * as prr from "./prr";
import * as rack from "./rack";
import * as reduction from "./reduction";
import * as reno from "./reno";
import * as sack from "./sack";
import * as seq from "./seq";
import { T } from "./settings";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import * as undo from "./undo";

/** The ACK in A and G has been taken in: judges it, then moves the window and the timers. */
export function acked(tp: Tcb): void {
  if (tp.tlp && loss_probe.acked(tp)) {
    reduction.begin(tp);
    reduction.end(tp);
    reduction.open(tp);
  }
  if (tp.flags & Tf.SACK) rack.adapt(tp);
  let armed = false;
  const before = tp.ca_state;
  if (tp.ca_state != Ca.OPEN || A.dup || A.sacked || A.dsack || tp.sacked_bytes) {
    armed = judge(tp);
  }
  if (tp.ca_state == Ca.CWR || tp.ca_state == Ca.RECOVERY) {
    if (!reduction.isSmall(tp)) prr.acked(tp);
  } else if (A.acked && inUse(tp) && !ended(tp, before) && !ecn.isEcho(tp)) {
    cc.acked(tp, A.delivered);
  }
  if (!armed && (A.acked || headOvertaken(tp))) watch(tp);
}

/** RFC 6675 5: what ends a recovery acknowledges its data, and does not grow the next window. */
function ended(tp: Tcb, before: Ca): bool {
  return before == Ca.RECOVERY && tp.ca_state < Ca.RECOVERY;
}

/**
 * RFC 6298 5.3; a SACK restarts the timer too, unless it is for what left after the first missing
 * segment did: else the timeout would move away while that one stays lost.
 */
function headOvertaken(tp: Tcb): bool {
  return A.sacked > 0 && tp.sent_first && A.sack_at != 0 && A.sack_at <= tp.sent_first.at;
}

/** Sets the timer that watches over what is in flight. */
export function watch(tp: Tcb): void {
  if (!loss_probe.schedule(tp, true)) loss_probe.rearm(tp, false);
}

/** RFC 7661 4.3, RFC 9438 4.2: a window that is not used says nothing about the network. */
function inUse(tp: Tcb): bool {
  if (tp.cwnd_limited) return true;
  return tp.cwnd < tp.ssthresh && tp.cwnd < 2 * tp.max_out;
}

/** An ACK out of the ordinary. True if the reordering timer is set. */
function judge(tp: Tcb): bool {
  if (tp.ca_state != Ca.OPEN && seq.ge(tp.snd_una, tp.recover) && flightOver(tp)) return false;
  if (tp.ca_state == Ca.RECOVERY) return inRecovery(tp);
  if (tp.ca_state == Ca.LOSS) {
    loss.acked(tp);
    const armed = detect(tp);
    if (tp.ca_state != Ca.OPEN && !A.lost_resent) return armed;
  }
  return suspect(tp);
}

/** Everything that was in flight when the state changed is acknowledged; true if that is all. */
function flightOver(tp: Tcb): bool {
  if (tp.ca_state == Ca.CWR) {
    // the CWR bit must reach the peer: something beyond is to be acknowledged first
    if (tp.snd_una == tp.recover) return false;
    reduction.end(tp);
    tp.ca_state = Ca.OPEN;
  } else if (tp.ca_state == Ca.RECOVERY) {
    if (!(tp.flags & Tf.SACK)) reno.reset(tp);
    if (!reduction.finish(tp)) return true;
  }
  return false;
}

function inRecovery(tp: Tcb): bool {
  if (A.acked == 0) {
    if (A.dup && !(tp.flags & Tf.SACK)) reno.dupack(tp);
  } else if (undo.provedEarly(tp)) {
    // a partial ACK for an original: the hole was a segment that came late
    if (tp.resent_bytes > 0) return false;
    undo.apply(tp, true);
    reduction.open(tp);
  }
  if (tp.undo && tp.undo_resent == 0) {
    undo.apply(tp, false);
    reduction.open(tp);
  }
  const armed = detect(tp);
  if (tp.ca_state == Ca.RECOVERY) return armed;
  if (tp.lost_bytes > 0) enter(tp); // taken back, and something else is lost
  else reduction.tryOpen(tp);
  return armed;
}

/** OPEN, DISORDER or CWR: is something lost? */
function suspect(tp: Tcb): bool {
  if (!(tp.flags & Tf.SACK)) {
    if (A.acked) reno.reset(tp);
    if (A.dup) reno.dupack(tp);
  }
  if (tp.ca_state <= Ca.DISORDER && tp.undo && tp.undo_resent == 0) undo.apply(tp, false);
  const armed = detect(tp);
  if (tp.lost_bytes > 0 && mtu_probe.isLost(tp)) return armed;
  if (tp.lost_bytes > 0) enter(tp);
  else reduction.tryOpen(tp);
  return armed;
}

/** Marks what is lost. True if the reordering timer is set. */
function detect(tp: Tcb): bool {
  if (!tp.sent_first) return false;
  if (!(tp.flags & Tf.SACK)) {
    reno.detect(tp);
  } else if (!T.recovery) {
    sack.detect(tp);
  } else {
    const wait = rack.detect(tp);
    if (wait > 0) {
      timers.watch(tp, Row.REORDER, wait);
      return true;
    }
  }
  return false;
}

/**
 * Fast recovery begins (RFC 6675 5, RFC 8985 6.2). It copes with many losses in a flight (that is
 * RFC 5681 4.3-5), and another flight's lower the window again (RFC 5681 4.3-4).
 */
export function enter(tp: Tcb): void {
  stat.inc(Stat.TCP_FAST_REXMT);
  // RFC 3168 6.1.2: a loss in the window that a mark has reduced is no second instance; the loss of
  // what was sent since then is, the segment with CWR above all
  if (tp.ca_state == Ca.CWR && seq.lt(tp.snd_una, tp.recover)) {
    undo.startMarked(tp); // what ECN asked for is not taken back
    tp.tlp = 0;
  } else {
    undo.start(tp);
    reduction.begin(tp);
  }
  tp.ca_state = Ca.RECOVERY;
}

/** The reordering window has gone by without the missing segments (RFC 8985 6.3). */
export function reorderTimeout(tp: Tcb): void {
  ack.begin(tp.snd_una);
  const armed = detect(tp);
  if (A.lost && tp.ca_state != Ca.RECOVERY && !mtu_probe.isLost(tp)) {
    enter(tp);
    A.delivered = tp.snd_mss; // room for the fast retransmit
    prr.acked(tp);
  }
  if (!armed) loss_probe.rearm(tp, true);
}
