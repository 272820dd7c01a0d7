/**
 * When data that came in order is acknowledged (SHLD-18, RFC 5681 4.2-1): at least every second
 * full-sized segment at once (SHLD-19, RFC 5681 4.2-2), the rest after less than half a second.
 *
 * Without quick ACKs (TcpSettings.quickacks 0) that is a delay of fixed length, and every second
 * segment at once. With them it is what Linux does: a connection begins, and after a pause or a
 * loss begins again, with some ACKs that are not delayed, so that the sender's window grows; it
 * counts bytes by the size of the peer's segments; and the delay adapts to the rhythm of arrivals,
 * unless the connection answers what it receives (`pingpong`): then ACKs wait for the answer.
 */
import { TcpState, Th } from "../abi/tcp";
import * as clock from "../sys/clock";
import * as rcv_autotune from "./rcv_autotune";
import { G } from "./seg";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import * as window from "./window";

/** The estimate of the peer's segments begins at no more than this (RFC 9293 3.7.1, MUST-15). */
const SEGMENT_DEFAULT: u32 = 536;
/** And it never falls below this: the least MSS, 128, less 40 bytes of options. */
const SEGMENT_MIN: u32 = 88;
/** Longest delay of a connection that does not answer; RFC 9293 MUST-40: less than 0.5 s. */
const DELAY_MAX_US: u32 = 499_000;

/** The connection is established: what is known of the peer's segments. */
export function start(tp: Tcb): void {
  const most = min<u32>(min<u32>(tp.rcv_mss, tp.snd_mss), SEGMENT_DEFAULT);
  tp.rcv_mss_seen = max<u32>(min<u32>(most, window.offered(tp) >> 1), SEGMENT_MIN);
  tp.data_at = clock.now();
}

/** Data in order has come with the segment in G: measures it and its distance to the last. */
export function arrived(tp: Tcb): void {
  measure(tp);
  rcv_autotune.arrived(tp);
  const now = clock.now();
  if (T.quickacks) {
    adapt(tp, now - tp.data_at);
    if (G.segs > 1) together(tp, G.segs - 1);
  }
  tp.data_at = now;
}

/** Measures the segments, which may be several; after three alike nothing is new. */
function measure(tp: Tcb): void {
  const push = (G.flags & Th.PUSH) != 0;
  const before = G.segs - 1;
  for (let n = min<u32>(before, 3); n; n--) measureOne(tp, G.size_each, false);
  measureOne(tp, G.len - before * G.size_each, push);
}

/** What size the peer's segments have. A write's last one is small, so it takes two to believe. */
function measureOne(tp: Tcb, len: u32, push: bool): void {
  const last: u32 = tp.rcv_seg_last;
  tp.rcv_seg_last = 0;
  if (len >= tp.rcv_mss_seen) {
    tp.rcv_mss_seen = min<u32>(len, tp.rcv_mss);
    if (push && tp.ack_pushed == 0) tp.ack_pushed = 1;
    return;
  }
  // a segment without PSH is a full one, as long as the peer is no worse than that
  if (len >= SEGMENT_DEFAULT || (len >= SEGMENT_MIN && !push)) {
    if (len == last) {
      tp.rcv_mss_seen = last;
      return;
    }
    tp.rcv_seg_last = u16(len);
  }
  tp.ack_pushed = tp.ack_pushed ? 2 : 1;
}

/** `n` segments came with one before them, at no distance. */
function together(tp: Tcb, n: u32): void {
  for (let was: u32 = 0; n && tp.ato_us != was; n--) {
    was = tp.ato_us;
    adapt(tp, 0);
  }
}

/** The delay follows the distance `gap_us` between arrivals; after a pause ACKs are quick again. */
function adapt(tp: Tcb, gap_us: i64): void {
  const least = T.delack_min_us;
  if (tp.ato_us == 0) {
    quicken(tp, T.quickacks);
    tp.ato_us = max<u32>(least, 1);
  } else if (gap_us <= i64(least >> 1)) {
    tp.ato_us = (tp.ato_us >> 1) + (least >> 1);
  } else if (gap_us < i64(tp.ato_us)) {
    tp.ato_us = min<u32>((tp.ato_us >> 1) + u32(gap_us), tp.rto_us);
  } else if (gap_us > i64(tp.rto_us)) {
    quicken(tp, T.quickacks); // RFC 5681 4.1: the sender has begun anew, too
  }
}

/** As many quick ACKs as half the window that was offered holds segments, `most` at most. */
function quicken(tp: Tcb, most: u32): void {
  const size = max<u32>(tp.rcv_mss_seen, SEGMENT_MIN); // 0 before the connection is established
  const segments = (tp.rcv_adv - tp.last_ack_sent) / (2 * size);
  const n = min<u32>(max<u32>(segments, 2), min<u32>(most, 255));
  if (n > u32(tp.quick)) tp.quick = u8(n);
}

/**
 * What has come shows that the sender waits for ACKs: a duplicate, data for a closed window, a
 * mark of congestion. The next ones, `most` at most, are not delayed.
 */
export function enter(tp: Tcb, most: u32): void {
  if (most == 0) return;
  quicken(tp, most);
  tp.pingpong = 0;
  tp.ato_us = T.delack_min_us;
}

