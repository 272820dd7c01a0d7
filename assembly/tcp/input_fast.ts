/**
 * Header prediction: what nearly every segment of a running transfer is. Either the next data in
 * order with nothing new acknowledged, or an ACK of new data with nothing in it. Everything else is
 * left to the steps of input.ts, untouched.
 */
import { Fate } from "../abi/fate";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as sockbuf from "../socket/sockbuf";
import * as so_event from "../socket/so_event";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import * as stat from "../sys/stat";
import * as ackStep from "./input_ack";
import * as dataStep from "./input_data";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

const UNUSUAL: u32 = Tf.RECOVERY | Tf.RTO_RECOVERY | Tf.REXMT1 | Tf.FORCE;

/** Takes the segment in G if it is one of the two; false leaves it untouched. */
export function input(tp: Tcb): bool {
  if (tp.state != TcpState.ESTABLISHED || tp.flags & UNUSUAL) return false;
  const bits = Th.FIN | Th.SYN | Th.RST | Th.ACK | Th.URG;
  if ((G.flags & bits) != Th.ACK || G.seq != tp.rcv_nxt || G.opts & ~Opt.TS) return false;
  if (G.wnd << u32(tp.snd_scale) != tp.snd_wnd || tp.snd_nxt != tp.snd_max) return false;
  if (!timestampOk(tp)) return false;
  if (G.len == 0) return pureAck(tp);
  if (G.ack != tp.snd_una || tp.segq || G.len > window.offered(tp)) return false;
  return inOrder(tp);
}

/** RFC 7323 5.3, for a segment at rcv_nxt; true also if no timestamps are in force. */
function timestampOk(tp: Tcb): bool {
  if (!(tp.flags & Tf.TS)) return true;
  if (!(G.opts & Opt.TS) || seq.lt(G.ts_val, tp.ts_recent)) return false;
  if (seq.le(G.seq, tp.last_ack_sent)) {
    tp.ts_recent = G.ts_val;
    tp.ts_recent_at = clock.now();
  }
  return true;
}

function pureAck(tp: Tcb): bool {
  if (!seq.gt(G.ack, tp.snd_una) || !seq.le(G.ack, tp.snd_max) || tp.sacked) return false;
  if (tp.dupacks) return false;
  stat.inc(Stat.TCP_PREDICTED);
  tp.snd_wl1 = G.seq;
  tp.snd_wl2 = G.ack;
  ackStep.newAck(tp, G.ack);
  stat.fate(Fate.TCP_ACCEPTED);
  mbuf.freem(G.m);
  tcb.wantOutput(tp);
  return true;
}

function inOrder(tp: Tcb): bool {
  stat.inc(Stat.TCP_PREDICTED);
  const m = G.m;
  const so = tp.inp.so;
  const len = G.len;
  ops.adj(m, i32(G.off));
  tp.rcv_nxt += len;
  tp.snd_wl1 = G.seq;
  stat.add(Stat.TCP_BYTES_IN, len);
  stat.fate(Fate.TCP_ACCEPTED);
  if (so.state & Ss.CANTRCVMORE) mbuf.freem(m);
  else sockbuf.append(so.rcv, m);
  so_event.rwakeup(so);
  dataStep.owe(tp);
  tcb.wantOutput(tp);
  return true;
}
