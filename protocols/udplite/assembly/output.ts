/** UDP-Lite output (RFC 3828 3): header, checksum over what the socket says, and off to IP. */
import { Errno } from "../../../assembly/abi/errno";
import * as in_cksum from "../../../assembly/inet/in_cksum";
import * as in_output from "../../../assembly/inet/in_output";
import * as in_pcb from "../../../assembly/inet/in_pcb";
import { faddrOf, laddrOf } from "../../../assembly/inet/in_pcb_hash";
import { Inpcb } from "../../../assembly/inet/in_pcb_t";
import { Rtentry } from "../../../assembly/net/route_t";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockaddr_ops from "../../../assembly/socket/sockaddr_ops";
import * as mbuf from "../../../assembly/sys/mbuf";
import * as mbuf_ops from "../../../assembly/sys/mbuf_ops";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as checksum from "../../../assembly/wire/checksum";
import * as udp from "../../../assembly/wire/udp";
import { PROTOCOL, S, sendCoverage } from "./pcb";

/** Both ends of a datagram from a socket without a peer, 16 bytes each. */
const LADDR: usize = memory.data(16, 16);
const FADDR: usize = memory.data(16, 16);

/**
 * Sends the data m, a packet with room for headers, to nam, or to the peer if nam is nil; owns m.
 * Errors are those of UDP.
 */
export function output(inp: Inpcb, m: Mbuf, nam: SockAddr): i32 {
  const error = m.pktlen > udp.DATA_MAX ? -Errno.EMSGSIZE : prepare(inp, nam);
  if (error < 0) {
    mbuf.freem(m);
    return error;
  }
  const len = m.pktlen + udp.HLEN;
  const laddr = nam ? LADDR : laddrOf(inp);
  const faddr = nam ? FADDR : faddrOf(inp);
  m = mbuf_ops.prepend(m, udp.HLEN);
  if (!m) return -Errno.ENOBUFS;
  const wanted = sendCoverage(inp);
  // A coverage beyond the end means all, which is written as 0: it never is wrong (RFC 3828 3.1).
  const part = wanted != 0 && wanted < len;
  const h = m.data;
  udp.fill(h, inp.lport, nam ? nam.port : inp.fport, part ? wanted : 0);
  const acc = in_cksum.pseudo(laddr, faddr, PROTOCOL, len);
  udp.setSum(h, checksum.finish(checksum.chain(m, 0, part ? wanted : len, acc)));
  const sent = nam
    ? in_output.send4(
      m,
      inp,
      sockaddr_ops.get4(laddr),
      sockaddr_ops.get4(faddr),
      changetype<Rtentry>(0),
      0,
    )
    : in_output.send(m, inp, 0);
  if (sent >= 0) S.out += 1;
  return sent;
}

/** Sees that the socket has a port and, for a destination of its own, fills in both addresses. */
function prepare(inp: Inpcb, nam: SockAddr): i32 {
  if (!nam) return inp.conn_hashed ? 0 : -Errno.EDESTADDRREQ;
  let error = in_pcb.checkPeer(inp.so, nam, true, FADDR);
  if (error < 0) return error;
  const laddr = laddrOf(inp);
  const own = sockaddr_ops.is4(laddr) ? sockaddr_ops.get4(laddr) : 0;
  // A socket bound to a group or to broadcast sends from the interface's address.
  if (own && !sockaddr_ops.isGroup4(own) && !in_pcb.isBroadcast(own)) {
    sockaddr_ops.copy(LADDR, laddr);
  } else {
    error = in_pcb.source4(inp, sockaddr_ops.get4(FADDR), LADDR);
    if (error < 0) return error;
  }
  return inp.lport ? 0 : in_pcb.choosePort(inp);
}
