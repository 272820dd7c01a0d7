/** The user's requests to TCP: pr_usrreq (RFC 9293 3.9.1, 3.10.1 to 3.10.6). */
import { Errno } from "../abi/errno";
import { Sioc } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { Pru } from "../abi/proto";
import { Msg, Sb, So, Ss } from "../abi/socket";
import { TcpState } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import { Inpcb } from "../inet/in_pcb_t";
import { SockAddr } from "../socket/sockaddr";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import * as so_event from "../socket/so_event";
import * as mbuf from "../sys/mbuf";
import * as copy from "../sys/mbuf_copy";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as active from "./active";
import * as fastlo from "./fastlo";
import * as fastopen from "./fastopen";
import * as fastopen_opt from "./fastopen_opt";
import { Tfo } from "./fastopen_t";
import { INFO } from "./info";
import * as delack from "./delack";
import * as notsent from "./notsent";
import * as output from "./output";
import * as push from "./push";
import * as rcv_autotune from "./rcv_autotune";
import { T } from "./settings";
import * as subr from "./subr";
import * as syncache from "./syncache";
import * as tcb from "./tcb";
import { LINGER2_NONE, Tcb, Tf } from "./tcb_t";
import * as timer_events from "./timer_events";
import * as timers from "./timers";
import * as urgent from "./urgent";
import * as window from "./window";

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
  if (req == Pru.SEND) return tp.tfo & Tfo.DEFERRED ? firstData(tp, m) : send(tp, m, arg);
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
      return listen(tp, arg);
    case Pru.CONNECT:
      return active.connect(tp, sa, arg);
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
function listen(tp: Tcb, backlog: i32): i32 {
  if (tp.state == TcpState.LISTEN) return 0;
  if (tp.state != TcpState.CLOSED) return -Errno.EINVAL;
  if (tp.inp.lport == 0) {
    const error = in_pcb.bind(tp.inp, changetype<SockAddr>(0));
    if (error < 0) return error;
  }
  tp.state = TcpState.LISTEN;
  fastopen_opt.listening(tp, backlog);
  return 0;
}

function shutdown(tp: Tcb, so: Socket): i32 {
  so_event.cantSendMore(so);
  // data has begun to open it: FIN follows that data, once the connection stands
  if (tp.state == TcpState.SYN_SENT && so.state & Ss.OPENING) return 0;
  if (subr.userClosed(tp)) output.output(tp);
  return 0;
}

/** CLOSE (RFC 9293 3.10.4). With data unread, the peer must learn of the loss: RST (SHLD-3). */
function disconnect(tp: Tcb, so: Socket, detach: bool): i32 {
  if (tp.state < TcpState.SYN_RECEIVED) {
    if (tp.state == TcpState.LISTEN) syncache.flush(tp.inp);
    subr.close(tp);
    return 0;
  }
  const impatient = tp.state == TcpState.FIN_WAIT_2 && tp.linger2_s == LINGER2_NONE;
  if (so.linger_s == 0 || so.rcv.cc > 0 || impatient) {
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
  if (!more && fastlo.send(tp, m)) return 0;
  queue(tp, m, more);
  if (more) tp.flags |= Tf.MORETOCOME;
  output.output(tp); // what cannot leave now is tried again by a timer: the data is queued
  tp.flags &= ~Tf.MORETOCOME;
  return 0;
}

/** The first data of a Fast Open: the SYN takes some of it, and leaves (RFC 7413 4.2.1). */
function firstData(tp: Tcb, m: Mbuf): i32 {
  const most = fastopen.go(tp);
  const have = copy.length(m);
  const taken = min<u32>(most, have);
  if (taken < have) {
    if (taken > 0) ops.adj(m, -i32(have - taken));
    else mbuf.freem(m);
  }
  if (taken > 0) queue(tp, m, false);
  const error = active.start(tp);
  return error < 0 ? error : i32(taken);
}

/** Puts data at the end of so_snd, and marks its end for PSH. */
function queue(tp: Tcb, m: Mbuf, more: bool): void {
  const sb = tp.inp.so.snd;
  const before = sb.cc;
  const apart = endsRecord(sb.mbtail);
  sockbuf.append(sb, m);
  if (endsRecord(sb.mbtail)) sb.flags |= Sb.RECORDS;
  push.wrote(tp, sb.cc - before, more, apart);
}

function endsRecord(m: Mbuf): bool {
  return m && m.flags & Mf.EOR ? true : false;
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
