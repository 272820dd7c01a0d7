/** How long data waits that the user holds back; cork.ts lets it go. */
import * as nagle from "./nagle";
import { Tcb } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** The least time for which data waits. */
const CEILING_US: i64 = 200_000;

/** The wait: one retransmission timeout. */
export function ceiling(tp: Tcb): i64 {
  return max<i64>(i64(tp.rto_us), CEILING_US);
}

/** Data is held back with nothing in flight: not for ever. False if it is not held by the user. */
export function watch(tp: Tcb): bool {
  if (!nagle.isCorked(tp)) return false;
  if (!timers.isSet(tp, Row.CORK)) timers.set(tp, Row.CORK, ceiling(tp));
  return true;
}
