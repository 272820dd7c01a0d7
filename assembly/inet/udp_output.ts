/**
 * UDP output (RFC 768): header, checksum, and off to IP.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { Stat } from "../abi/stat";
import { Rtentry } from "../net/route_t";
import { SockAddr } from "../socket/sockaddr";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as mbuf from "../sys/mbuf";
import * as mbuf_ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as udp from "../wire/udp";
import * as in_cksum from "./in_cksum";
import * as in_output from "./in_output";
import * as in_pcb from "./in_pcb";
import { faddrOf, laddrOf } from "./in_pcb_hash";
import { Inpcb } from "./in_pcb_t";

/** Both ends of a datagram from a socket without a peer, 16 bytes each. */
const LADDR: usize = memory.data(16, 16);
const FADDR: usize = memory.data(16, 16);

/**
 * Sends the data m, a packet with room for headers, to nam, or to the peer if nam is nil; owns m. A
 * socket without a port gets one. EMSGSIZE: more than 65507 bytes; EADDRNOTAVAIL: port 0 or no
 * port left; EAFNOSUPPORT; EACCES: broadcast without SO_BROADCAST; ENOBUFS; errors of routing.
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
  const h = m.data;
  udp.fill(h, inp.lport, nam ? nam.port : inp.fport, len);
  const acc = in_cksum.pseudo(laddr, faddr, IpProto.UDP, len);
  udp.setSum(h, checksum.finish(checksum.chain(m, 0, len, acc)));
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
  if (sent >= 0) stat.inc(Stat.UDP_OUT);
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
