/** Rate limits: a token bucket in one number, the time at which it would be full again. */
import * as clock from "../sys/clock";

/** A rate limit. All zero is a full bucket. */
@unmanaged
@final
export class TokenBucket {
  full_at: i64; // microseconds
}

/**
 * Takes a token; false if there is none. The bucket holds `burst` and gains `rate` a second; with a
 * rate of 0 it is always empty.
 */
export function take(l: TokenBucket, rate: u32, burst: u32): bool {
  if (rate == 0) return false;
  const cost = 1_000_000 / i64(rate);
  const now = clock.now();
  const full = max(l.full_at, now) + cost;
  if (full - now > cost * i64(burst)) return false;
  l.full_at = full;
  return true;
}
