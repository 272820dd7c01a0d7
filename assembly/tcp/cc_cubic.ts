/**
 * CUBIC (RFC 9438): in congestion avoidance the window is a cubic function of the time since the
 * last congestion event, flat where the event happened. Windows are bytes; what the RFC counts in
 * segments is scaled by the MSS. f64 is exact enough for all windows, and its arithmetic is the
 * same on every machine.
 */
import * as clock from "../sys/clock";
import * as hystart from "./hystart";
import { Hystart } from "./hystart";
import * as slow_start from "./slow_start";
import { Tcb } from "./tcb_t";

/** What it keeps of a connection, behind HyStart++'s. */
@unmanaged
@final
export class Cubic {
  w_est: f64; // window that Reno would have, bytes
  credit: f64; // growth that is not a whole byte yet
  epoch_at: i64; // when this stage of congestion avoidance began, 0: not yet
  acked_at: i64; // when cwnd was last looked at
  undo_epoch_at: i64; // as before the last reduction (RFC 9438 4.9.2)
  undo_w_est: f64;
  w_max: u32; // window at the last congestion event, 0: undefined
  k_us: u32; // time from the epoch to w_max
  cwnd_prior: u32; // cwnd when ssthresh was last set
  undo_w_max: u32;
  undo_k_us: u32;
  undo_cwnd_prior: u32;
}

/** What a loss leaves of the window, per cent: beta_cubic (RFC 9438 4.6). */
const BETA: u32 = 70;
/** What a CE mark leaves (RFC 8511 3). */
const BETA_ECN: u32 = 85;
/** C, segments per second cubed (RFC 9438 5.1). */
const C: f64 = 0.4;
/** alpha_cubic = 3 (1 - beta) / (1 + beta): with it Reno's average window results (4.3). */
const ALPHA: f64 = 0.9 / 1.7;
const SECONDS: f64 = 1e-6;

function state(tp: Tcb): Cubic {
  return changetype<Cubic>(changetype<usize>(tp) + offsetof<Tcb>("cc_0") + offsetof<Hystart>());
}

export function init(tp: Tcb): void {
  hystart.begin(tp);
}

export function acked(tp: Tcb, bytes: u32): void {
  const c = state(tp);
  const now = clock.now();
  const left = tp.cwnd < tp.ssthresh ? slow_start.acked(tp, bytes) : bytes;
  if (left > 0) {
    if (c.epoch_at == 0) begin(tp, c, now);
    else skipUnused(tp, c, now);
    avoid(tp, c, now, left);
  }
  c.acked_at = now;
}

/** A stage of congestion avoidance begins (RFC 9438 4.2). */
function begin(tp: Tcb, c: Cubic, now: i64): void {
  if (c.cwnd_prior == 0) c.cwnd_prior = tp.cwnd; // 4.10: slow start ended without a loss
  if (c.w_max <= tp.cwnd) {
    // after a timeout (4.8), after HyStart++ (4.10), or w_max was passed again: convex from here
    c.w_max = tp.cwnd;
    c.k_us = 0;
  } else {
    const segments = f64(c.w_max - tp.cwnd) / f64(tp.snd_mss);
    c.k_us = u32(cbrt(segments / C) / SECONDS);
  }
  c.w_est = f64(tp.cwnd);
  c.credit = 0;
  c.epoch_at = now;
}

/**
 * RFC 9438 4.2, 5.8: t has no part of a time in which the application did not use the window. Such
 * ACKs are not reported here, so a pause of more than two round trips was one; of it a round trip
 * is what there would have been to wait anyway.
 */
function skipUnused(tp: Tcb, c: Cubic, now: i64): void {
  const pause = now - c.acked_at;
  const rtt = i64(tp.srtt_us);
  if (pause > 2 * rtt) c.epoch_at += pause - rtt;
}

