/** What several parts of TCP do to a connection: its states, its end, its errors. */
import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { So, Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState, Th } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import { Inpcb } from "../inet/in_pcb_t";
import * as if_queue from "../net/if_queue";
import * as net_if from "../net/if";
import { Socket } from "../socket/socket_t";
import * as so_event from "../socket/so_event";
import * as stat from "../sys/stat";
import * as fastopen from "./fastopen";
import * as fastopen_queue from "./fastopen_queue";
import { Tfo } from "./fastopen_t";
import * as metrics from "./metrics";
import * as mtu_probe from "./mtu_probe";
import * as delack from "./delack";
import * as rcv_autotune from "./rcv_autotune";
import * as rack from "./rack";
import * as reass from "./reass";
import * as respond from "./respond";
import * as sent from "./sent";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { LINGER2_NONE, Tcb, Tf } from "./tcb_t";
import * as timers from "./timers";
import { Row } from "./timers";
import * as timewait from "./timewait";

/**
 * Ends the connection and gives its block back; the socket stays until its user closes it.
 * Whoever holds `tp` must stop using it.
 */
export function close(tp: Tcb): void {
  const inp = tp.inp;
  const so = inp.so;
  timers.stop(tp);
  fastopen.end(tp);
  fastopen_queue.leave(tp, false);
  reass.flush(tp);
  sent.clear(tp);
  unblock(tp);
  if (metrics.endsWell(tp)) metrics.save(tp);
  stat.inc(Stat.TCP_CLOSED);
  inp.ppcb = 0;
  tcb.release(tp);
  in_pcb.free(inp);
  so_event.isDisconnected(so);
}

function unblock(tp: Tcb): void {
  if (!(tp.flags & Tf.BLOCKED)) return;
  const ifp = net_if.byIndex(tp.blk_ifindex);
  if (ifp) if_queue.unblock(ifp, tp.blocked);
  tp.flags &= ~Tf.BLOCKED;
}

/** Gives the connection up with `errno`; a synchronized peer is told by RST. */
export function drop(tp: Tcb, errno: i32): void {
  const so = tp.inp.so;
  if (tp.state >= TcpState.SYN_RECEIVED && tp.state != TcpState.TIME_WAIT) sendReset(tp);
  stat.inc(Stat.TCP_DROPPED);
  let told = errno;
  if (errno == Errno.ETIMEDOUT && tp.soft_error) told = tp.soft_error;
  if (told) so.error = told;
  close(tp);
}

/**
 * <SEQ=SND.NXT><CTL=RST,ACK> (RFC 9293 3.10.5): behind all that was sent, also while some of it is
 * sent again; but inside the peer's window, which a probe of it was not.
 */
export function sendReset(tp: Tcb): void {
  const inp = tp.inp;
  const s = seq.min(tp.snd_nxt, tp.snd_una + tp.snd_wnd);
  respond.segment(
    in_pcb.laddrOf(inp),
    inp.lport,
    in_pcb.faddrOf(inp),
    inp.fport,
    s,
    tp.rcv_nxt,
    Th.RST | Th.ACK,
    0,
    0,
    0,
    inp.ttl,
    inp.tos,
  );
}

/** Enters ESTABLISHED, or FIN-WAIT-1 if the user has closed already. */
export function established(tp: Tcb): void {
  const so = tp.inp.so;
  stat.inc(Stat.TCP_CONNECTED);
  tp.state = TcpState.ESTABLISHED;
  const pending = (tp.tfo & Tfo.PENDING) != 0; // data has gone both ways already
  if (!pending) {
    delack.start(tp);
    rack.start(tp);
  }
  rcv_autotune.start(tp);
  timers.clear(tp, Row.KEEP);
  keepalive(tp);
  metrics.use(tp);
  mtu_probe.start(tp);
  if (!pending) so_event.isConnected(so);
  if (so.state & Ss.CANTSENDMORE) tp.state = TcpState.FIN_WAIT_1;
}

