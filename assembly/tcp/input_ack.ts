/** Fifth step of RFC 9293 3.10.7.4: what the ACK field does. */
import { Fate } from "../abi/fate";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as sockbuf from "../socket/sockbuf";
import * as so_event from "../socket/so_event";
import { PKT } from "../inet/pkt_t";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as opt from "../wire/tcp_options";
import * as cc from "./cc";
import * as challenge from "./challenge";
import * as ecn from "./ecn";
import * as output from "./output";
import * as recovery from "./recovery";
import * as respond from "./respond";
import * as rtt from "./rtt";
import * as sack from "./sack";
import { G } from "./seg";
import { Opt, Step } from "./seg_t";
import * as seq from "./seq";
import * as subr from "./subr";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";

export function input(tp: Tcb): Step {
  if (!(G.flags & Th.ACK)) {
    stat.fate(Fate.TCP_NO_ACK);
    return Step.DROP;
  }
  if (tp.state == TcpState.SYN_RECEIVED && !completes(tp)) return Step.DROP;
  // RFC 5961 5.2: neither beyond SND.MAX nor further back than the largest window
  if (seq.gt(G.ack, tp.snd_max) || seq.lt(G.ack, tp.snd_una - tp.max_sndwnd)) {
    stat.fate(Fate.TCP_ACK_INVALID);
    challenge.ack(tp);
    return Step.DROP;
  }
  const news = tp.flags & Tf.SACK && G.opts & Opt.SACK ? takeSack(tp) : 0;
  const windowSame = G.wnd == tp.snd_wnd;
  updateWindow(tp);
  if (seq.gt(G.ack, tp.snd_una)) {
    newAck(tp, G.ack);
    if (ecn.isEcho(tp)) ecn.echo(tp);
    return finAcked(tp);
  }
  if (isDuplicate(tp, windowSame, news)) recovery.dupack(tp);
  else if (G.len == 0 && G.ack == tp.snd_una && tp.snd_una == tp.snd_max) tp.dupacks = 0;
  if (ecn.isEcho(tp)) ecn.echo(tp);
  return Step.CONTINUE;
}

/** SYN-RECEIVED: the ACK of our SYN completes the handshake, any other is answered with RST. */
function completes(tp: Tcb): bool {
  if (!seq.gt(G.ack, tp.snd_una) || seq.gt(G.ack, tp.snd_max)) {
    stat.fate(Fate.TCP_ACK_INVALID);
    respond.reset(G, PKT.dst, PKT.src);
    return false;
  }
  synAcked(tp);
  subr.established(tp);
  tp.snd_wl1 = G.seq - 1; // so that the window of this segment is taken
  cc.start(tp);
  return true;
}

/** Our SYN is acknowledged: it took one sequence number and no byte of so_snd. */
export function synAcked(tp: Tcb): void {
  if (tp.rtt_at != 0 && tp.rtt_seq == tp.iss) rtt.finish(tp);
  tp.snd_una = tp.iss + 1;
  tp.snd_nxt = seq.max(tp.snd_nxt, tp.snd_una);
  tp.snd_up = tp.snd_una;
  tp.recover = tp.snd_una;
  tp.backoff = 0;
  tp.tries = 0;
  timers.clear(tp, Row.REXMT);
}

/** Takes the SACK blocks in; answers the bytes newly reported. */
function takeSack(tp: Tcb): u32 {
  let news: u32 = 0;
  for (let i: u32 = 0; i < G.sack_n; i++) {
    const left = opt.sackLeft(G.sack, i);
    const right = opt.sackRight(G.sack, i);
    if (seq.le(right, G.ack)) continue; // DSACK (RFC 2883): reports what came twice
    news += sack.update(tp, left, right);
  }
  stat.add(Stat.TCP_SACK_IN, G.sack_n);
  return news;
}

/**
 * What counts as a duplicate ACK: with SACK, one that reports something new (RFC 6675 2), so that
 * reports of duplicates do not (RFC 2883 4); without, RFC 5681 2.
 */
function isDuplicate(tp: Tcb, windowSame: bool, news: u32): bool {
  if (G.ack != tp.snd_una || tp.snd_una == tp.snd_max) return false;
  if (tp.snd_wnd == 0) return false; // answers to probes of a closed window
  if (tp.flags & Tf.SACK) return news > 0;
  return G.len == 0 && windowSame && !(G.flags & (Th.SYN | Th.FIN));
}

