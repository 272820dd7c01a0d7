/**
 * Fast loopback (AIX's tcp_fastlo, Solaris's TCP fusion): a short message between two ends in this
 * memory goes from the user's call into the other end's so_rcv, without a segment. It happens only
 * where a segment would leave at once and be taken by header prediction: nothing in flight or
 * queued before it, room in the window. Both blocks then stand as they would after that segment,
 * with what it acknowledges, and an ACK of it; so the next may be an ordinary segment. Connections
 * begin and end with those always.
 */
import { Iff } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import * as if_queue from "../net/if_queue";
import * as sockbuf from "../socket/sockbuf";
import * as so_event from "../socket/so_event";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as ack from "./ack_t";
import * as delack from "./delack";
import { INFO } from "./info";
import * as ackStep from "./input_ack";
import * as output from "./output";
import * as push from "./push";
import { G } from "./seg";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Ca, Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** Flags of a sender that has something to say beside its data, or holds it back. */
const BUSY: u32 = Tf.FORCE | Tf.CORK | Tf.BLOCKED | Tf.ECE | Tf.CWR;

/** Hands `m` over if it can be done; else it is the caller's still. */
export function send(tp: Tcb, m: Mbuf): bool {
  if (!T.fastlo || !m || m.next || m.flags & Mf.EOR || !isQuiet(tp)) return false;
  const inp = tp.inp;
  const rt = in_output.routeOf(inp);
  if (!rt) return false;
  const lo = rt.ifp;
  // what waits there would be overtaken
  const open = (lo.flags & (Iff.LOOPBACK | Iff.UP)) == (Iff.LOOPBACK | Iff.UP);
  if (!open || if_queue.queued(lo) > 0) return false;
  const laddr = in_pcb.laddrOf(inp);
  const faddr = in_pcb.faddrOf(inp);
  const other = in_pcb.lookup(INFO, faddr, inp.fport, laddr, inp.lport, false);
  if (!other || tcb.isParked(other)) return false;
  const peer = tcb.ofInp(other);
  if (!takes(peer, tp.snd_nxt, m.len) || !takesAck(peer, tp)) return false;
  if (peer.snd_una != peer.snd_nxt) acknowledge(peer, tp);
  received(peer, m);
  acknowledged(tp, peer);
  return true;
}

/** True if a segment would leave at once, alone. */
function isQuiet(tp: Tcb): bool {
  return tp.state == TcpState.ESTABLISHED && tp.ca_state == Ca.OPEN && !(tp.flags & BUSY) &&
    tp.snd_una == tp.snd_nxt && tp.inp.so.snd.cc == 0 && !seq.gt(tp.snd_up, tp.snd_una) &&
    tp.max_pacing_rate == 0;
}

/** True if `len` bytes at `s` are what comes next, and have room. */
function takes(tp: Tcb, s: u32, len: u32): bool {
  return tp.state == TcpState.ESTABLISHED && tp.rcv_nxt == s && len <= window.offered(tp) &&
    !tp.segq && seq.le(tp.rcv_up, s) && !(tp.inp.so.state & Ss.CANTRCVMORE) && !mbuf.low();
}

/** True if all that `tp` has in flight has come to `peer`, if there is any, in good order. */
function takesAck(tp: Tcb, peer: Tcb): bool {
  if (tp.snd_una == tp.snd_nxt) return true;
  return tp.snd_nxt == peer.rcv_nxt && tp.ca_state == Ca.OPEN && !(tp.flags & Tf.FORCE) &&
    tp.sacked_bytes == 0 && tp.dupacks == 0;
}

/** The ACK that `peer` owes comes to `tp` with the message. */
function acknowledge(tp: Tcb, peer: Tcb): void {
  G.flags = Th.ACK;
  G.ack = tp.snd_nxt;
  G.opts = 0;
  G.segs = 1;
  G.len = 0;
  tp.ack_at = clock.now();
  ack.begin(tp.snd_una);
  ackStep.newAck(tp, tp.snd_nxt);
  peer.last_ack_sent = peer.rcv_nxt;
  delack.ackSent(peer);
  output.output(tp);
}

/** The receiver's half, as in input_fast.ts; its ACK has left. */
function received(tp: Tcb, m: Mbuf): void {
  const so = tp.inp.so;
  const now = clock.now();
  const len = m.len;
  m.tstamp = now;
  tp.rcv_nxt += len;
  tp.rcv_up = tp.rcv_nxt;
  tp.last_ack_sent = tp.rcv_nxt;
  tp.bytes_received += len;
  tp.rcvd_at = now;
  tp.data_at = now;
  sockbuf.append(so.rcv, m);
  const win = window.toAdvertise(tp);
  if (seq.gt(tp.rcv_nxt + win, tp.rcv_adv)) tp.rcv_adv = tp.rcv_nxt + win;
  if (win > tp.max_rcvwnd) tp.max_rcvwnd = win;
  stat.inc(Stat.TCP_FASTLO);
  stat.add(Stat.TCP_BYTES_IN, len);
  stat.add(Stat.TCP_BYTES_OUT, len);
  so_event.rwakeup(so);
}

/** The sender's half: the data has left, and the ACK of `peer` has come. */
function acknowledged(tp: Tcb, peer: Tcb): void {
  const now = clock.now();
  const end = peer.rcv_nxt;
  const len = end - tp.snd_una;
  tp.snd_una = end;
  tp.snd_nxt = end;
  tp.snd_up = end;
  tp.snd_small = end;
  tp.snd_wnd = window.offered(peer) >> u32(peer.rcv_scale) << u32(peer.rcv_scale);
  tp.snd_wl2 = end;
  if (tp.snd_wnd > tp.max_sndwnd) tp.max_sndwnd = tp.snd_wnd;
  tp.bytes_sent += len;
  tp.bytes_delivered += len;
  tp.sent_at = now;
  tp.rcvd_at = now;
  tp.ack_at = now;
  tp.progress_at = now;
  push.begun(tp, end);
}
