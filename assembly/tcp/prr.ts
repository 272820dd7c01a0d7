/**
 * Proportional Rate Reduction (RFC 6937bis): during a reduction cwnd follows what is delivered, so
 * that the flight comes down to ssthresh smoothly and without a pause (RFC 5681 4.3-2).
 */
import { A } from "./ack_t";
import * as sent from "./sent";
import { Tcb } from "./tcb_t";

/** A reduction begins: cc has set ssthresh. */
export function start(tp: Tcb): void {
  tp.prr_delivered = 0;
  tp.prr_out = 0;
  // RecoverFS: what was reported before does not count as delivered in this recovery
  const flight = tp.snd_nxt - tp.snd_una;
  const before = tp.sacked_bytes - min<u32>(tp.sacked_bytes, A.sacked);
  tp.prr_flight = max<u32>(flight - min<u32>(flight, before) + A.acked, tp.snd_mss);
}

/** An ACK in a reduction: how much may leave now. */
export function acked(tp: Tcb): void {
  if (A.delivered == 0) return;
  const mss: u32 = tp.snd_mss;
  const pipe = sent.pipe(tp);
  tp.prr_delivered += A.delivered;
  let n: i64;
  if (pipe > tp.ssthresh) {
    // in whole segments: a fraction left over would only wait for the next ACK
    const due = u64(tp.prr_delivered) * u64(tp.ssthresh);
    const share = (due + u64(tp.prr_flight) - 1) / u64(tp.prr_flight);
    n = i64((share + mss - 1) / mss * mss) - i64(tp.prr_out);
  } else {
    n = max<i64>(i64(tp.prr_delivered) - i64(tp.prr_out), i64(A.delivered));
    if (A.acked > 0 && !A.lost) n += i64(mss); // SafeACK: SSRB, else CRB
    n = min<i64>(n, i64(tp.ssthresh) - i64(pipe));
  }
  if (tp.prr_out == 0) n = max<i64>(n, i64(mss)); // the fast retransmit itself
  tp.cwnd = max<u32>(u32(i64(pipe) + max<i64>(n, 0)), mss);
}

/** `bytes` of data have left in a reduction. */
export function sentBytes(tp: Tcb, bytes: u32): void {
  tp.prr_out += bytes;
}
