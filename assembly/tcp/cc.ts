/**
 * Congestion control: a table of algorithms. A row holds the moments at which an algorithm acts;
 * what it keeps lies in the 96 bytes cc_0..cc_11 of the Tcb. The caller has already decided that
 * the moment has come; an algorithm only moves cwnd and ssthresh.
 */
import * as newreno from "./cc_newreno";
import { Tcb } from "./tcb_t";

/** One algorithm: indices into the function table. */
@unmanaged
@final
export class CcRow {
  init: u32; // (tp): the connection is established; sets cwnd
  acked: u32; // (tp, bytes): new data was acknowledged, and the window was in use; grows cwnd
  reduce: u32; // (tp): a loss was found; sets ssthresh and leaves cwnd alone
  timeout: u32; // (tp): the retransmission timer fired; sets ssthresh
  ecn: u32; // (tp): the path marked CE; sets ssthresh (RFC 3168 6.1.2, RFC 8511)
  undo: u32; // (tp): the last reduction was spurious; cwnd and ssthresh are already back
  idle: u32; // (tp): nothing was sent for longer than the RTO (RFC 5681 4.1)
  sample: u32; // (tp, rtt_us): a round trip was measured
}

/** Algorithms by number; TCP_CONGESTION takes these. */
export const enum Cc {
  NEWRENO = 0,
  COUNT = 1,
}

const ROWS: usize = memory.data(32 * 8, 16);

function row(i: u32): CcRow {
  return changetype<CcRow>(ROWS + i * offsetof<CcRow>());
}

/** Fills in the table. */
export function init(): void {
  const r = row(Cc.NEWRENO);
  r.init = newreno.start.index;
  r.acked = newreno.acked.index;
  r.reduce = newreno.reduce.index;
  r.timeout = newreno.reduce.index;
  r.ecn = newreno.ecn.index;
  r.undo = newreno.undo.index;
  r.idle = newreno.idle.index;
  r.sample = newreno.sample.index;
}

export function start(tp: Tcb): void {
  call_indirect<void>(row(tp.cc_algo).init, tp);
}

export function acked(tp: Tcb, bytes: u32): void {
  call_indirect<void>(row(tp.cc_algo).acked, tp, bytes);
}

export function reduce(tp: Tcb): void {
  remember(tp);
  call_indirect<void>(row(tp.cc_algo).reduce, tp);
}

export function timeout(tp: Tcb): void {
  remember(tp);
  call_indirect<void>(row(tp.cc_algo).timeout, tp);
}

export function ecn(tp: Tcb): void {
  remember(tp);
  call_indirect<void>(row(tp.cc_algo).ecn, tp);
}

/** What a reduction that turns out spurious goes back to (RFC 4015). */
function remember(tp: Tcb): void {
  tp.prior_cwnd = tp.cwnd;
  tp.prior_ssthresh = tp.ssthresh;
}

export function undo(tp: Tcb): void {
  call_indirect<void>(row(tp.cc_algo).undo, tp);
}

export function idle(tp: Tcb): void {
  call_indirect<void>(row(tp.cc_algo).idle, tp);
}

export function sample(tp: Tcb, rtt_us: u32): void {
  call_indirect<void>(row(tp.cc_algo).sample, tp, rtt_us);
}
