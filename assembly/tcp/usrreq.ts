/** The user's requests to TCP: pr_usrreq (RFC 9293 3.9.1, 3.10.1 to 3.10.6). */
import { Errno } from "../abi/errno";
import { Sioc } from "../abi/ifnet";
import { Pru } from "../abi/proto";
import { Msg, Sb, So, Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import { Inp, Inpcb } from "../inet/in_pcb_t";
import { SockAddr } from "../socket/sockaddr";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import * as so_event from "../socket/so_event";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as ecn from "./ecn";
import { INFO } from "./info";
import * as delack from "./delack";
import * as nagle from "./nagle";
import * as notsent from "./notsent";
import * as output from "./output";
import * as push from "./push";
import * as rcv_autotune from "./rcv_autotune";
import { T } from "./settings";
import * as subr from "./subr";
import * as syncache from "./syncache";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as timer_events from "./timer_events";
import * as timers from "./timers";
import * as timewait from "./timewait";
import * as urgent from "./urgent";
import * as window from "./window";

/** Times a port is chosen anew when its connection is still in TIME-WAIT. */
const PORT_TRIES: u32 = 16;

/** pr_usrreq of protosw.ts: frees the chain `mp` on every path, answers >= 0 or -errno. */
export function usrreq(sop: usize, req: i32, mp: usize, nam: usize, arg: i32): i32 {
  const so = changetype<Socket>(sop);
  const m = changetype<Mbuf>(mp);
  if (req == Pru.ATTACH) return attach(so);
  const tp = subr.ofSocket(so);
  if (!tp) {
    mbuf.freem(m); // the connection has ended before the call
    return req == Pru.DETACH || req == Pru.ABORT ? 0 : -Errno.EINVAL;
  }
  if (req == Pru.SEND) return send(tp, m, arg);
  if (req == Pru.RCVD) return received(tp);
  if (req == Pru.SENDOOB) return sendOob(tp, m);
  if (req == Pru.SPACE) return notsent.space(tp, arg != 0);
  mbuf.freem(m);
  return control(tp, so, req, changetype<SockAddr>(nam), nam, arg);
}

/** The requests without data. */
function control(tp: Tcb, so: Socket, req: i32, sa: SockAddr, ptr: usize, arg: i32): i32 {
  switch (req) {
    case Pru.BIND:
      return in_pcb.bind(tp.inp, sa);
    case Pru.LISTEN:
      return listen(tp);
    case Pru.CONNECT:
      return connect(tp, sa);
    case Pru.ACCEPT:
    case Pru.PEERADDR:
      in_pcb.peeraddr(tp.inp, sa);
      return 0;
    case Pru.SOCKADDR:
      in_pcb.sockaddr(tp.inp, sa);
      return 0;
    case Pru.SHUTDOWN:
      return shutdown(tp, so);
    case Pru.DISCONNECT:
    case Pru.DETACH:
      return disconnect(tp, so, req == Pru.DETACH);
    case Pru.ABORT:
      if (tp.state == TcpState.LISTEN) syncache.flush(tp.inp);
      subr.drop(tp, Errno.ECONNABORTED);
      return 0;
    case Pru.RCVOOB:
      return urgent.receive(tp, so, ptr, arg);
    case Pru.SENSE:
      return 0;
    case Pru.CONTROL:
      return ioctl(tp, arg, ptr);
    default:
      return -Errno.EOPNOTSUPP;
  }
}

function attach(so: Socket): i32 {
  if (so.pcb) return -Errno.EISCONN;
  if (so.snd.hiwat == 0 || so.rcv.hiwat == 0) {
    const scarce = mbuf.scarce();
    sockbuf.reserve(so.snd, scarce ? T.sndbuf_min : T.sndbuf);
    sockbuf.reserve(so.rcv, scarce ? T.rcvbuf_min : T.rcvbuf);
    so.snd.flags |= Sb.AUTOSIZE;
    so.rcv.flags |= Sb.AUTOSIZE;
  }
  const error = in_pcb.alloc(so, INFO);
  if (error < 0) return error;
  const inp = changetype<Inpcb>(so.pcb);
  const tp = tcb.create(inp);
  if (!tp) {
    in_pcb.free(inp);
    return -Errno.ENOBUFS;
  }
  if (T.always_keepalive) so.options |= So.KEEPALIVE;
  notsent.watch(tp);
  timers.setup(tp, timer_events.fire.index);
  return 0;
}

/** Passive open: this block alone changes, or the call fails (MUST-41). */
function listen(tp: Tcb): i32 {
  if (tp.state == TcpState.LISTEN) return 0;
  if (tp.state != TcpState.CLOSED) return -Errno.EINVAL;
  if (tp.inp.lport == 0) {
    const error = in_pcb.bind(tp.inp, changetype<SockAddr>(0));
    if (error < 0) return error;
  }
  tp.state = TcpState.LISTEN;
  return 0;
}

/** Active open (RFC 9293 3.10.1): chooses the ISN and sends SYN. */
function connect(tp: Tcb, sa: SockAddr): i32 {
  if (tp.state != TcpState.CLOSED) return -Errno.EISCONN;
  const error = pickAddress(tp, sa);
  if (error < 0) return error;
  const inp = tp.inp;
  // MUST-67: what IP takes in as one datagram
  tp.rcv_mss = u16(in_output.mssFor(in_output.routeOf(inp)));
  if (tp.user_mss) tp.rcv_mss = u16(min<u32>(tp.rcv_mss, tp.user_mss));
  tp.snd_una = tp.iss;
  tp.snd_nxt = tp.iss;
  tp.snd_up = tp.iss;
  tp.ts_offset = tcb.newTsOffset(in_pcb.laddrOf(inp), inp.lport, in_pcb.faddrOf(inp), inp.fport);
  ecn.request(tp);
  push.begin(tp);
  tp.req_scale = window.requestScale(tp);
  nagle.begin(tp);
  tp.state = TcpState.SYN_SENT;
  subr.limitAttempt(tp);
  so_event.isConnecting(inp.so);
  stat.inc(Stat.TCP_ACTIVE_OPENS);
  return refused(tp, output.output(tp));
}

/** Local address and port; a pair still in TIME-WAIT is passed over or reused (RFC 6191). */
function pickAddress(tp: Tcb, sa: SockAddr): i32 {
  const inp = tp.inp;
  const laddr = in_pcb.laddrOf(inp);
  const faddr = in_pcb.faddrOf(inp);
  const chosen = inp.lport == 0;
  for (let i: u32 = 0; i < PORT_TRIES; i++) {
    const error = in_pcb.connect(inp, sa);
    if (error < 0) return error;
    tp.iss = tcb.newIss(laddr, inp.lport, faddr, inp.fport);
    const w = timewait.find(laddr, inp.lport, faddr, inp.fport);
    if (!w || timewait.reuse(w, tp)) return 0;
    in_pcb.disconnect(inp);
    if (!chosen) return -Errno.EADDRINUSE;
    inp.lport = 0; // another port, then
    inp.flags &= ~Inp.ANONPORT;
  }
  return -Errno.EADDRINUSE;
}

/** An attempt that the way down refuses at once (no route, host down) fails at once. */
function refused(tp: Tcb, error: i32): i32 {
  if (error >= 0 || error == -Errno.ENOBUFS) return 0;
  const so = tp.inp.so;
  so.state &= ~Ss.ISCONNECTING;
  timers.stop(tp);
  tp.state = TcpState.CLOSED;
  in_pcb.disconnect(tp.inp);
  return error;
}

function shutdown(tp: Tcb, so: Socket): i32 {
  so_event.cantSendMore(so);
  if (subr.userClosed(tp)) output.output(tp);
  return 0;
}

/** CLOSE (RFC 9293 3.10.4). Unread data means that the peer must learn of the loss: RST (SHLD-3). */
function disconnect(tp: Tcb, so: Socket, detach: bool): i32 {
  if (tp.state < TcpState.SYN_RECEIVED) {
    if (tp.state == TcpState.LISTEN) syncache.flush(tp.inp);
    subr.close(tp);
    return 0;
  }
  if (so.linger_s == 0 || so.rcv.cc > 0) {
    subr.drop(tp, Errno.OK);
    return 0;
  }
  so_event.isDisconnecting(so);
  sockbuf.flush(so.rcv);
  if (detach && tp.state == TcpState.FIN_WAIT_2) so.state |= Ss.CANTRCVMORE;
  if (subr.userClosed(tp)) output.output(tp);
  return 0;
}

/**
 * SEND (RFC 9293 3.10.2). With MSG_MORE what does not fill a segment is held back for a while. A
 * nil `m` lets go what former calls have queued so: the user's next data finds no room.
 */
function send(tp: Tcb, m: Mbuf, flags: i32): i32 {
  const more = (flags & Msg.MORE) != 0;
  queue(tp, m, more);
  if (more) tp.flags |= Tf.MORETOCOME;
  output.output(tp); // what cannot leave now is tried again by a timer: the data is queued
  tp.flags &= ~Tf.MORETOCOME;
  return 0;
}

/** Puts data at the end of so_snd, and marks its end for PSH. */
function queue(tp: Tcb, m: Mbuf, more: bool): void {
  const sb = tp.inp.so.snd;
  const before = sb.cc;
  sockbuf.append(sb, m);
  push.wrote(tp, sb.cc - before, more);
}

/** The user has taken data: a window update may be due. */
function received(tp: Tcb): i32 {
  if (tp.state < TcpState.ESTABLISHED) return 0;
  rcv_autotune.read(tp);
  if (delack.read(tp) || window.updateDue(tp)) output.output(tp);
  return 0;
}

/** SEND with the urgent flag: the pointer names the byte after the last, however many (MUST-31). */
function sendOob(tp: Tcb, m: Mbuf): i32 {
  queue(tp, m, false);
  tp.snd_up = push.endOfData(tp);
  tp.flags |= Tf.ACKNOW; // the pointer is told even if the window is closed
  output.output(tp);
  return 0;
}

/** ioctl requests that only TCP can answer. */
function ioctl(tp: Tcb, cmd: i32, ptr: usize): i32 {
  if (tp.state == TcpState.LISTEN || cmd != Sioc.OUTQNSD) return -Errno.EINVAL;
  store<u32>(ptr, notsent.unsent(tp));
  return 4;
}