/** Takes the send window from segments that are not older than the last that set it. */
export function updateWindow(tp: Tcb): void {
  const newer = seq.lt(tp.snd_wl1, G.seq) ||
    (tp.snd_wl1 == G.seq && seq.le(tp.snd_wl2, G.ack));
  if (!newer) return;
  if (G.wnd > tp.max_sndwnd) tp.max_sndwnd = G.wnd;
  if (tp.snd_wnd == 0 && G.wnd > 0) endPersist(tp);
  tp.snd_wnd = G.wnd;
  tp.snd_wl1 = G.seq;
  tp.snd_wl2 = G.ack;
}

/** The window has opened: go on from what the peer has not taken. */
function endPersist(tp: Tcb): void {
  if (!timers.isSet(tp, Row.PERSIST)) return;
  timers.clear(tp, Row.PERSIST);
  tp.backoff = 0;
  tp.snd_nxt = seq.max(tp.snd_una, G.ack);
}

/** `ack` acknowledges new data: SND.UNA moves, and all that hangs on it. */
export function newAck(tp: Tcb, ack: u32): void {
  const so = tp.inp.so;
  const acked = ack - tp.snd_una;
  const flight = tp.snd_max - tp.snd_una;
  if (tp.rtt_at != 0 && seq.gt(ack, tp.rtt_seq)) rtt.finish(tp);
  else if (tp.backoff && tp.flags & Tf.TS && G.opts & Opt.TS) {
    rtt.echoed(tp, tcb.tsNow(tp.ts_offset) - G.ts_ecr);
  }
  const bytes = min<u32>(acked, so.snd.cc);
  sockbuf.drop(so.snd, bytes);
  tp.snd_una = ack;
  tp.tries = 0;
  tp.progress_at = clock.now();
  tp.dupacks = 0;
  tp.soft_error = 0;
  if (tp.sacked) sack.advance(tp, ack);
  if (seq.lt(tp.snd_nxt, ack)) tp.snd_nxt = ack;
  if (seq.lt(tp.snd_up, ack)) tp.snd_up = ack;
  ecn.acked(tp);
  congestion(tp, acked, flight);
  if (ack == tp.snd_max) timers.clear(tp, Row.REXMT); // RFC 6298 5.2
  else if (!timers.isSet(tp, Row.PERSIST)) timers.set(tp, Row.REXMT, rtt.rexmtDelay(tp)); // 5.3
  if (bytes > 0) so_event.wwakeup(so);
  G.acked = acked;
}

function congestion(tp: Tcb, acked: u32, flight: u32): void {
  if (tp.flags & Tf.RECOVERY) {
    recovery.newAck(tp, acked);
    return;
  }
  if (tp.flags & Tf.RTO_RECOVERY && seq.ge(tp.snd_una, tp.recover)) {
    tp.flags &= ~Tf.RTO_RECOVERY;
  }
  if (ecn.isEcho(tp)) return; // RFC 3168 6.1.2
  // RFC 7661 4.3: a window that is not used says nothing about the network
  const used = tp.cwnd < tp.ssthresh ? flight * 2 : flight + tp.snd_mss;
  if (used >= tp.cwnd) cc.acked(tp, acked);
}

/** State changes when our FIN is acknowledged. */
function finAcked(tp: Tcb): Step {
  if (!(tp.flags & Tf.SENTFIN) || tp.snd_una != tp.snd_max || tp.inp.so.snd.cc > 0) {
    return Step.CONTINUE;
  }
  switch (tp.state) {
    case TcpState.FIN_WAIT_1:
      tp.state = TcpState.FIN_WAIT_2;
      subr.orphan(tp);
      return Step.CONTINUE;
    case TcpState.CLOSING:
      stat.fate(Fate.TCP_ACCEPTED);
      tp.state = TcpState.TIME_WAIT;
      if (tp.flags & Tf.ACKNOW) output.output(tp); // the ACK of their FIN may still be owed
      subr.timeWait(tp);
      return Step.DONE;
    case TcpState.LAST_ACK:
      stat.fate(Fate.TCP_ACCEPTED);
      subr.close(tp);
      return Step.DONE;
    default:
      return Step.CONTINUE;
  }
}
