/** Sending again what is lost for no fault of the path: there is no congestion to answer. */
import * as reno from "./reno";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import { Ca, Tcb, Tf } from "./tcb_t";

/** The MSS has become smaller: what is too large now is sent again in pieces (RFC 1191 6.5). */
export function simpleRetransmit(tp: Tcb): void {
  let any = false;
  for (let r: Sent = tp.sent_first; r; r = r.next) {
    if (r.flags & Sf.SACKED || r.end - r.start <= u32(tp.snd_mss)) continue;
    sent.lose(tp, r);
    any = true;
  }
  if (any) quietly(tp);
}

/** What is lost is sent again. It is no sign of congestion: the window stays as it is. */
export function quietly(tp: Tcb): void {
  if (!(tp.flags & Tf.SACK)) reno.reset(tp);
  if (tp.ca_state == Ca.LOSS) return;
  tp.recover = tp.snd_nxt;
  tp.undo = 0;
  tp.ca_state = Ca.LOSS;
  tp.frto = 0;
}
