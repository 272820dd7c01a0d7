/**
 * Challenge ACKs, limited for the whole stack (RFC 5961 3.2, 4.2, 5.2 and 7), and the limit of each
 * connection's answers to invalid segments.
 */
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

/** Asks for a challenge ACK on `tp`, if the limits allow. */
export function ack(tp: Tcb): void {
  if (!limited(tp) && allowed()) tp.flags |= Tf.ACKNOW;
}

/**
 * The limit of one connection (Linux's tcp_invalid_ratelimit): true if it has answered an invalid
 * segment so shortly before that this one is not answered. Two ends that each take the other's
 * segments for invalid, for the sake of something between them, would else answer for ever.
 */
export function limited(tp: Tcb): bool {
  if (T.invalid_ratelimit_ms == 0) return false;
  const now = clock.now();
  if (tp.invalid_at != 0 && now - tp.invalid_at < i64(T.invalid_ratelimit_ms) * 1000) {
    stat.inc(Stat.TCP_INVALID_LIMITED);
    return true;
  }
  tp.invalid_at = now;
  return false;
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
