/**
 * Header prediction: what nearly every segment of a running transfer is. The next data in
 * order, an ACK of new data, or both. Everything else is left to the steps of input.ts, untouched.
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
import * as ack from "./ack_t";
import * as ackStep from "./input_ack";
import * as delack from "./delack";
import * as ecn from "./ecn";
import * as output from "./output";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** Takes the segment in G if it is an expected one; false leaves it, and the block, untouched. */
export function input(tp: Tcb): bool {
  if (tp.state != TcpState.ESTABLISHED || tp.flags & Tf.FORCE || tp.ca_state) return false;
  const bits = Th.FIN | Th.SYN | Th.RST | Th.ACK | Th.URG;
  if ((G.flags & bits) != Th.ACK || G.seq != tp.rcv_nxt || G.opts & ~Opt.TS) return false;
  if (G.wnd == 0 || tp.snd_wnd == 0) return false;
  const news = seq.gt(G.ack, tp.snd_una);
  if (news ? !expectedAck(tp) : G.ack != tp.snd_una || G.len == 0) return false;
  if (G.len > 0 && !expectedData(tp)) return false;
  if (ecn.isUnusual(tp) || !timestampOk(tp)) return false;
  stat.add(Stat.TCP_PREDICTED, G.segs);
  stat.fate(Fate.TCP_ACCEPTED);
  tp.ack_at = clock.now();
  ackStep.updateWindow(tp);
  if (news) {
    ack.begin(tp.snd_una);
    ackStep.newAck(tp, G.ack);
  }
  if (G.len > 0) inOrder(tp);
  else mbuf.freem(G.m);
  output.after(tp);
  return true;
}

/** An ACK of what was sent, with no loss in sight. */
function expectedAck(tp: Tcb): bool {
  return seq.le(G.ack, tp.snd_nxt) && tp.sacked_bytes == 0 && tp.dupacks == 0;
}

/** Data at rcv_nxt that fits, nothing out of order, no urgent byte ahead and no want of memory. */
function expectedData(tp: Tcb): bool {
  if (mbuf.low()) return false;
  return !tp.segq && G.len <= window.offered(tp) && seq.le(tp.rcv_up, tp.rcv_nxt);
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

function inOrder(tp: Tcb): void {
  const m = G.m;
  const so = tp.inp.so;
  ops.adj(m, i32(G.off));
  tp.rcv_nxt += G.len;
  tp.bytes_received += G.len;
  tp.rcv_up = tp.rcv_nxt; // left behind, it would seem ahead after 2^31 bytes
  stat.add(Stat.TCP_BYTES_IN, G.len);
  if (so.state & Ss.CANTRCVMORE) mbuf.freem(m);
  else sockbuf.append(so.rcv, m);
  so_event.rwakeup(so);
  delack.arrived(tp);
  delack.owe(tp);
}
