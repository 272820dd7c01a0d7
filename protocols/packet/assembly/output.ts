/** Sends the frames of packet sockets. */
import { Errno } from "../../../assembly/abi/errno";
import { Medium } from "../../../assembly/abi/ifnet";
import { Mf } from "../../../assembly/abi/mbuf";
import { EthP } from "../../../assembly/abi/packet";
import * as if_list from "../../../assembly/net/if_list";
import * as if_queue from "../../../assembly/net/if_queue";
import { Ifnet } from "../../../assembly/net/ifnet_t";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as mbuf from "../../../assembly/sys/mbuf";
import * as mbuf_ops from "../../../assembly/sys/mbuf_ops";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as ether from "../../../assembly/wire/ether";
import * as addr from "./addr";
import { boundTo, PacketPcb, S } from "./pcb";

/** Where the peer of a connected socket stands while it is sent to. */
const PEER: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));

/**
 * Sends m to nam, or to the peer if nam is nil; owns m. ENXIO: no such interface; EMSGSIZE: more
 * than it takes; EINVAL: less than a link header, or an address or type that is needed and missing;
 * ENETDOWN, ENOBUFS.
 */
export function output(pcb: PacketPcb, m: Mbuf, nam: SockAddr): i32 {
  if (!nam) {
    const halen: u32 = pcb.peer_halen;
    addr.fill(PEER, pcb.peer_ifindex, pcb.peer_type, pcb.peer_hi, pcb.peer_lo, halen);
    nam = PEER;
  }
  const ifp = nam.scope ? if_list.byIndex(nam.scope) : boundTo(pcb);
  if (!ifp) return refuse(m, -Errno.ENXIO);
  if (m.pktlen > ifp.mtu + (pcb.cooked ? 0 : ifp.hdrlen)) return refuse(m, -Errno.EMSGSIZE);
  if (pcb.cooked && ifp.medium == Medium.ETHERNET) return cooked(pcb, ifp, m, nam);
  if (m.pktlen < max<u32>(ifp.hdrlen, 1)) return refuse(m, -Errno.EINVAL);
  return enqueue(pcb, ifp, m);
}

/** Puts a link header in front. */
function cooked(pcb: PacketPcb, ifp: Ifnet, m: Mbuf, nam: SockAddr): i32 {
  const type: u32 = nam.port ? nam.port : pcb.protocol;
  if (type <= u32(EthP.LLC) || addr.halen(nam) != 6) return refuse(m, -Errno.EINVAL);
  m = mbuf_ops.prepend(m, ether.HEADER);
  if (!m) return -Errno.ENOBUFS;
  ether.put(m.data, addr.hi(nam), addr.lo(nam), ifp.hwaddr_hi, ifp.hwaddr_lo, type);
  return enqueue(pcb, ifp, m);
}

/** Queues a frame, marked with the socket that sends it. */
function enqueue(pcb: PacketPcb, ifp: Ifnet, m: Mbuf): i32 {
  if (m.next && !ifp.slots) m = mbuf_ops.linear(m);
  if (!m) return -Errno.ENOBUFS;
  if (ifp.medium == Medium.ETHERNET && m.len >= ether.HEADER) {
    const hi = ether.dstHi(m.data);
    if (ether.isBroadcast(hi, ether.dstLo(m.data))) m.flags |= u16(Mf.BCAST);
    else if (ether.isGroup(hi)) m.flags |= u16(Mf.MCAST);
  }
  m.rcvif = 0;
  m.l3off = u16(pcb.id);
  const error = if_queue.enqueue(ifp, m);
  if (error == 0) S.sent += 1;
  return error;
}

function refuse(m: Mbuf, error: i32): i32 {
  mbuf.freem(m);
  return error;
}
