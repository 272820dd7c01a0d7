/** User requests and control input of UDP-Lite: those of UDP (RFC 3828 2, RFC 1122 4.1). */
import { Errno } from "../../../assembly/abi/errno";
import { Prc, Pru } from "../../../assembly/abi/proto";
import { Pmtud } from "../../../assembly/abi/socket";
import * as in_pcb from "../../../assembly/inet/in_pcb";
import * as in_pcb_hash from "../../../assembly/inet/in_pcb_hash";
import { Inpcb } from "../../../assembly/inet/in_pcb_t";
import * as ip_mtu from "../../../assembly/inet/ip_mtu";
import * as pcb_usrreq from "../../../assembly/inet/pcb_usrreq";
import { CtlQuote } from "../../../assembly/inet/pkt_t";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockaddr_ops from "../../../assembly/socket/sockaddr_ops";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import { N } from "../../../assembly/sys/net_settings";
import * as output from "./output";
import { INFO, PROTOCOL } from "./pcb";

/** User requests; see Protosw. */
export function usrreq(so: usize, req: i32, m: usize, nam: usize, _arg: i32): i32 {
  const socket = changetype<Socket>(so);
  const inp = changetype<Inpcb>(socket.pcb);
  const name = changetype<SockAddr>(nam);
  if (req == Pru.SEND && inp) return output.output(inp, changetype<Mbuf>(m), name);
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.ATTACH) return pcb_usrreq.attach(socket, INFO);
  if (!inp) return -Errno.EINVAL;
  if (req == Pru.BIND) return in_pcb.bind(inp, name);
  if (req != Pru.CONNECT) return pcb_usrreq.request(socket, inp, req, name);
  const error = in_pcb.connect(inp, name);
  if (error == 0) so_event.isConnected(socket);
  return error;
}

/**
 * Control input: an ICMP error about a datagram that a connected socket sent becomes the error of
 * that socket (RFC 1122 4.1.3.3), or teaches the MTU of the path (RFC 1191 6.5).
 */
export function ctlinput(cmd: i32, quote: usize): void {
  const errno = in_pcb.ctlErrno(cmd);
  if (!errno || !quote) return;
  const q = changetype<CtlQuote>(quote);
  if (<u32> q.protocol != PROTOCOL) return;
  const inp = in_pcb_hash.connected(INFO, q.laddr, q.lport, q.faddr, q.fport);
  if (!inp) return;
  if (cmd == Prc.MSGSIZE && inp.pmtud != Pmtud.DONT) {
    ip_mtu.lower(sockaddr_ops.get4(q.faddr), max<u32>(q.mtu, N.pmtu_min));
  }
  if (inp.so) so_event.error(inp.so, errno);
}
