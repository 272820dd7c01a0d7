/**
 * After a retransmission timeout (RFC 5681 3.1, RFC 6298 5.4 to 5.6): slow start from one segment,
 * and F-RTO (RFC 5682), which finds out whether the timeout was spurious.
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import { A } from "./ack_t";
import * as cc from "./cc";
import * as rack from "./rack";
import * as reduction from "./reduction";
import * as reno from "./reno";
import * as sack from "./sack";
import * as sent from "./sent";
import { Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as undo from "./undo";

/** What tp.frto says. */
export const enum Frto {
  OFF = 0,
  WAIT = 1, // step 1 is done: the first segment was sent again
  PROBE = 2, // step 2b: new data goes first, and what comes back decides
}

/** The retransmission timer has fired. */
export function timeout(tp: Tcb): void {
  const fresh = tp.ca_state < Ca.RECOVERY;
  takeAsLost(tp);
  // RFC 5681 3.1-14: only the first timeout of a segment reduces ssthresh
  const first = tp.ca_state <= Ca.DISORDER || seq.ge(tp.snd_una, tp.recover) ||
    (tp.ca_state == Ca.LOSS && tp.tries == 0);
  if (first) {
    cc.timeout(tp);
    undo.start(tp);
  }
  // RFC 5681 3.1-15: the loss window, one segment beside what is not lost
  tp.cwnd = sent.pipe(tp) + tp.snd_mss;
  tp.bytes_acked = 0;
  tp.ca_state = Ca.LOSS;
  tp.recover = tp.snd_nxt;
  tp.dupacks = 0;
  tp.tlp = 0;
  if (tp.flags & Tf.ECN) tp.flags |= Tf.CWR;
  const probing = tp.mtu_probe != 0;
  tp.frto = T.frto && (fresh || tp.tries > 0) && !probing ? i32(Frto.WAIT) : i32(Frto.OFF);
}

function takeAsLost(tp: Tcb): void {
  if (!(tp.flags & Tf.SACK)) reno.reset(tp);
  if (sack.reneged(tp)) {
    // RFC 2018 8: the peer has dropped what it had reported
    stat.inc(Stat.TCP_RENEGED);
    sent.renege(tp);
  } else if (tp.flags & Tf.SACK && T.recovery) {
    rack.timeout(tp);
    return;
  }
  for (let r = tp.sent_first; r; r = r.next) {
    if (!(r.flags & Sf.SACKED)) sent.lose(tp, r);
  }
}

/** An ACK in LOSS. */
export function acked(tp: Tcb): void {
  const over = seq.ge(tp.snd_una, tp.recover);
  if (A.acked && undo.proved(tp)) return spurious(tp, false);
  if (tp.frto) {
    // step 3b: something that was sent only once has arrived: it was never lost
    if (A.orig) return spurious(tp, true);
    if (seq.gt(tp.snd_nxt, tp.recover)) {
      if (A.sacked || A.dup) tp.frto = Frto.OFF; // step 3a: the loss was real
      else if (A.acked) tp.frto = Frto.WAIT; // what was sent twice: it says nothing, go on
    } else if (A.acked && !over) {
      tp.recover = tp.snd_nxt;
      tp.frto = hasNew(tp) ? i32(Frto.PROBE) : i32(Frto.OFF); // step 2b
      if (tp.frto) return;
    }
  }
  if (over) {
    reduction.finish(tp);
    return;
  }
  if (tp.flags & Tf.SACK) return;
  if (A.acked) reno.reset(tp);
  else if (A.dup && seq.gt(tp.snd_nxt, tp.recover)) reno.dupack(tp);
}

/** True if there is data that was never sent and the window has room for it. */
function hasNew(tp: Tcb): bool {
  const off = tp.snd_nxt - tp.snd_una;
  return tp.inp.so.snd.cc > off && tp.snd_wnd > off;
}

/** The timeout came too early: nothing was lost. `proof`: by F-RTO. */
function spurious(tp: Tcb, proof: bool): void {
  stat.inc(Stat.TCP_SPURIOUS_RTO);
  undo.apply(tp, true);
  tp.frto = Frto.OFF;
  if (!(tp.flags & Tf.SACK) && tp.snd_una == tp.recover && tp.sent_count > 0) return;
  if (proof || tp.flags & Tf.SACK) tp.ca_state = Ca.OPEN;
}
