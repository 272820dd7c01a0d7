/**
 * Pacing: the segments of one connection leave spread over the round trip instead of in bursts. A
 * virtual clock of the connection says when what was sent would have left at the pace; a segment
 * may go while that clock is not too far ahead of the real one.
 */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

/** A burst is what a millisecond carries, at least two segments and at most this, bytes. */
const BURST_MAX: u64 = 65_536;
const BURST_SHIFT: u64 = 10;
const BURST_SEGMENTS: u64 = 2;
const NS: u64 = 1_000_000_000;
/** The fastest pace, bytes a second: a nanosecond of it is a few bytes. */
const PACE_MAX: u64 = 1 << 33;

/** The most that SO_MAX_PACING_RATE may say and mean something, as Linux has it. */
const UNLIMITED: u64 = 0xffff_ffff;

/** Microseconds that the next segment with data has to wait; 0: it may go. */
export function delay(tp: Tcb): i64 {
  const rate = tp.pacing_rate;
  if (rate == 0) return 0;
  const ahead = tp.pace_at - clock.now() * 1000;
  if (ahead <= 0) return 0;
  const burst = min<u64>(max<u64>(rate >> BURST_SHIFT, BURST_SEGMENTS * tp.snd_mss), BURST_MAX);
  // the lead in bytes, times NS; f64 holds the product of a slow pace's long lead too
  if (f64(ahead) * f64(rate) < f64(burst * NS)) return 0;
  return (ahead + 999) / 1000;
}

/**
 * True if the next segment with data has to wait: then a timer goes on with it. Once it has to, it
 * waits until the pace has caught up, so that there is one timer for each burst.
 */
export function holds(tp: Tcb): bool {
  if (tp.pacing_rate == 0) return false;
  if (waits(tp)) return true;
  const us = delay(tp);
  if (us == 0) return false;
  timers.set(tp, Row.PACE, us);
  stat.inc(Stat.TCP_PACED);
  return true;
}

/** True while the next segment with data waits. */
export function waits(tp: Tcb): bool {
  return timers.isSet(tp, Row.PACE);
}

/** Books `bytes` of data that have left, sent for the first time or again. */
export function sent(tp: Tcb, bytes: u32): void {
  const rate = pace(tp);
  tp.pacing_rate = rate;
  // the initial window leaves at once: there is nothing yet to take a pace from, and a short answer
  // should not wait
  if (rate == 0 || tp.bytes_sent <= tcb.initialCwnd(tp)) return;
  const now = clock.now() * 1000;
  tp.pace_at = max<i64>(tp.pace_at, now) + i64(u64(bytes) * NS / rate);
}

/**
 * Bytes a second, 0: not paced. So many windows a round trip as the settings say: in slow start
 * enough for a window that doubles (Linux: tcp_pacing_ss_ratio), close below ssthresh and beyond
 * it a little more than one, so that the window stays what limits (tcp_pacing_ca_ratio).
 */
function pace(tp: Tcb): u64 {
  const most = tp.max_pacing_rate;
  if (!T.pacing && most == 0) return 0;
  if (tp.srtt_us == 0) return most;
  const ratio: u64 = tp.cwnd < tp.ssthresh >> 1 ? T.pacing_ss_ratio : T.pacing_ca_ratio;
  const rate = u64(tp.cwnd) * min<u64>(ratio, 1000) * 10_000 / tp.srtt_us;
  return min<u64>(max<u64>(rate, 1), most ? most : PACE_MAX);
}

/** SO_MAX_PACING_RATE, bytes a second; 0 and 2^32 - 1: no limit. */
export function setMax(tp: Tcb, rate: u64): void {
  tp.max_pacing_rate = rate >= UNLIMITED ? 0 : rate;
  tp.pacing_rate = pace(tp);
  if (!waits(tp)) return;
  // what waits goes by the new pace
  tp.pace_at = clock.now() * 1000;
  timers.set(tp, Row.PACE, 0);
}

/** What SO_MAX_PACING_RATE reads: without a limit 2^32 - 1. */
export function getMax(tp: Tcb): u32 {
  return tp.max_pacing_rate ? u32(tp.max_pacing_rate) : u32(UNLIMITED);
}
