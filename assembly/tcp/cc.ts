/**
 * Congestion control: a table of algorithms. A row holds the moments at which an algorithm acts;
 * what it keeps lies in the 96 bytes cc_0..cc_11 of the Tcb. The caller has already decided that
 * the moment has come; an algorithm only moves cwnd and ssthresh.
 */
import { Cc } from "../abi/tcp";
import * as cubic from "./cc_cubic";
import * as newreno from "./cc_newreno";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";

/** One algorithm: indices into the function table. */
@unmanaged
@final
export class CcRow {
  init: u32; // (tp): begins to serve the connection; its 96 bytes are zero, cwnd is set
  acked: u32; // (tp, bytes): new data was acknowledged, and the window was in use; grows cwnd
  reduce: u32; // (tp): a loss was found; sets ssthresh and leaves cwnd alone
  timeout: u32; // (tp): the retransmission timer fired; sets ssthresh
  ecn: u32; // (tp): the path marked CE; sets ssthresh (RFC 3168 6.1.2, RFC 8511)
  undo: u32; // (tp): the last reduction was spurious; cwnd and ssthresh are already back
  idle: u32; // (tp): nothing was sent for longer than the RTO (RFC 5681 4.1)
  sample: u32; // (tp, rtt_us): a round trip was measured
}

const ROWS: usize = memory.data(32 * 2, 16);

/** Bytes that a connection has for its algorithm. */
const STATE_BYTES: usize = 96;

function row(i: u32): CcRow {
  return changetype<CcRow>(ROWS + i * offsetof<CcRow>());
}

/** Fills in the table. */
export function init(): void {
  let r = row(Cc.NEWRENO);
  r.init = newreno.init.index;
  r.acked = newreno.acked.index;
  r.reduce = newreno.reduce.index;
  r.timeout = newreno.reduce.index;
  r.ecn = newreno.ecn.index;
  r.undo = newreno.undo.index;
  r.idle = newreno.idle.index;
  r.sample = newreno.sample.index;
  r = row(Cc.CUBIC);
  r.init = cubic.init.index;
  r.acked = cubic.acked.index;
  r.reduce = cubic.reduce.index;
  r.timeout = cubic.timeout.index;
  r.ecn = cubic.ecn.index;
  r.undo = cubic.undo.index;
  r.idle = cubic.idle.index;
  r.sample = cubic.sample.index;
}

/** The connection is established: the initial window (RFC 6928). */
export function start(tp: Tcb): void {
  tp.cwnd = tcb.initialCwnd(tp);
  begin(tp);
}

/** Changes the algorithm. The window stays; the new one learns the path from here on. */
export function select(tp: Tcb, algorithm: u8): void {
  if (tp.cc_algo == algorithm) return;
  tp.cc_algo = algorithm;
  begin(tp);
}

function begin(tp: Tcb): void {
  memory.fill(changetype<usize>(tp) + offsetof<Tcb>("cc_0"), 0, STATE_BYTES);
  tp.bytes_acked = 0;
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