/**
 * The SYN or SYN-ACK of this new connection had to be sent again: the window starts from one
 * segment (RFC 5681 3.1-4) and, without a measured round trip, the RTO from three seconds (RFC 6298
 * 5.7).
 */
export function afterLostSyn(tp: Tcb): void {
  tp.cwnd = tp.snd_mss;
  if (tp.srtt_us == 0) tp.rto_us = max<u32>(tp.rto_us, RTO_LOST_SYN_US);
}

const RTO_LOST_SYN_US: u32 = 3_000_000;

/** Starts, moves or stops keepalives, as SO_KEEPALIVE says: off at first (MUST-24, MUST-25). */
export function keepalive(tp: Tcb): void {
  if (tp.state < TcpState.ESTABLISHED) return;
  if (tp.inp.so.options & So.KEEPALIVE) timers.set(tp, Row.KEEP, i64(tp.keep_idle_ms) * 1000);
  else timers.clear(tp, Row.KEEP);
}

/**
 * The user sends no more: moves to the state that sends FIN (RFC 9293 3.10.4).
 *
 * @returns false if the connection has ended by this.
 */
export function userClosed(tp: Tcb): bool {
  switch (tp.state) {
    case TcpState.CLOSED:
    case TcpState.LISTEN:
    case TcpState.SYN_SENT:
      close(tp);
      return false;
    case TcpState.ESTABLISHED:
      tp.state = TcpState.FIN_WAIT_1;
      break;
    case TcpState.CLOSE_WAIT:
      tp.state = TcpState.LAST_ACK;
      break;
    case TcpState.FIN_WAIT_2:
      orphan(tp);
      break;
    case TcpState.SYN_RECEIVED:
      // what Fast Open has made can send FIN at once; else established() sees CANTSENDMORE
      if (tp.tfo & Tfo.PENDING) tp.state = TcpState.FIN_WAIT_1;
      break;
    default:
      break;
  }
  return true;
}

/** In FIN-WAIT-2 without a user, the peer's FIN is waited for only so long. */
export function orphan(tp: Tcb): void {
  const so = tp.inp.so;
  if (so.state & (Ss.NOFDREF | Ss.CANTRCVMORE)) {
    so_event.isDisconnecting(so);
    const us = tp.linger2_s ? i64(tp.linger2_s) * 1_000_000 : i64(T.fin_wait_2_us);
    timers.set(tp, Row.MSL2, tp.linger2_s == LINGER2_NONE ? 0 : us);
  }
}

/** TCP_KEEPINIT: a connection attempt lasts only so long. */
export function limitAttempt(tp: Tcb): void {
  if (tp.state != TcpState.SYN_SENT && tp.state != TcpState.SYN_RECEIVED) return;
  if (tp.keep_init_ms) timers.set(tp, Row.KEEP, i64(tp.keep_init_ms) * 1000);
  else timers.clear(tp, Row.KEEP);
}

/** Both FINs are exchanged: what is left goes into a compact record, the block at once. */
export function timeWait(tp: Tcb): void {
  stat.inc(Stat.TCP_TIME_WAIT);
  timewait.add(tp);
  tp.state = TcpState.TIME_WAIT;
  close(tp);
}

/** The connection of a control block that its socket still refers to, or nil. */
export function ofSocket(so: Socket): Tcb {
  const inp = changetype<Inpcb>(so.pcb);
  return inp ? tcb.ofInp(inp) : changetype<Tcb>(0);
}

/** The same, for a socket of any protocol. */
export function tcbOf(so: Socket): Tcb {
  return isTcp(so) ? ofSocket(so) : changetype<Tcb>(0);
}

/** The same to look at: a parked connection stays so, see tcb.peek. */
export function peekOf(so: Socket): Tcb {
  const inp = isTcp(so) ? changetype<Inpcb>(so.pcb) : changetype<Inpcb>(0);
  return inp ? tcb.peek(inp) : changetype<Tcb>(0);
}

function isTcp(so: Socket): bool {
  return so.inuse != 0 && so.proto.protocol == IpProto.TCP;
}
