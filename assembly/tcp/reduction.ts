/** The window's way down to ssthresh and back to OPEN, shared by all reasons for it. */
import * as cc from "./cc";
import * as prr from "./prr";
import { Sf } from "./sent_t";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as undo from "./undo";

/** A loss (RFC 5681 4.3-1) calls for a smaller window: sets ssthresh, and PRR goes down to it. */
export function begin(tp: Tcb): void {
  cc.reduce(tp);
  proceed(tp);
}

/** What follows when ssthresh is set. */
function proceed(tp: Tcb): void {
  tp.recover = tp.snd_nxt;
  tp.tlp = 0;
  prr.start(tp);
  if (tp.flags & Tf.ECN) tp.flags |= Tf.CWR; // RFC 3168 6.1.2: the next new data tells the peer
}

/** ECE: the path was congested and nothing was lost (RFC 3168 6.1.2). Once in each flight. */
export function enterCwr(tp: Tcb): bool {
  if (tp.ca_state >= Ca.CWR) return false;
  tp.undo = 0;
  cc.ecn(tp);
  proceed(tp);
  tp.ca_state = Ca.CWR;
  if (isSmall(tp)) tp.cwnd = max<u32>(tp.cwnd >> 1, tp.snd_mss);
  return true;
}

/** All is repaired: cwnd is ssthresh (RFC 5681 3.2-12, 4.3-3, RFC 6937bis). */
export function end(tp: Tcb): void {
  if (!isSmall(tp)) tp.cwnd = tp.ssthresh;
}

/**
 * ssthresh is two segments at least, but a mark halves the window itself down to one (RFC 3168
 * 6.1.2): then there is nothing to come down to.
 */
export function isSmall(tp: Tcb): bool {
  return tp.ca_state == Ca.CWR && tp.ssthresh >= tp.prior_cwnd;
}

/**
 * All that was in flight at the beginning is acknowledged: the recovery is over, and is taken back
 * if it was not needed.
 *
 * @returns false while it must still be held: without SACK, duplicate ACKs at `recover` itself may
 * be for what was sent again (RFC 6582 3.2 step 1).
 */
export function finish(tp: Tcb): bool {
  if (undo.proved(tp)) {
    undo.apply(tp, false);
  } else {
    undo.keep(tp);
    if (tp.ca_state == Ca.RECOVERY) end(tp);
  }
  if (!(tp.flags & Tf.SACK) && tp.snd_una == tp.recover && tp.sent_count > 0) {
    if (!anyResent(tp)) tp.undo_at = 0;
    return false;
  }
  tp.ca_state = Ca.OPEN;
  return true;
}

/** True if something in flight was sent more than once. */
function anyResent(tp: Tcb): bool {
  return tp.resent_bytes > 0 || (tp.sent_first && (tp.sent_first.flags & Sf.EVER) != 0);
}

/** OPEN if nothing is in doubt, else DISORDER; a reduction because of ECE goes on. */
export function tryOpen(tp: Tcb): void {
  if (!anyResent(tp)) tp.undo_at = 0;
  if (tp.ca_state != Ca.CWR) open(tp);
}

/** OPEN if nothing is in doubt, else DISORDER. */
export function open(tp: Tcb): void {
  const doubt = tp.sacked_bytes || tp.lost_bytes || anyResent(tp);
  const state: i32 = doubt ? Ca.DISORDER : Ca.OPEN;
  if (state == tp.ca_state) return;
  tp.ca_state = state;
  tp.recover = tp.snd_nxt;
}
