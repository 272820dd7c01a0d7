/**
 * Taking a reduction back that was spurious: every retransmission is reported as a duplicate (RFC
 * 2883, 3708), or the first ACK after one echoes a timestamp older than it (RFC 3522, Eifel). What
 * follows then is RFC 4015 as far as the window goes.
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import { A } from "./ack_t";
import * as cc from "./cc";
import * as rack from "./rack";
import { G } from "./seg";
import { Opt } from "./seg_t";
import { Tlp } from "./loss_probe";
import * as sent from "./sent";
import { Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";

/** What tp.undo says: whether the last reduction may still prove spurious. */
export const enum Undo {
  NO = 0,
  ALL = 1,
  MARKED = 2, // but the path was marked before: CWR is still to be told (RFC 3168 6.1.2)
}

/** A reduction begins that may prove spurious. */
export function start(tp: Tcb): void {
  tp.undo = T.undo ? u8(Undo.ALL) : u8(Undo.NO);
  tp.undo_una = tp.snd_una;
  // what is sent again already, or probes, may be reported as a duplicate later
  const n = sent.countResent(tp) + (tp.tlp == Tlp.AGAIN ? 1 : 0);
  tp.undo_resent = n > 0 ? n : NONE;
}

/** The same within a reduction that ECN asked for, which stands. */
export function startMarked(tp: Tcb): void {
  start(tp);
  tp.prior_cwnd = tp.cwnd;
  tp.prior_ssthresh = tp.ssthresh;
  if (tp.undo) tp.undo = u8(Undo.MARKED);
}

/** Nothing was sent again yet. */
const NONE: i32 = -1;

/** A segment was sent again. */
export function resent(tp: Tcb): void {
  if (tp.undo_resent < 0) tp.undo_resent = 0;
  tp.undo_resent++;
}

/** The peer has received `left` to `right` twice: that sending was not needed. */
export function duplicate(tp: Tcb, left: u32, right: u32): void {
  if (!tp.undo || tp.undo_resent <= 0 || seq.le(right, tp.undo_una)) return;
  if (seq.gt(right, tp.snd_una)) {
    // still in flight, so it is known: if it was sent only once, the network has doubled it
    const r = sent.find(tp, left);
    if (!r || !(r.flags & Sf.EVER)) return;
  }
  const mss: u32 = max<u32>(tp.snd_mss, 1);
  const n = i32((right - left + mss - 1) / mss);
  tp.undo_resent = max<i32>(tp.undo_resent - n, 0);
}

/** True if the ACK in G was sent for a segment that left before the first retransmission. */
function early(tp: Tcb): bool {
  if (tp.undo_at == 0 || !(tp.flags & Tf.TS) || !(G.opts & Opt.TS) || G.ts_ecr == 0) return false;
  return seq.lt(G.ts_ecr, tcb.tsAt(tp, tp.undo_at));
}

/** True if the last reduction has proved spurious. */
export function proved(tp: Tcb): bool {
  return tp.undo != 0 && (tp.undo_resent == 0 || early(tp));
}

/** True if the ACK says so by its timestamp alone. */
export function provedEarly(tp: Tcb): bool {
  return tp.undo != 0 && early(tp);
}

/** Puts the window back as it was. */
export function apply(tp: Tcb, unlose: bool): void {
  if (unlose) sent.unlose(tp);
  tp.cwnd = max<u32>(tp.cwnd, tp.prior_cwnd);
  if (tp.prior_ssthresh > tp.ssthresh) tp.ssthresh = tp.prior_ssthresh;
  // nothing was reduced: there is nothing to tell (RFC 3168 6.1.2)
  if (tp.undo == Undo.ALL) tp.flags &= ~Tf.CWR;
  tp.undo = 0;
  cc.undo(tp);
  stat.inc(Stat.TCP_UNDO);
  A.lost = 0;
}

/** A recovery is over and nothing has shown that it was wrong. */
export function keep(tp: Tcb): void {
  rack.recovered(tp);
}
