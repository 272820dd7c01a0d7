/** Is the segment acceptable at all? The first four steps of RFC 9293 3.10.7.4. */
import { Errno } from "../abi/errno";
import { Fate } from "../abi/fate";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as clock from "../sys/clock";
import * as ops from "../sys/mbuf_ops";
import * as stat from "../sys/stat";
import * as challenge from "./challenge";
import * as delack from "./delack";
import * as dsack from "./dsack";
import * as ecn from "./ecn";
import * as fastopen from "./fastopen";
import * as fastopen_queue from "./fastopen_queue";
import { Tfo } from "./fastopen_t";
import { G } from "./seg";
import { Opt, Step } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as subr from "./subr";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** RFC 7323 5.5: after 24 days without a segment the saved timestamp means nothing. */
const PAWS_IDLE_US: i64 = 24 * 24 * 3600 * 1_000_000;

/** First step: timestamps (RFC 7323 5.3), then the sequence number; trims to the window. */
export function acceptable(tp: Tcb): Step {
  dsack.clear(tp);
  simultaneousOpen(tp);
  if (tp.flags & Tf.TS) {
    const step = timestamp(tp);
    if (step != Step.CONTINUE) return step;
  }
  const wnd = window.offered(tp);
  if (!inWindow(tp, wnd)) return outside(tp);
  // RFC 5961 4.2: a SYN is not trimmed away but challenged, in the fourth step
  if (!(G.flags & Th.SYN)) trim(tp, wnd);
  return Step.CONTINUE;
}

/**
 * In SYN-RECEIVED after a simultaneous open the peer's SYN-ACK repeats the SYN that was taken
 * already (RFC 9293 figure 7): strip it, so that the rest is judged at RCV.NXT. It is acknowledged;
 * a SYN alone is answered with our SYN-ACK again.
 */
function simultaneousOpen(tp: Tcb): void {
  if (tp.state != TcpState.SYN_RECEIVED || !(G.flags & Th.SYN) || G.seq != tp.irs) return;
  ecn.synRepeated(tp);
  G.flags &= ~Th.SYN;
  G.seq++;
  if (G.up) G.up--;
  if (G.flags & Th.ACK) dsack.report(tp, tp.irs, tp.irs + 1); // the SYN came twice (RFC 2883)
  tp.flags |= Tf.ACKNOW;
}

/** R1 to R5 of RFC 7323 5.3. */
function timestamp(tp: Tcb): Step {
  if (!(G.opts & Opt.TS)) {
    if (G.flags & Th.RST || T.tolerate_missing_ts) return Step.CONTINUE;
    stat.fate(Fate.TCP_TIMESTAMP_MISSING);
    return Step.DROP;
  }
  if (G.flags & Th.RST || !seq.lt(G.ts_val, tp.ts_recent)) return keep(tp);
  if (clock.now() - tp.ts_recent_at > PAWS_IDLE_US) return keep(tp);
  stat.fate(Fate.TCP_PAWS);
  dsack.reportOld(tp);
  refuse(tp);
  return Step.DROP;
}

/** RFC 7323 4.3: take the timestamp of the segment that spans what was acknowledged last. */
function keep(tp: Tcb): Step {
  if (G.flags & Th.RST) return Step.CONTINUE;
  const end = G.seq + G.len + (G.flags & Th.FIN ? 1 : 0);
  if (seq.le(G.seq, tp.last_ack_sent) && seq.le(tp.last_ack_sent, end)) {
    if (seq.ge(G.ts_val, tp.ts_recent)) {
      tp.ts_recent = G.ts_val;
      tp.ts_recent_at = clock.now();
    }
  }
  return Step.CONTINUE;
}

/** Table 6 of RFC 9293 3.10.7.4. */
function inWindow(tp: Tcb, wnd: u32): bool {
  const extra: u32 = (G.flags & Th.SYN ? 1 : 0) + (G.flags & Th.FIN ? 1 : 0);
  const len = G.len + extra;
  const first = G.seq;
  if (wnd == 0) {
    // MUST-66: with a closed window, ACK and RST are still valid at RCV.NXT
    return first == tp.rcv_nxt && (len == 0 || acceptsAtZero());
  }
  const right = tp.rcv_nxt + wnd;
  if (seq.ge(first, tp.rcv_nxt) && seq.lt(first, right)) return true;
  if (len == 0) return false;
  const last = first + len - 1;
  return seq.ge(last, tp.rcv_nxt) && seq.lt(last, right);
}

