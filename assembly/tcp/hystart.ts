/**
 * HyStart++ (RFC 9406): leaves the first slow start when round trips become longer, before the
 * queue overflows; by way of Conservative Slow Start, which goes back if they become shorter again.
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";

/** In the first bytes of the connection's congestion state, whatever the algorithm. */
@unmanaged
@final
export class Hystart {
  last_us: u32; // lastRoundMinRTT, NONE if unknown
  now_us: u32; // currentRoundMinRTT
  baseline_us: u32; // cssBaselineMinRtt
  window_end: u32; // the round ends when this is acknowledged
  phase: u32; // Phase
  samples: u16; // rttSampleCount, at most 255
  rounds: u16; // of Conservative Slow Start that have ended
}

export const enum Phase {
  OFF = 0, // not the first slow start, or it is over
  READY = 1, // nothing is acknowledged yet
  SLOW_START = 2,
  CSS = 3, // Conservative Slow Start
}

// RFC 9406 4.3
const MIN_RTT_THRESH_US: u32 = 4_000;
const MAX_RTT_THRESH_US: u32 = 16_000;
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u16 = 8;
const CSS_GROWTH_DIVISOR: u32 = 4;
const CSS_ROUNDS: u16 = 5;

/** No round trip is known. */
const NONE: u32 = u32.MAX_VALUE;

function state(tp: Tcb): Hystart {
  return changetype<Hystart>(changetype<usize>(tp) + offsetof<Tcb>("cc_0"));
}

/**
 * A slow start begins. Only the first one is looked after (RFC 9406 4.3): each later one ends at
 * the ssthresh that was found.
 */
export function begin(tp: Tcb): void {
  const h = state(tp);
  h.phase = T.hystart && tp.ssthresh >= tcb.SSTHRESH_NONE ? Phase.READY : Phase.OFF;
  h.last_us = NONE;
  h.now_us = NONE;
  h.samples = 0;
}

/** RFC 9406 4.2: a loss or a mark ends it. */
export function stop(tp: Tcb): void {
  state(tp).phase = Phase.OFF;
}

/** A round trip was measured. */
export function sample(tp: Tcb, rtt_us: u32): void {
  const h = state(tp);
  if (h.phase == Phase.OFF) return;
  if (rtt_us < h.now_us) h.now_us = rtt_us;
  if (h.samples < 255) h.samples++;
}

/** What remains of `bytes` of growth. */
export function growth(tp: Tcb, bytes: u32): u32 {
  return state(tp).phase == Phase.CSS ? bytes / CSS_GROWTH_DIVISOR : bytes;
}

/** An ACK in slow start; its sample was taken and cwnd has grown. */
export function acked(tp: Tcb): void {
  const h = state(tp);
  if (h.phase == Phase.OFF) return;
  if (tp.ssthresh < tcb.SSTHRESH_NONE) {
    h.phase = Phase.OFF; // somebody knows where slow start has to end
    return;
  }
  if (h.phase == Phase.READY) {
    // the flight that is out is the first round: not the first segment of it alone
    h.phase = Phase.SLOW_START;
    h.window_end = tp.snd_nxt;
  }
  if (h.samples >= N_RTT_SAMPLE && h.now_us != NONE) judge(h);
  if (seq.ge(tp.snd_una, h.window_end)) endRound(tp, h);
}

/** Enough samples of this round are there: compares them. */
function judge(h: Hystart): void {
  if (h.phase == Phase.CSS) {
    if (h.now_us >= h.baseline_us) return;
    h.baseline_us = NONE;
    h.phase = Phase.SLOW_START; // the delay was jitter
    return;
  }
  if (h.last_us == NONE) return;
  const eighth = h.last_us / MIN_RTT_DIVISOR;
  const thresh = max<u32>(MIN_RTT_THRESH_US, min<u32>(eighth, MAX_RTT_THRESH_US));
  if (h.now_us < h.last_us + thresh) return;
  h.baseline_us = h.now_us;
  h.rounds = 0;
  h.phase = Phase.CSS;
}

function endRound(tp: Tcb, h: Hystart): void {
  h.last_us = h.now_us;
  h.now_us = NONE;
  h.samples = 0;
  h.window_end = tp.snd_nxt;
  // the round in which it was entered counts, though only a part of it (RFC 9406 4.2)
  if (h.phase != Phase.CSS || ++h.rounds < CSS_ROUNDS) return;
  h.phase = Phase.OFF;
  tp.ssthresh = tp.cwnd;
  stat.inc(Stat.TCP_HYSTART_EXITS);
}
