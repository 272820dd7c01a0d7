/** Round-trip time and retransmission timeout (RFC 6298). */
import * as clock from "../sys/clock";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** Clock granularity G of RFC 6298 2.3: microseconds are counted, timers run to a millisecond. */
const GRANULARITY_US: u32 = 1000;

/** Takes a measured round trip into the estimate (RFC 6298 2.2, 2.3). */
export function sample(tp: Tcb, rtt_us: u32): void {
  if (rtt_us == 0) rtt_us = 1;
  if (tp.rtt_min_us == 0 || rtt_us < tp.rtt_min_us) tp.rtt_min_us = rtt_us;
  if (tp.srtt_us == 0) {
    tp.srtt_us = rtt_us;
    tp.rttvar_us = rtt_us >> 1;
  } else {
    const delta = i32(tp.srtt_us - rtt_us);
    const off = u32(delta < 0 ? -delta : delta);
    tp.rttvar_us = tp.rttvar_us - (tp.rttvar_us >> 2) + (off >> 2);
    tp.srtt_us = tp.srtt_us - (tp.srtt_us >> 3) + (rtt_us >> 3);
    if (tp.srtt_us == 0) tp.srtt_us = 1;
  }
  tp.backoff = 0; // RFC 6298 5: only a sample collapses the RTO
  const spread = max<u32>(GRANULARITY_US, tp.rttvar_us << 2);
  tp.rto_us = clampRto(tp.srtt_us + spread);
}

/** A retransmission timeout within the configured bounds. */
export function clampRto(rto_us: u32): u32 {
  return min<u32>(max<u32>(rto_us, T.rto_min_us), T.rto_max_us);
}

/** The timeout with its present backoff (RFC 6298 5.5), microseconds. */
export function backedOff(tp: Tcb): i64 {
  const us = i64(tp.rto_us) << i64(min<u32>(tp.backoff, 12));
  return min<i64>(us, i64(T.rto_max_us));
}

/**
 * Time to the next retransmission: the timeout with its backoff, but no longer than the user allows
 * data to stay unacknowledged (RFC 5482).
 */
export function rexmtDelay(tp: Tcb): i64 {
  const us = backedOff(tp);
  if (tp.user_timeout_ms == 0) return us;
  const left = tp.progress_at + i64(tp.user_timeout_ms) * 1000 - clock.now();
  return min<i64>(us, max<i64>(left, 1));
}

/** Starts timing the segment that begins at `seq`, if none is being timed. */
export function start(tp: Tcb, seq: u32): void {
  if (tp.rtt_at != 0) return;
  tp.rtt_at = clock.now() + 1; // 0 means none
  tp.rtt_seq = seq;
}

/** Forgets the segment being timed: it was sent again (Karn, RFC 6298 3). */
export function cancel(tp: Tcb): void {
  tp.rtt_at = 0;
}

/**
 * The ACK of data that was sent twice is a sample after all if the timestamp that it echoes,
 * `elapsed_ms` old, is that of the last sending (RFC 7323 4.1). An older one may mean that an ACK
 * was lost, and would take the timeout for the round trip.
 */
export function echoed(tp: Tcb, elapsed_ms: u32): void {
  const since = clock.now() - tp.sent_at;
  if (i64(elapsed_ms) * 1000 > since + i64(2 * GRANULARITY_US)) return;
  sample(tp, u32(min<i64>(max<i64>(since, 1), i64(0x3fffffff))));
}

/** The segment being timed was acknowledged. */
export function finish(tp: Tcb): void {
  const rtt = clock.now() + 1 - tp.rtt_at;
  tp.rtt_at = 0;
  sample(tp, u32(min<i64>(rtt, i64(0x3fffffff))));
}
