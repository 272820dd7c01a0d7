/** User requests of packet sockets. */
import { Errno } from "../../../assembly/abi/errno";
import { EthP } from "../../../assembly/abi/packet";
import { Pru } from "../../../assembly/abi/proto";
import { Af, Sock, Ss } from "../../../assembly/abi/socket";
import * as if_list from "../../../assembly/net/if_list";
import * as if_tap from "../../../assembly/net/if_tap";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import { N } from "../../../assembly/sys/net_settings";
import * as addr from "./addr";
import * as input from "./input";
import * as output from "./output";
import { alloc, boundTo, free, PacketPcb, S } from "./pcb";

/** User requests; see Protosw. */
export function usrreq(so: usize, req: i32, m: usize, nam: usize, arg: i32): i32 {
  const socket = changetype<Socket>(so);
  const pcb = changetype<PacketPcb>(socket.pcb);
  const name = changetype<SockAddr>(nam);
  if (req == Pru.SEND && pcb && (!name || name.family == u16(Af.NDD))) {
    return output.output(pcb, changetype<Mbuf>(m), name);
  }
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.SEND) return pcb ? -Errno.EAFNOSUPPORT : -Errno.EINVAL;
  if (req == Pru.ATTACH) return attach(socket, arg);
  if (!pcb) return -Errno.EINVAL;
  switch (req) {
    case Pru.BIND:
      return bind(pcb, name);
    case Pru.CONNECT:
      return connect(pcb, name);
    case Pru.DISCONNECT:
      socket.state &= ~u32(Ss.ISCONNECTED);
      return 0;
    case Pru.DETACH:
      detach(pcb);
      return 0;
    case Pru.ABORT:
      detach(pcb);
      so_event.isDisconnected(socket);
      return 0;
    case Pru.SHUTDOWN:
      so_event.cantSendMore(socket);
      return 0;
    case Pru.SOCKADDR:
      return sockaddr(pcb, name);
    case Pru.PEERADDR:
      return peeraddr(pcb, name);
    case Pru.SENSE:
      return 0;
    default:
      return -Errno.EOPNOTSUPP;
  }
}

/** PRU_ATTACH; arg is the ethertype to take, in host order. */
function attach(so: Socket, arg: i32): i32 {
  if (so.pcb) return -Errno.EINVAL;
  if (arg < 0 || arg > 0xffff) return -Errno.EPROTONOSUPPORT;
  const pcb = alloc(so);
  if (!pcb) return -Errno.ENOBUFS;
  const error = if_tap.set(input.tap.index);
  if (error < 0) {
    free(pcb);
    return error;
  }
  sockbuf.reserve(so.snd, N.sndbuf);
  sockbuf.reserve(so.rcv, N.rcvbuf);
  pcb.protocol = u32(arg);
  pcb.cooked = so.type == u16(Sock.DGRAM);
  return 0;
}

/** The last socket takes the tap away: then frames cost nothing. */
function detach(pcb: PacketPcb): void {
  free(pcb);
  if (!S.first) if_tap.set(0);
}

/** PRU_BIND: to an interface (0: every one) and an ethertype (0: as it was). ENXIO. */
function bind(pcb: PacketPcb, nam: SockAddr): i32 {
  if (!nam) return -Errno.EINVAL;
  if (nam.family != u16(Af.NDD)) return -Errno.EAFNOSUPPORT;
  const ifp = if_list.byIndex(nam.scope);
  if (nam.scope && !ifp) return -Errno.ENXIO;
  pcb.ifindex = nam.scope;
  pcb.attached = ifp ? ifp.attached : 0;
  if (nam.port != u16(EthP.NONE)) pcb.protocol = nam.port;
  return 0;
}

/** PRU_CONNECT: where `send` without an address goes; what is received stays the same. */
function connect(pcb: PacketPcb, nam: SockAddr): i32 {
  if (nam.family != u16(Af.NDD)) return -Errno.EAFNOSUPPORT;
  if (!(nam.scope ? if_list.byIndex(nam.scope) : boundTo(pcb))) return -Errno.ENXIO;
  pcb.peer_ifindex = nam.scope;
  pcb.peer_type = nam.port;
  pcb.peer_hi = addr.hi(nam);
  pcb.peer_lo = addr.lo(nam);
  pcb.peer_halen = u8(addr.halen(nam));
  so_event.isConnected(pcb.so);
  return 0;
}

function sockaddr(pcb: PacketPcb, nam: SockAddr): i32 {
  const ifp = boundTo(pcb);
  const hi = ifp ? ifp.hwaddr_hi : 0;
  const lo = ifp ? ifp.hwaddr_lo : 0;
  addr.fill(nam, pcb.ifindex, pcb.protocol, hi, lo, ifp && ifp.hdrlen ? 6 : 0);
  return 0;
}

function peeraddr(pcb: PacketPcb, nam: SockAddr): i32 {
  if (!(pcb.so.state & Ss.ISCONNECTED)) return -Errno.ENOTCONN;
  addr.fill(nam, pcb.peer_ifindex, pcb.peer_type, pcb.peer_hi, pcb.peer_lo, pcb.peer_halen);
  return 0;
}