/** Owes an ACK for what came in order with the segment in G: at once, or delayed. */
export function owe(tp: Tcb): void {
  if (tp.flags & Tf.NODELAYACK || (tp.quick && !tp.pingpong)) {
    tp.flags |= Tf.ACKNOW;
  } else if (!T.quickacks) {
    // SHLD-19: every second segment, whatever its size; what is more than one at once
    const second = tp.flags & Tf.DELACK || G.segs > 1 || G.len > u32(tp.rcv_mss);
    if (second || T.delack_us == 0) tp.flags |= Tf.ACKNOW;
    else delay(tp, T.delack_us);
  } else if (tp.rcv_nxt - tp.last_ack_sent > tp.rcv_mss_seen && worthwhile(tp, behindDue(tp))) {
    tp.flags |= Tf.ACKNOW; // more than one full segment
  } else {
    delayAdapted(tp);
  }
}

/** Bytes of the packet in G behind the segment, one of several, with which an ACK was due. */
function behindDue(tp: Tcb): u32 {
  if (G.segs == 1) return 0;
  const before = tp.rcv_nxt - tp.last_ack_sent - G.len;
  const missing: u32 = before > tp.rcv_mss_seen ? 0 : tp.rcv_mss_seen - before;
  const due = (missing / G.size_each + 1) * G.size_each;
  return due < G.len ? G.len - due : 0;
}

/**
 * True unless the user lags so far behind that the ACK could not open the window; then it leaves
 * with the user's next read. The last `later` bytes do not count: they came when it was due.
 */
function worthwhile(tp: Tcb, later: u32): bool {
  const sb = tp.inp.so.rcv;
  const cc = sb.cc > later ? sb.cc - later : 0;
  if (cc <= sb.hiwat >> 1 || cc < sb.lowat) return true;
  return window.toAdvertise(tp) > window.offered(tp);
}

function delay(tp: Tcb, us: u32): void {
  tp.flags |= Tf.DELACK;
  if (!timers.isSet(tp, Row.DELACK)) timers.set(tp, Row.DELACK, i64(us));
}

function delayAdapted(tp: Tcb): void {
  let us = tp.ato_us;
  if (us > T.delack_min_us) {
    let most = tp.pingpong || tp.ack_pushed ? T.delack_max_us : DELAY_MAX_US;
    // a round trip is time enough to hear of what the user answers
    if (tp.srtt_us) most = min<u32>(most, max<u32>(tp.srtt_us, T.delack_min_us));
    us = min<u32>(us, most);
  }
  us = min<u32>(us, T.delack_max_us);
  const left = tp.d_delack - clock.now();
  if (us == 0 || (tp.d_delack != 0 && left <= i64(us >> 2))) {
    tp.flags |= Tf.ACKNOW; // the timer is about to expire anyway
    return;
  }
  if (tp.d_delack != 0 && left > i64(us)) timers.clear(tp, Row.DELACK);
  delay(tp, us);
}

/** The delay is over: the ACK leaves, and the delay was not of the right length. */
export function expired(tp: Tcb): void {
  tp.flags |= Tf.ACKNOW;
  if (!T.quickacks) return;
  if (tp.pingpong) {
    tp.pingpong = 0; // the user did not answer
    tp.ato_us = T.delack_min_us;
  } else {
    tp.ato_us = min<u32>(tp.ato_us << 1, tp.rto_us);
  }
}

/**
 * The peer's FIN has come. Linux lets its ACK wait for the user's own FIN, like that of data which
 * is about to be answered; else it leaves at once.
 */
export function finCame(tp: Tcb): void {
  if (!T.quickacks || tp.state != TcpState.CLOSE_WAIT) {
    tp.flags |= Tf.ACKNOW;
    return;
  }
  tp.pingpong = 1;
  owe(tp);
}

/**
 * The user has read. True if the ACK that is owed should leave now: for more than a segment, or
 * because all is read and the peer has said that no more follows at once.
 */
export function read(tp: Tcb): bool {
  if (!T.quickacks || !(tp.flags & Tf.DELACK)) return false;
  const pushed = tp.ack_pushed > 1 || (tp.ack_pushed == 1 && !tp.pingpong);
  const due = tp.rcv_nxt - tp.last_ack_sent > tp.rcv_mss_seen ||
    (pushed && tp.inp.so.rcv.cc == 0);
  if (due) tp.flags |= Tf.ACKNOW;
  return due;
}

/** An ACK has left: nothing is owed. */
export function ackSent(tp: Tcb): void {
  tp.flags &= ~(Tf.ACKNOW | Tf.DELACK);
  tp.d_delack = 0;
  tp.ack_pushed = 0;
  if (tp.quick == 0) return;
  tp.quick--;
  if (tp.quick == 0) tp.ato_us = T.delack_min_us;
}

/** Data leaves: soon after some has come it is an answer, and ACKs will have company again. */
export function dataSent(tp: Tcb): void {
  if (T.quickacks && clock.now() - tp.data_at < i64(tp.ato_us)) tp.pingpong = 1;
}

/**
 * TCP_QUICKACK: off, ACKs wait for data to go with; on, they do not, until the connection answers
 * again. True if an ACK that is owed should leave now.
 */
export function setQuick(tp: Tcb, on: bool): bool {
  tp.pingpong = on ? 0 : 1;
  if (!on) return false;
  if (!T.quickacks && tp.rcv_mss_seen) quicken(tp, QUICK_WHEN_ASKED); // 0: not connected yet
  const open = tp.state == TcpState.ESTABLISHED || tp.state == TcpState.CLOSE_WAIT;
  if (!open || !(tp.flags & Tf.DELACK)) return false;
  tp.flags |= Tf.ACKNOW;
  return true;
}

/** ACKs that TCP_QUICKACK lets go at once where there are no quick ACKs otherwise. */
const QUICK_WHEN_ASKED: u32 = 16;

/** What TCP_QUICKACK says now. */
export function quick(tp: Tcb): bool {
  return tp.pingpong == 0;
}
