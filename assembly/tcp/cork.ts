/**
 * TCP_CORK and MSG_MORE: data that waits for more at the user's wish. With nothing in flight it
 * waits for one retransmission timeout, 200 ms at least, and then leaves all the same: RFC 9293
 * 3.9.1.2 (MUST-60) allows no sender to keep data for ever.
 */
import * as clock from "../sys/clock";
import { ceiling } from "./cork_hold";
import * as output from "./output";
import * as push_ from "./push";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** It has waited long enough, unless something was sent or acknowledged meanwhile. */
export function expired(tp: Tcb): void {
  if (tp.snd_una != tp.snd_nxt) return; // its ACK asks anew
  const left = tp.progress_at + ceiling(tp) - clock.now();
  if (left > 0) timers.set(tp, Row.CORK, left);
  else push(tp);
}

/** Lets go what is queued now, corked or not. */
export function push(tp: Tcb): void {
  const corked = tp.flags & Tf.CORK;
  tp.flags &= ~Tf.CORK;
  if (tp.inp.so.snd.cc > 0) push_.mark(tp, push_.endOfData(tp)); // MUST-61
  output.output(tp);
  tp.flags |= corked;
}

/** TCP_CORK is set or cleared. */
export function setCork(tp: Tcb, on: bool): void {
  if (on) {
    tp.flags |= Tf.CORK;
    return;
  }
  tp.flags &= ~Tf.CORK;
  timers.clear(tp, Row.CORK);
  output.output(tp);
}
