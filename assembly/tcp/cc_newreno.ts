/** NewReno: slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465). */
import { initialCwnd } from "./tcb";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";

/** Most that cwnd may reach, bytes: well inside the largest scaled window. */
const CWND_MAX: u32 = 1 << 30;

/**
 * RFC 3465 2.2, 2.3: in slow start, at most L=2 segments for each ACK, but one after a timeout,
 * when an ACK may cover what had arrived long before.
 */
const ABC_L: u32 = 2;

export function start(tp: Tcb): void {
  tp.cwnd = initialCwnd(tp);
  tp.bytes_acked = 0;
}

export function acked(tp: Tcb, bytes: u32): void {
  const mss: u32 = tp.snd_mss;
  if (tp.cwnd < tp.ssthresh) {
    const l: u32 = tp.flags & Tf.RTO_RECOVERY ? 1 : ABC_L;
    tp.cwnd += min<u32>(bytes, l * mss); // RFC 5681 3.1
  } else {
    tp.bytes_acked += bytes; // RFC 3465 2.1: one segment for each window acknowledged
    if (tp.bytes_acked >= tp.cwnd) {
      tp.bytes_acked -= tp.cwnd;
      tp.cwnd += mss;
    }
  }
  if (tp.cwnd > CWND_MAX) tp.cwnd = CWND_MAX;
}

/** ssthresh = max(FlightSize / 2, 2 SMSS) (RFC 5681 equation 4). */
export function reduce(tp: Tcb): void {
  const flight = tp.snd_max - tp.snd_una;
  tp.ssthresh = max<u32>(flight >> 1, 2 * u32(tp.snd_mss));
  tp.bytes_acked = 0;
}

/**
 * The path marks: its queue is short, and less of a backoff empties it (RFC 8511 3). Without a
 * factor, as for a loss (RFC 3168 6.1.2).
 */
export function ecn(tp: Tcb): void {
  if (T.ecn_beta == 0) return reduce(tp);
  const flight = u64(tp.snd_max - tp.snd_una) * T.ecn_beta / 100;
  tp.ssthresh = max<u32>(u32(flight), 2 * u32(tp.snd_mss));
  tp.bytes_acked = 0;
}

/** RFC 5681 4.1: after an idle RTO the window restarts from the initial one. */
export function idle(tp: Tcb): void {
  tp.cwnd = min<u32>(tp.cwnd, initialCwnd(tp));
}

/** Nothing beside cwnd and ssthresh is to be put back. */
export function undo(tp: Tcb): void {
  tp.bytes_acked = 0;
}

/** Round trips do not matter to it. */
export function sample(_tp: Tcb, _rtt_us: u32): void {}
