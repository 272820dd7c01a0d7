/**
 * NewReno: slow start and congestion avoidance (MUST-19, RFC 5681 3.1-1), counting bytes (RFC
 * 3465).
 */
import * as hystart from "./hystart";
import * as slow_start from "./slow_start";
import { Tcb } from "./tcb_t";

/** What a CE mark leaves of the window, per cent (RFC 8511 3). */
const BETA_ECN: u32 = 80;

export function init(tp: Tcb): void {
  hystart.begin(tp);
}

export function acked(tp: Tcb, bytes: u32): void {
  const left = tp.cwnd < tp.ssthresh ? slow_start.acked(tp, bytes) : bytes;
  if (left == 0) return;
  // RFC 5681 3.1-9, 3.1-10, 3.1-11: one segment for each window acknowledged
  tp.bytes_acked += left;
  if (tp.bytes_acked < tp.cwnd) return;
  tp.bytes_acked -= tp.cwnd;
  tp.cwnd = min<u32>(tp.cwnd + tp.snd_mss, slow_start.CWND_MAX);
}

/** ssthresh = max(FlightSize / 2, 2 SMSS) (equation 4; RFC 5681 3.1-7, 3.1-13, 3.2-7). */
export function reduce(tp: Tcb): void {
  reduceTo(tp, 50);
}

/** RFC 8511 3.1: a mark comes from a short queue, which less of a reduction empties. */
export function ecn(tp: Tcb): void {
  reduceTo(tp, slow_start.afterMark(50, BETA_ECN));
}

function reduceTo(tp: Tcb, percent: u32): void {
  // RFC 5681 3.2-8: what limited transmit sent beyond cwnd does not count
  const flight = min<u32>(tp.snd_nxt - tp.snd_una, tp.cwnd);
  tp.ssthresh = slow_start.part(tp, flight, percent);
  tp.bytes_acked = 0;
  hystart.stop(tp);
}

/** Nothing beside cwnd and ssthresh is to be put back. */
export function undo(tp: Tcb): void {
  tp.bytes_acked = 0;
  hystart.begin(tp);
}

export function idle(tp: Tcb): void {
  slow_start.restart(tp);
  tp.bytes_acked = 0;
}

/** Round trips matter to slow start only. */
export function sample(tp: Tcb, rtt_us: u32): void {
  hystart.sample(tp, rtt_us);
}
