/**
 * Loss recovery: when to believe that a segment is lost without waiting for the timer, and what
 * the window does then (RFC 5681 3.2, RFC 6582 without SACK, RFC 6675 with it).
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import * as cc from "./cc";
import * as ecn from "./ecn";
import * as rtt from "./rtt";
import * as sack from "./sack";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";

/** RFC 5681 3.2: the third duplicate ACK starts fast retransmit. */
const DUP_THRESH: u32 = 3;

/** A duplicate ACK has come. */
export function dupack(tp: Tcb): void {
  stat.inc(Stat.TCP_DUPACKS_IN);
  tp.dupacks_total++;
  if (tp.dupacks < 255) tp.dupacks++;
  if (tp.flags & Tf.RECOVERY) {
    if (!(tp.flags & Tf.SACK)) tp.cwnd += tp.snd_mss; // RFC 6582 3.2 step 3: a segment left
    return;
  }
  // RFC 6582 3.2 step 1, 6675 5.1: not again for data sent before the last timeout
  if (tp.flags & Tf.RTO_RECOVERY && seq.lt(tp.snd_una, tp.recover)) return;
  const sacked = tp.flags & Tf.SACK && sack.headLost(tp);
  if (tp.dupacks >= DUP_THRESH || sacked) enter(tp);
}

function enter(tp: Tcb): void {
  stat.inc(Stat.TCP_FAST_REXMT);
  if (!ecn.hasReduced(tp)) cc.reduce(tp);
  ecn.reduced(tp);
  rtt.cancel(tp);
  tp.recover = tp.snd_max;
  tp.high_rxt = tp.snd_una;
  tp.flags |= Tf.RECOVERY | Tf.REXMT1;
  tp.cwnd = tp.ssthresh;
  if (!(tp.flags & Tf.SACK)) tp.cwnd += DUP_THRESH * u32(tp.snd_mss); // RFC 5681 3.2 step 3
}

/** New data was acknowledged while in recovery; `acked` bytes, snd_una has moved. */
export function newAck(tp: Tcb, acked: u32): void {
  const mss: u32 = tp.snd_mss;
  if (seq.ge(tp.snd_una, tp.recover)) {
    // RFC 6582 3.2 step 3, full acknowledgment: no burst when the flight is small
    tp.flags &= ~(Tf.RECOVERY | Tf.REXMT1);
    const flight = tp.snd_max - tp.snd_una;
    tp.cwnd = min<u32>(tp.ssthresh, max<u32>(flight, mss) + mss);
    tp.bytes_acked = 0;
    return;
  }
  if (tp.flags & Tf.SACK) {
    if (seq.lt(tp.high_rxt, tp.snd_una)) tp.high_rxt = tp.snd_una;
    // without a report above it, the piece at snd_una is lost all the same (RFC 6582)
    if (!tp.sacked && tp.high_rxt == tp.snd_una) tp.flags |= Tf.REXMT1;
    return;
  }
  // RFC 6582 3.2 step 3, partial acknowledgment
  tp.cwnd = tp.cwnd > acked ? tp.cwnd - acked : 0;
  if (acked >= mss) tp.cwnd += mss;
  tp.cwnd = max<u32>(tp.cwnd, mss);
  tp.flags |= Tf.REXMT1;
}

/** The retransmission timer has fired (RFC 5681 3.1, RFC 6298 5.4 to 5.6). */
export function timeout(tp: Tcb): void {
  // RFC 5681 equation 4: only the first timeout of a segment halves ssthresh
  if (tp.tries == 0 && !ecn.hasReduced(tp)) cc.reduce(tp);
  ecn.reduced(tp);
  tp.flags &= ~(Tf.RECOVERY | Tf.REXMT1);
  tp.flags |= Tf.RTO_RECOVERY;
  tp.cwnd = tp.snd_mss;
  tp.bytes_acked = 0;
  tp.recover = tp.snd_max;
  tp.high_rxt = tp.snd_una;
  tp.dupacks = 0;
  rtt.cancel(tp);
  const first = tp.sacked;
  if (first && first.start == tp.snd_una) sack.clear(tp); // RFC 2018 8: the peer has reneged
  tp.snd_nxt = tp.snd_una;
}
