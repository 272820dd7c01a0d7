/** Sixth to eighth step of RFC 9293 3.10.7.4: urgent data, the text, and FIN. */
import { Fate } from "../abi/fate";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import { PKT } from "../inet/pkt_t";
import * as sockbuf from "../socket/sockbuf";
import * as so_event from "../socket/so_event";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as delack from "./delack";
import * as dsack from "./dsack";
import * as ecn from "./ecn";
import * as output from "./output";
import * as reass from "./reass";
import * as respond from "./respond";
import { G } from "./seg";
import { Step } from "./seg_t";
import * as seq from "./seq";
import * as subr from "./subr";
import { Tcb, Tf } from "./tcb_t";
import * as urgent from "./urgent";

/** Whether the data of this segment was out of order, or filled a gap: then the ACK is urgent. */
@unmanaged
@final
export class InputDataState {
  now: u32;
}

const S: InputDataState = changetype<InputDataState>(memory.data(offsetof<InputDataState>(), 16));

export function input(tp: Tcb): Step {
  S.now = ecn.received(tp) ? 1 : 0;
  const state = tp.state;
  const takes = state == TcpState.ESTABLISHED || state == TcpState.FIN_WAIT_1 ||
    state == TcpState.FIN_WAIT_2;
  if (!takes) return Step.CONTINUE; // RFC 9293: after the peer's FIN there is nothing to take
  // a connection that waits to be accepted has no descriptor either, but is ESTABLISHED
  const closed = state != TcpState.ESTABLISHED && (tp.inp.so.state & Ss.NOFDREF) != 0;
  if (G.len > 0 && closed) return afterClose(tp);
  if (G.flags & Th.URG) urgent.input(tp);
  else if (seq.gt(tp.rcv_nxt, tp.rcv_up)) tp.rcv_up = tp.rcv_nxt;
  let fin = (G.flags & Th.FIN) != 0;
  if (G.len > 0 || (fin && G.seq != tp.rcv_nxt)) fin = text(tp, fin);
  if (fin) return finish(tp);
  return Step.CONTINUE;
}

/** The user is gone and data comes: RST, so that the peer learns of the loss (SHLD-3). */
function afterClose(tp: Tcb): Step {
  stat.fate(Fate.TCP_AFTER_CLOSE);
  respond.reset(G, PKT.dst, PKT.src);
  subr.close(tp);
  return Step.DONE;
}

/** Queues the data; true if the FIN is now next in order. */
function text(tp: Tcb, fin: bool): bool {
  const m = G.m;
  const so = tp.inp.so;
  G.m = changetype<Mbuf>(0); // the data is ours now
  const inOrder = G.seq == tp.rcv_nxt;
  if (inOrder && so.rcv.cc > 0 && mbuf.low()) return refuse(tp, m);
  ops.adj(m, i32(G.off));
  if (inOrder && !tp.segq) {
    tp.rcv_nxt += G.len;
    tp.bytes_received += G.len;
    stat.add(Stat.TCP_BYTES_IN, G.len);
    const rest = urgent.pull(tp, m, G.seq);
    if (so.state & Ss.CANTRCVMORE) mbuf.freem(rest);
    else if (rest) sockbuf.append(so.rcv, rest);
    delack.arrived(tp);
    delack.owe(tp);
    so_event.rwakeup(so);
    return fin;
  }
  if (inOrder) delack.arrived(tp);
  // out of order, or filling a gap, is acknowledged at once, and each segment (RFC 5681 3.2-1,
  // 3.2-2, 4.2-4, 4.2-5, 4.2-6)
  tp.flags |= Tf.ACKNOW;
  S.now = 1;
  if (!reass.insert(tp, G, m, fin ? 1 : 0)) return false;
  const before = tp.rcv_nxt;
  const reached = reass.deliver(tp);
  if (tp.rcv_nxt != before) so_event.rwakeup(so);
  return reached;
}

/**
 * Memory is short and the user has not read what came before: what is left must serve others, and
 * the ACKs that free it. The peer sends this again.
 */
function refuse(tp: Tcb, m: Mbuf): bool {
  stat.fate(Fate.NO_BUFFERS);
  mbuf.freem(m);
  tp.flags |= Tf.ACKNOW;
  return false;
}

/**
 * The peer's FIN is next: all before it has been taken, and the user reads the end (MUST-12). What
 * waits beyond it can never be in order, and must be neither kept nor reported.
 */
function finish(tp: Tcb): Step {
  reass.flush(tp);
  tp.flags |= Tf.GOTFIN;
  tp.rcv_nxt++;
  so_event.cantRcvMore(tp.inp.so);
  switch (tp.state) {
    case TcpState.ESTABLISHED:
      tp.state = TcpState.CLOSE_WAIT;
      break;
    case TcpState.FIN_WAIT_1:
      tp.state = TcpState.CLOSING;
      break;
    case TcpState.FIN_WAIT_2:
      tp.flags |= Tf.ACKNOW;
      if (stat.lastFate() == 0) stat.fate(Fate.TCP_ACCEPTED);
      output.output(tp); // the ACK goes out before the block does
      subr.timeWait(tp);
      return Step.DONE;
    default:
      break;
  }
  delack.finCame(tp);
  return Step.CONTINUE;
}

/** True if this segment's ACK may not wait for the end of the turn. */
export function urgentAck(tp: Tcb): bool {
  const now = (S.now != 0 || dsack.pending(tp)) && (tp.flags & Tf.ACKNOW) != 0;
  S.now = 0;
  return now;
}
