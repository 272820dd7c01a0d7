/** Connections that the user opens. */
import { Errno } from "../abi/errno";
import { Msg, Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { TcpState } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import { Inp } from "../inet/in_pcb_t";
import * as so_event from "../socket/so_event";
import { SockAddr } from "../socket/sockaddr";
import * as sockbuf from "../socket/sockbuf";
import * as stat from "../sys/stat";
import * as ecn from "./ecn";
import * as fastopen from "./fastopen";
import { Fo } from "./fastopen_t";
import * as nagle from "./nagle";
import * as output from "./output";
import * as push from "./push";
import { T } from "./settings";
import * as subr from "./subr";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";
import * as timers from "./timers";
import * as timewait from "./timewait";
import * as window from "./window";

/** Times a port is chosen anew when its connection is still in TIME-WAIT. */
const PORT_TRIES: u32 = 16;

/**
 * Active open (RFC 9293 3.10.1): chooses the ISN and sends SYN, unless that waits for the data of a
 * Fast Open. `flags`: Msg.FASTOPEN if such data is about to come.
 */
export function connect(tp: Tcb, sa: SockAddr, flags: i32): i32 {
  if (tp.state != TcpState.CLOSED) return -Errno.EISCONN;
  if (flags & Msg.FASTOPEN && !(T.fastopen & Fo.CLIENT)) return -Errno.EOPNOTSUPP;
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
  so_event.isConnecting(inp.so);
  return fastopen.begin(tp, (flags & Msg.FASTOPEN) != 0) ? 0 : start(tp);
}

/** The SYN leaves. */
export function start(tp: Tcb): i32 {
  subr.limitAttempt(tp);
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
  sockbuf.flush(so.snd);
  timers.stop(tp);
  tp.state = TcpState.CLOSED;
  in_pcb.disconnect(tp.inp);
  return error;
}