/**
 * A probe of a closed window: its data cannot be taken, its ACK, RST and URG can (MUST-66). The
 * data is trimmed away and an ACK tells the peer.
 */
function acceptsAtZero(): bool {
  return (G.flags & (Th.ACK | Th.RST | Th.URG)) != 0;
}

/** Outside the window: a reset is dropped, anything else is acknowledged and dropped. */
function outside(tp: Tcb): Step {
  if (G.flags & Th.RST) {
    stat.fate(Fate.TCP_RST_OUT_OF_WINDOW);
    return Step.DROP;
  }
  if (G.flags & Th.SYN && tp.state >= TcpState.ESTABLISHED) return syn(tp); // RFC 5961 4.2
  if (seq.lt(G.seq, tp.rcv_nxt)) duplicate(tp);
  stat.fate(Fate.TCP_OUT_OF_WINDOW);
  refuse(tp);
  return Step.DROP;
}

/**
 * RFC 9293 3.10.7.4: what is not acceptable is answered with an ACK. Only segments that carry
 * something are so whatever the limit says: they cannot be answers themselves, and their sender may
 * want to hear that they came twice.
 */
function refuse(tp: Tcb): void {
  const carries = (G.len > 0 || G.flags & Th.FIN) && !(G.flags & Th.SYN);
  if (carries || !challenge.limited(tp)) tp.flags |= Tf.ACKNOW;
}

/** The segment begins left of the window: the peer may have missed an ACK of ours. */
function duplicate(tp: Tcb): void {
  stat.inc(Stat.TCP_DUPLICATE);
  dsack.reportOld(tp); // RFC 2883 4.1.1, 4.2.1
  if (G.len > 0) delack.enter(tp, T.quickacks);
}

/** Cuts off what lies left and right of the window. */
function trim(tp: Tcb, wnd: u32): void {
  const whole = G.len;
  const old = i32(tp.rcv_nxt - G.seq);
  if (old > 0) {
    const cut = min<u32>(u32(old), G.len);
    duplicate(tp);
    G.off += cut;
    G.len -= cut;
    if (G.flags & Th.URG) {
      if (G.up > u32(old)) G.up -= u32(old);
      else G.flags &= ~Th.URG;
    }
    G.seq = tp.rcv_nxt;
    if (u32(old) > cut) G.flags &= ~Th.FIN;
    tp.flags |= Tf.ACKNOW;
  }
  const over = i32(G.seq + G.len - (tp.rcv_nxt + wnd));
  if (over > 0) {
    G.len -= u32(over);
    G.flags &= ~(Th.FIN | Th.PUSH);
    ops.adj(G.m, -over);
    tp.flags |= Tf.ACKNOW;
    if (wnd == 0) delack.enter(tp, T.quickacks);
  }
  if (G.segs == 1) G.size_each = G.len;
  else if (G.len < whole) G.segs = max<u32>((G.len + G.size_each - 1) / G.size_each, 1);
}

/**
 * Second step: RST (RFC 5961 3.2), with or without data (SHLD-2). The user learns that the
 * connection was aborted (MUST-12); in SYN-RECEIVED this one came from an active open, since
 * passive ones wait in the syncache (MUST-11).
 */
export function reset(tp: Tcb): Step {
  if (!(G.flags & Th.RST)) return Step.CONTINUE;
  if (G.seq != tp.rcv_nxt && !T.insecure_rst) {
    fastopen.strangeReset(tp);
    stat.fate(Fate.TCP_RST_CHALLENGED);
    challenge.ack(tp);
    return Step.DROP;
  }
  stat.inc(Stat.TCP_RST_IN);
  stat.fate(Fate.TCP_ACCEPTED);
  const state = tp.state;
  const pending = (tp.tfo & Tfo.PENDING) != 0;
  if (pending) fastopen_queue.leave(tp, true);
  if (state == TcpState.SYN_RECEIVED && !pending) tp.inp.so.error = Errno.ECONNREFUSED;
  else if (state != TcpState.CLOSING && state != TcpState.LAST_ACK) {
    tp.inp.so.error = Errno.ECONNRESET;
  }
  stat.inc(Stat.TCP_DROPPED);
  subr.close(tp);
  return Step.DONE;
}

/** Fourth step: SYN in a synchronized state is challenged (RFC 5961 4.2). */
export function syn(tp: Tcb): Step {
  if (!(G.flags & Th.SYN)) return Step.CONTINUE;
  stat.fate(Fate.TCP_SYN_CHALLENGED);
  challenge.ack(tp);
  return Step.DROP;
}
