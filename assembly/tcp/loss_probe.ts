/**
 * Tail loss probes (RFC 8985 7): when no ACK comes for two round trips, one segment asks for one,
 * so that losses at the end of a flight are found by RACK and not by the timeout.
 */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import { A } from "./ack_t";
import { Tfo } from "./fastopen_t";
import { G } from "./seg";
import * as seq from "./seq";
import { T } from "./settings";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as rtt from "./rtt";
import * as timers from "./timers";
import { Row } from "./timers";

/** Worst time for which the peer delays an ACK (RFC 8985 7.2, WCDelAckT). */
const DELAYED_ACK_US: i64 = 200_000;

/** Room for timers that are not exact. */
const SLACK_US: i64 = 2000;

/** What tp.tlp says. */
export const enum Tlp {
  NONE = 0,
  NEW = 1, // the probe was new data
  AGAIN = 2, // the probe was the last segment once more
}

/**
 * Sets the probe timeout (PTO), in place of the retransmission timer, if a probe is of use.
 * `advancing`: the RTO would start anew now.
 *
 * @returns false if not.
 */
export function schedule(tp: Tcb, advancing: bool): bool {
  if (T.early_retrans < 3 || tp.sent_count == 0 || !(tp.flags & Tf.SACK)) return false;
  if (tp.ca_state != Ca.OPEN && tp.ca_state != Ca.CWR) return false;
  if (timers.isSet(tp, Row.PERSIST) || tp.tfo & Tfo.PENDING) return false;
  // after a probe the RTO runs; new data must not put it off for ever (RFC 6298 5.1)
  if (!advancing && tp.tlp && timers.isSet(tp, Row.REXMT)) return false;
  let pto: i64 = i64(T.rto_initial_us);
  if (tp.srtt_us) {
    pto = 2 * i64(tp.srtt_us) + (tp.sent_count == 1 ? DELAYED_ACK_US : SLACK_US);
  }
  const rto = advancing ? rtt.rexmtDelay(tp) : untilRto(tp);
  if (rto > 0) pto = min<i64>(pto, rto);
  timers.watch(tp, Row.PROBE, pto);
  return true;
}

/** Time from now to the RTO of the first segment in flight. */
export function untilRto(tp: Tcb): i64 {
  return tp.sent_first.at + rtt.rexmtDelay(tp) - clock.now();
}

/**
 * Starts the retransmission timer, or stops it if nothing is in flight (RFC 6298 5.1 to 5.3).
 * `late`: another timer was on in its place, so that it runs since the first segment left.
 */
export function rearm(tp: Tcb, late: bool): void {
  if (tp.sent_count == 0) {
    timers.unwatch(tp);
    return;
  }
  if (timers.isSet(tp, Row.PERSIST)) return;
  late = late || timers.isSet(tp, Row.PROBE) || timers.isSet(tp, Row.REORDER);
  const delay = late ? max<i64>(untilRto(tp), 1) : rtt.rexmtDelay(tp);
  timers.watch(tp, Row.REXMT, delay);
}

/** A probe has left. */
export function sent(tp: Tcb, kind: Tlp): void {
  tp.tlp = i32(kind);
  tp.tlp_end = tp.snd_nxt;
  stat.inc(Stat.TCP_LOSS_PROBES);
}

/**
 * TLP_process_ack(): the ACK in G, while a probe is out.
 *
 * @returns true if the probe has repaired a loss, which calls for a reduction of the window.
 */
export function acked(tp: Tcb): bool {
  if (tp.tlp == Tlp.NONE || seq.lt(G.ack, tp.tlp_end)) return false;
  if (tp.tlp == Tlp.NEW || (A.dsack && A.dsack_end == tp.tlp_end)) {
    tp.tlp = Tlp.NONE; // nothing was lost: all arrived, or the probe came twice
  } else if (seq.gt(G.ack, tp.tlp_end)) {
    tp.tlp = Tlp.NONE; // more was acknowledged and nothing came twice: the probe filled a gap
    stat.inc(Stat.TCP_LOSS_PROBE_RECOVERIES);
    return true;
  } else if (A.acked == 0 && A.sacked == 0 && A.dup) {
    tp.tlp = Tlp.NONE; // an ACK for the probe alone: the original was there
  }
  return false;
}
