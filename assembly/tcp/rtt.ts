/** Round-trip time and retransmission timeout (MUST-18, RFC 6298), which doubles (MUST-19). */
import * as clock from "../sys/clock";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** Clock granularity G of RFC 6298 2.3: microseconds are counted, timers run to a millisecond. */
const GRANULARITY_US: u32 = 1000;

/** Takes a measured round trip into the estimate (RFC 6298 2.2, 2.3). */
export function sample(tp: Tcb, rtt_us: u32): void {
  if (rtt_us == 0) rtt_us = 1;
  tp.rtt_last_us = rtt_us;
  least(tp, rtt_us);
  if (tp.srtt_us == 0) {
    tp.srtt_us = rtt_us;
    tp.mdev_us = rtt_us >> 1;
    tp.rttvar_us = max<u32>(tp.mdev_us, T.rto_var_min_us >> 2);
    tp.mdev_max_us = tp.rttvar_us;
    tp.rtt_round = tp.snd_nxt;
  } else if (T.rto_var_min_us) {
    smooth(tp, rtt_us);
  } else {
    formula(tp, rtt_us);
  }
  tp.backoff = 0; // RFC 6298 5: only a sample collapses the RTO
  const spread = max<u32>(GRANULARITY_US, tp.rttvar_us << 2);
  tp.rto_us = clampRto(tp.srtt_us + spread);
}

/** RFC 6298 2.3 as it stands. */
function formula(tp: Tcb, rtt_us: u32): void {
  const delta = i32(tp.srtt_us - rtt_us);
  const off = u32(delta < 0 ? -delta : delta);
  tp.rttvar_us = tp.rttvar_us - (tp.rttvar_us >> 2) + (off >> 2);
  tp.srtt_us = max<u32>(tp.srtt_us - (tp.srtt_us >> 3) + (rtt_us >> 3), 1);
}

/**
 * RFC 6298 2.3, for many samples in a round trip (RFC 7323 appendix G): the variance follows the
 * largest deviation of each round trip, up at once and down slowly, and never below what the
 * setting says; else a flight of equal samples would make the RTO forget all that came before.
 */
function smooth(tp: Tcb, rtt_us: u32): void {
  const delta = i32(rtt_us - tp.srtt_us);
  tp.srtt_us = max<u32>(u32(i32(tp.srtt_us) + (delta >> 3)), 1);
  let off = u32(delta < 0 ? -delta : delta);
  // a round trip that becomes shorter is no reason for a longer timeout
  if (delta < 0 && off > tp.mdev_us) off = tp.mdev_us + ((off - tp.mdev_us) >> 3);
  tp.mdev_us = tp.mdev_us - (tp.mdev_us >> 2) + (off >> 2);
  if (tp.mdev_us > tp.mdev_max_us) {
    tp.mdev_max_us = tp.mdev_us;
    if (tp.mdev_max_us > tp.rttvar_us) tp.rttvar_us = tp.mdev_max_us;
  }
  if (seq.gt(tp.snd_una, tp.rtt_round)) {
    if (tp.mdev_max_us < tp.rttvar_us) tp.rttvar_us -= (tp.rttvar_us - tp.mdev_max_us) >> 2;
    tp.rtt_round = tp.snd_nxt;
    tp.mdev_max_us = T.rto_var_min_us >> 2;
  }
}

/** RACK.min_RTT (RFC 8985 6.2, step 1): the least of a window of time. */
function least(tp: Tcb, rtt_us: u32): void {
  const now = clock.now();
  const old = T.min_rtt_window_s && now - tp.min_rtt_at > i64(T.min_rtt_window_s) * 1_000_000;
  if (tp.rtt_min_us != 0 && rtt_us > tp.rtt_min_us && !old) return;
  tp.rtt_min_us = rtt_us;
  tp.min_rtt_at = now;
}

/** A retransmission timeout within the configured bounds. */
export function clampRto(rto_us: u32): u32 {
  return min<u32>(max<u32>(rto_us, T.rto_min_us), T.rto_max_us);
}

/** The timeout with its present backoff (RFC 6298 5.5), microseconds. */
export function backedOff(tp: Tcb): i64 {
  let us = i64(tp.rto_us) << i64(min<u32>(tp.backoff, 12));
  if (tp.srtt_us || tp.tries) us += i64(T.rto_slop_us); // all but the first of a SYN
  return min<i64>(us, i64(T.rto_max_us));
}

/**
 * Time to the next retransmission: the timeout with its backoff, but no longer than the user allows
 * data to stay unacknowledged (RFC 5482).
 */
export function rexmtDelay(tp: Tcb): i64 {
  return withinUserTimeout(tp, backedOff(tp));
}

/** `us` microseconds from now, or until the user's timeout is over if that is earlier. */
export function withinUserTimeout(tp: Tcb, us: i64): i64 {
  if (tp.user_timeout_ms == 0) return us;
  const left = tp.progress_at + i64(tp.user_timeout_ms) * 1000 - clock.now();
  return min<i64>(us, max<i64>(left, 1));
}

/** Starts timing the SYN; that of data comes from the records of sent.ts. */
export function startSyn(tp: Tcb): void {
  tp.rtt_at = clock.now() + 1; // 0 means none
}

/** The SYN was sent again: its round trip is not known (Karn, RFC 6298 3). */
export function cancelSyn(tp: Tcb): void {
  tp.rtt_at = 0;
}

/** The SYN is acknowledged. */
export function finishSyn(tp: Tcb): void {
  if (tp.rtt_at == 0) return;
  since(tp, tp.rtt_at - 1);
  tp.rtt_at = 0;
}

/** A segment that left at `at`, once, has been acknowledged now. */
export function since(tp: Tcb, at: i64): void {
  sample(tp, u32(min<i64>(clock.now() - at, i64(0x3fffffff))));
}

/**
 * The ACK of data that was sent twice is a sample after all if the timestamp that it echoes,
 * `elapsed_ms` old, is that of the last sending (RFC 7323 4.1). An older one may mean that an ACK
 * was lost, and would take the timeout for the round trip.
 *
 * @returns false if it is not one.
 */
export function echoed(tp: Tcb, elapsed_ms: u32): bool {
  const passed = clock.now() - tp.sent_at;
  if (i64(elapsed_ms) * 1000 > passed + i64(2 * GRANULARITY_US)) return false;
  sample(tp, u32(min<i64>(max<i64>(passed, 1), i64(0x3fffffff))));
  return true;
}
