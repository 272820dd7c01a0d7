/** Challenge ACKs, limited for the whole stack (RFC 5961 3.2, 4.2, 5.2 and 7). */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";

/** State of the module. */
@unmanaged
@final
export class ChallengeState {
  until: i64; // end of the present second
  left: u32; // challenges left in it
}

const S: ChallengeState = changetype<ChallengeState>(memory.data(offsetof<ChallengeState>(), 16));

/** Asks for a challenge ACK on `tp`, if the limit allows. */
export function ack(tp: Tcb): void {
  if (allowed()) tp.flags |= Tf.ACKNOW;
}

/**
 * True, and counted, if one more challenge ACK may leave. How many a second allows is not constant:
 * a count that can be guessed lets a third party learn of other connections (CVE-2016-5696).
 */
export function allowed(): bool {
  const now = clock.now();
  if (now >= S.until) {
    S.until = now + 1_000_000;
    S.left = (T.challenge_per_s >> 1) + rand.below(T.challenge_per_s + 1);
  }
  if (S.left == 0) {
    stat.inc(Stat.TCP_CHALLENGE_LIMITED);
    return false;
  }
  S.left--;
  stat.inc(Stat.TCP_CHALLENGE);
  return true;
}
