/**
 * When a short segment waits for more data: Nagle's algorithm (RFC 896, RFC 9293 SHLD-7), and the
 * user's wish by TCP_CORK or MSG_MORE.
 */
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";

/** The connection begins at `iss`. */
export function begin(tp: Tcb): void {
  tp.snd_small = tp.iss;
}

/** True while the user holds back short segments. */
export function isCorked(tp: Tcb): bool {
  return (tp.flags & (Tf.CORK | Tf.MORETOCOME)) != 0;
}

/** True if a short segment that carries all the data there is must wait. */
export function holds(tp: Tcb): bool {
  if (isCorked(tp)) return true;
  if (tp.flags & Tf.NODELAY || tp.snd_una == tp.snd_nxt) return false; // MUST-17
  // RFC 9293 A.3: with full segments in flight alone, a short one waits for nothing
  return T.nagle == 0 || shortInFlight(tp);
}

/** A number outside of what is in flight is none of a segment: nothing short was sent lately. */
function shortInFlight(tp: Tcb): bool {
  return seq.gt(tp.snd_small, tp.snd_una) && seq.le(tp.snd_small, tp.snd_nxt);
}

/** New data up to `end` has left; `full` says whether in a segment of full size. */
export function sent(tp: Tcb, end: u32, full: bool): void {
  if (!full) tp.snd_small = end;
  else if (!shortInFlight(tp)) tp.snd_small = tp.snd_una; // never far away
}
