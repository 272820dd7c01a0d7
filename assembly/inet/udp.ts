/**
 * UDP's rows of the protocol switch: user requests and control input (RFC 768, RFC 1122 4.1).
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto, Pr, Prc, Pru } from "../abi/proto";
import { Af, Pmtud, Sock } from "../abi/socket";
import * as domain from "../protocol/domain";
import * as so_event from "../socket/so_event";
import { SockAddr } from "../socket/sockaddr";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import { Socket } from "../socket/socket_t";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as hash from "./in_pcb_hash";
import * as in_pcb from "./in_pcb";
import { Inpcb } from "./in_pcb_t";
import * as ip_ctloutput from "./ip_ctloutput";
import * as ip_mtu from "./ip_mtu";
import * as pcb_usrreq from "./pcb_usrreq";
import { CtlQuote } from "./pkt_t";
import * as udp_input from "./udp_input";
import * as udp_output from "./udp_output";
import { INFO } from "./udp_pcb";

/**
 * Makes the tables, for about `sockets` sockets, and adds the row for SOCK_DGRAM to domain
 * AF_INET. ENOBUFS without memory, EINVAL when the domain is not configured or has UDP.
 */
export function register(sockets: u32): i32 {
  if (!in_pcb.initInfo(INFO, IpProto.UDP, sockets)) return -Errno.ENOBUFS;
  const row = domain.addRow(Af.INET, Sock.DGRAM, IpProto.UDP, Pr.ATOMIC | Pr.ADDR);
  if (!row) return -Errno.EINVAL;
  row.input = udp_input.input.index;
  row.ctlinput = ctlinput.index;
  row.ctloutput = ip_ctloutput.entry.index;
  row.usrreq = usrreq.index;
  return 0;
}

/** User requests; see Protosw. */
export function usrreq(so: usize, req: i32, m: usize, nam: usize, _arg: i32): i32 {
  const socket = changetype<Socket>(so);
  const inp = changetype<Inpcb>(socket.pcb);
  const name = changetype<SockAddr>(nam);
  if (req == Pru.SEND && inp) return udp_output.output(inp, changetype<Mbuf>(m), name);
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.ATTACH) return pcb_usrreq.attach(socket, INFO);
  if (!inp) return -Errno.EINVAL;
  if (req == Pru.BIND) return in_pcb.bind(inp, name);
  return req == Pru.CONNECT ? connect(inp, name) : pcb_usrreq.request(socket, inp, req, name);
}

/** PRU_CONNECT: sends to, and takes datagrams from, one peer only. */
function connect(inp: Inpcb, nam: SockAddr): i32 {
  const error = in_pcb.connect(inp, nam);
  if (error < 0) return error;
  so_event.isConnected(inp.so);
  return 0;
}

/**
 * Control input: an ICMP error about a datagram that a connected socket sent becomes the error of
 * that socket (RFC 1122 4.1.3.3). One without a peer is told nothing: it would not know of which.
 * One that forbids fragmentation teaches us the MTU of the path (RFC 1191 6.5).
 */
export function ctlinput(cmd: i32, quote: usize): void {
  const errno = in_pcb.ctlErrno(cmd);
  if (!errno || !quote) return;
  const q = changetype<CtlQuote>(quote);
  if (<u32> q.protocol != IpProto.UDP) return;
  const inp = hash.connected(INFO, q.laddr, q.lport, q.faddr, q.fport);
  if (inp && cmd == Prc.MSGSIZE && inp.pmtud != Pmtud.DONT) {
    ip_mtu.lower(sockaddr_ops.get4(q.faddr), max<u32>(q.mtu, N.pmtu_min));
  }
  if (inp && inp.so) so_event.error(inp.so, errno);
}