/** Congestion avoidance (RFC 9438 4.2 to 4.5); `bytes` were acknowledged. */
function avoid(tp: Tcb, c: Cubic, now: i64, bytes: u32): void {
  const mss = f64(tp.snd_mss);
  const cwnd = f64(tp.cwnd);
  const share = min<f64>(f64(bytes) / cwnd, 1); // of a round trip
  const alpha = c.w_est < f64(c.cwnd_prior) ? ALPHA : 1;
  c.w_est += alpha * mss * share;
  const t = now - c.epoch_at;
  if (windowAt(c, mss, t) < c.w_est) {
    grow(tp, c.w_est - cwnd); // 4.3: the Reno-friendly region
    return;
  }
  // 4.4, 4.5: what the window should be in a round trip, at most half as large again
  const target = min<f64>(windowAt(c, mss, t + i64(tp.srtt_us)), 1.5 * cwnd);
  if (target <= cwnd) return;
  c.credit += (target - cwnd) * share;
  c.credit -= grow(tp, c.credit);
}

/** W_cubic(t), bytes. */
function windowAt(c: Cubic, mss: f64, t_us: i64): f64 {
  const x = f64(t_us - i64(c.k_us)) * SECONDS;
  return C * mss * x * x * x + f64(c.w_max);
}

/** Grows cwnd by the whole bytes of `bytes`; answers how many those were. */
function grow(tp: Tcb, bytes: f64): f64 {
  if (bytes < 1) return 0;
  const most = slow_start.CWND_MAX - min<u32>(tp.cwnd, slow_start.CWND_MAX);
  const whole = u32(min<f64>(bytes, f64(most)));
  tp.cwnd += whole;
  return f64(whole);
}

/** A loss was found (RFC 9438 4.6). */
export function reduce(tp: Tcb): void {
  congested(tp, BETA);
}

/** RFC 9438 4.8: the next stage of congestion avoidance starts at its own window, with K = 0. */
export function timeout(tp: Tcb): void {
  congested(tp, BETA);
  state(tp).w_max = 0;
}

/** RFC 8511 3.1: a mark comes from a short queue, which less of a reduction empties. */
export function ecn(tp: Tcb): void {
  congested(tp, slow_start.afterMark(BETA, BETA_ECN));
}

/**
 * A congestion event. ssthresh is taken from cwnd, not from the flight: RFC 9438 4.6 allows that
 * where cwnd does not grow while it is not in use, and a short pause of the application before the
 * loss then does not cost the window that was found.
 */
function congested(tp: Tcb, percent: u32): void {
  const c = state(tp);
  c.undo_epoch_at = c.epoch_at;
  c.undo_w_est = c.w_est;
  c.undo_w_max = c.w_max;
  c.undo_k_us = c.k_us;
  c.undo_cwnd_prior = c.cwnd_prior;
  // 4.7, fast convergence: a window that could not grow back leaves room for others
  const shrunk = u32(u64(tp.cwnd) * (100 + BETA) / 200);
  c.w_max = tp.cwnd < c.w_max ? shrunk : tp.cwnd;
  c.cwnd_prior = tp.cwnd;
  c.epoch_at = 0;
  tp.ssthresh = slow_start.part(tp, tp.cwnd, percent);
  hystart.stop(tp);
}

/** The last congestion event was none (RFC 9438 4.9). */
export function undo(tp: Tcb): void {
  const c = state(tp);
  // 4.9.2: a window that has grown beyond that time's keeps its own values; so does one that goes
  // back to the window of another event than the last
  if (tp.cwnd > tp.prior_cwnd || c.cwnd_prior != tp.prior_cwnd) return;
  c.epoch_at = c.undo_epoch_at;
  c.w_est = c.undo_w_est;
  c.w_max = c.undo_w_max;
  c.k_us = c.undo_k_us;
  c.cwnd_prior = c.undo_cwnd_prior;
  hystart.begin(tp);
}

/** After an idle time a new stage follows slow start. */
export function idle(tp: Tcb): void {
  slow_start.restart(tp);
  state(tp).epoch_at = 0;
}

/** Round trips matter to slow start only; congestion avoidance takes the smoothed one. */
export function sample(tp: Tcb, rtt_us: u32): void {
  hystart.sample(tp, rtt_us);
}

/** A third of the exponent, in the bits of an f64: a first guess of the cube root within 6 %. */
const CBRT_BIAS: u64 = 0x2a9f_7893_0000_0000;

/** The cube root of x >= 0, to the last bits. */
export function cbrt(x: f64): f64 {
  if (x <= 0) return 0;
  let y = reinterpret<f64>(reinterpret<u64>(x) / 3 + CBRT_BIAS);
  for (let i = 0; i < 4; i++) y = (2 * y + x / (y * y)) / 3; // Newton
  return y;
}
