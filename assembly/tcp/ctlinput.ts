/**
 * Reports from below: pr_ctlinput, for the connection they are about (MUST-54). An ICMP error is
 * believed only if the sequence number that it quotes is in flight (RFC 5927 4.1); in a
 * synchronized state it never aborts a connection (6), but is kept and told if the connection then
 * times out.
 */
import { Errno } from "../abi/errno";
import { IpProto, Prc } from "../abi/proto";
import { TcpState } from "../abi/tcp";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import * as ip_mtu from "../inet/ip_mtu";
import { CtlQuote } from "../inet/pkt_t";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import { N } from "../sys/net_settings";
import { Tfo } from "./fastopen_t";
import { INFO } from "./info";
import * as mtu_probe from "./mtu_probe";
import * as output from "./output";
import * as seq from "./seq";
import { T } from "./settings";
import * as subr from "./subr";
import * as syncache from "./syncache";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";

/** pr_ctlinput of protosw.ts. */
export function ctlinput(cmd: i32, quote: usize): void {
  const q = changetype<CtlQuote>(quote);
  if (!q) return;
  if (cmd == Prc.IFDOWN) return addressGone(q.laddr);
  if (q.protocol != IpProto.TCP) return;
  const inp = in_pcb.lookup(INFO, q.laddr, q.lport, q.faddr, q.fport, false);
  if (!inp) {
    halfOpen(cmd, q);
    return;
  }
  const tp = tcb.ofInp(inp);
  if (!tp || tp.state < TcpState.SYN_SENT) return;
  const first = tp.tfo & Tfo.PENDING ? tp.iss : tp.snd_una;
  if (!seq.ge(q.seq, first) || !seq.lt(q.seq, tp.snd_nxt)) return; // RFC 5927 4.1
  if (cmd == Prc.MSGSIZE) {
    pathMtu(tp, q);
    return;
  }
  const errno = in_pcb.ctlErrno(cmd);
  if (errno) notify(tp, cmd, errno);
}

/** Our address has been taken away: its connections can never hear from their peers again. */
function addressGone(laddr: usize): void {
  let inp = INFO.first;
  while (inp) {
    const next = inp.list_next;
    if (sockaddr_ops.eq(laddr, in_pcb.laddrOf(inp))) {
      const tp = tcb.ofInp(inp);
      if (tp && tp.state >= TcpState.SYN_SENT) subr.drop(tp, Errno.ENETRESET);
    }
    inp = next;
  }
}

/** RFC 9293 MUST-56: hard errors end an attempt; a connection takes all of them as soft. */
function notify(tp: Tcb, cmd: i32, errno: i32): void {
  const taken = (tp.tfo & Tfo.PENDING) != 0 && !tp.inp.so.head; // accepted before it stands
  if (tp.state >= TcpState.ESTABLISHED || taken) {
    tp.soft_error = errno;
    return;
  }
  const hard = T.icmp_may_rst && (cmd == Prc.UNREACH_PROTOCOL || cmd == Prc.UNREACH_PORT);
  // the neighbour does not answer, and we asked ourselves: no need to wait for more
  if (hard || cmd == Prc.HOSTDEAD) subr.drop(tp, errno);
  else if (tp.soft_error && tp.tries >= 2) subr.drop(tp, errno);
  else tp.soft_error = errno;
}

/** An error about our SYN-ACK: the half-open connection is given up. */
function halfOpen(cmd: i32, q: CtlQuote): void {
  const h = syncache.find(q.laddr, q.lport, q.faddr, q.fport);
  if (h && h.iss == q.seq && cmd != Prc.MSGSIZE && in_pcb.ctlErrno(cmd)) syncache.remove(h);
}

/**
 * RFC 1191 6.3: the path takes smaller packets; what is in flight is sent again in those. With
 * T.icmp_mtu_check a message that says less than what has got through already is kept until the
 * segment it is about times out: only then is it likely to be true (RFC 5927 7.2). One about a
 * segment that was not too large is false.
 */
function pathMtu(tp: Tcb, q: CtlQuote): void {
  const mtu = max<u32>(q.mtu, N.pmtu_min);
  if (mtu >= in_output.mtu(tp.inp)) return; // such a message never raises it
  if (T.icmp_mtu_check && !mtu_probe.isLarger(tp, q.seq, mtu)) return; // RFC 5927 7.2
  if (tp.state < TcpState.ESTABLISHED) {
    ip_mtu.lower(sockaddr_ops.get4(q.faddr), mtu);
  } else if (T.icmp_mtu_check && mtu < mtu_probe.arrived(tp)) {
    tp.icmp_mtu = u16(mtu);
    tp.icmp_seq = q.seq;
  } else {
    mtu_probe.narrower(tp, mtu);
    output.output(tp);
  }
}
