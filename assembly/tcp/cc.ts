/**
 * Congestion control: a table of algorithms. A row holds the four moments at which an algorithm
 * acts; what it keeps lies in the 32 bytes cc_0..cc_3 of the Tcb. The caller has already decided
 * that the moment has come; an algorithm only moves cwnd and ssthresh.
 */
import * as newreno from "./cc_newreno";
import { Tcb } from "./tcb_t";

/** One algorithm: indices into the function table. */
@unmanaged
@final
export class CcRow {
  init: u32; // (tp): the connection is established
  acked: u32; // (tp, bytes): new data was acknowledged outside recovery
  reduce: u32; // (tp): loss was found; sets ssthresh (RFC 5681 equation 4) and leaves cwnd alone
  idle: u32; // (tp): nothing was sent for longer than the RTO (RFC 5681 4.1)
}

/** Algorithms by number; TCP_CONGESTION takes these. */
export const enum Cc {
  NEWRENO = 0,
  COUNT = 1,
}

const ROWS: usize = memory.data(16 * 8, 16);

function row(i: u32): CcRow {
  return changetype<CcRow>(ROWS + i * offsetof<CcRow>());
}

/** Fills in the table. */
export function init(): void {
  const r = row(Cc.NEWRENO);
  r.init = newreno.start.index;
  r.acked = newreno.acked.index;
  r.reduce = newreno.reduce.index;
  r.idle = newreno.idle.index;
}

export function start(tp: Tcb): void {
  call_indirect<void>(row(tp.cc_algo).init, tp);
}

export function acked(tp: Tcb, bytes: u32): void {
  call_indirect<void>(row(tp.cc_algo).acked, tp, bytes);
}

export function reduce(tp: Tcb): void {
  tp.prior_cwnd = tp.cwnd;
  tp.prior_ssthresh = tp.ssthresh;
  call_indirect<void>(row(tp.cc_algo).reduce, tp);
}

export function idle(tp: Tcb): void {
  call_indirect<void>(row(tp.cc_algo).idle, tp);
}
