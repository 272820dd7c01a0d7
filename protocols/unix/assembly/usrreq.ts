/** User requests of local sockets. */
import { Errno } from "../../../assembly/abi/errno";
import { Pr, Pru } from "../../../assembly/abi/proto";
import { Sb, So, Ss } from "../../../assembly/abi/socket";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import { N } from "../../../assembly/sys/net_settings";
import * as address from "./address";
import { close, connect, disconnect, join } from "./connect";
import { collect } from "./gc";
import { alloc, pcbOf, S } from "./pcb";
import { UnixPcb } from "./pcb_t";
import * as held from "./held";
import * as rights from "./rights";
import * as room from "./room";
import * as send from "./send";

/** User requests; see Protosw. */
export function usrreq(so: usize, req: i32, m: usize, nam: usize, arg: i32): i32 {
  const socket = changetype<Socket>(so);
  const pcb = pcbOf(socket);
  if (req == Pru.SEND && pcb) {
    return send.send(pcb, changetype<Mbuf>(m), changetype<SockAddr>(nam));
  }
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.ATTACH) return attach(socket, arg);
  if (!pcb) return -Errno.EINVAL;
  if (req == Pru.SPACE) return room.space(pcb, arg != 0);
  if (req == Pru.RCVD) return received(pcb, arg);
  return other(pcb, req, changetype<SockAddr>(nam), nam);
}

function other(pcb: UnixPcb, req: i32, name: SockAddr, nam: usize): i32 {
  const so = pcb.so;
  switch (req) {
    case Pru.BIND:
      return address.bind(pcb, name);
    case Pru.LISTEN:
      return pcb.name && !pcb.known ? 0 : -Errno.EINVAL;
    case Pru.CONNECT:
      return connect(pcb, name);
    case Pru.CONNECT2:
      return join(pcb, pcbOf(changetype<Socket>(nam)));
    case Pru.DISCONNECT:
      disconnect(pcb, so.rcv.mb ? Errno.ECONNRESET : 0);
      return 0;
    case Pru.SHUTDOWN:
      so_event.cantSendMore(so);
      if (pcb.peer && so.proto.flags & Pr.CONNREQUIRED) so_event.cantRcvMore(pcb.peer.so);
      return 0;
    case Pru.ABORT:
      close(pcb, Errno.ECONNRESET);
      so_event.isDisconnected(so);
      return 0;
    case Pru.DETACH:
      close(pcb, 0);
      return 0;
    case Pru.UNREF:
      collect();
      return 0;
    case Pru.SOCKADDR:
      address.fill(name, pcb.name);
      return 0;
    case Pru.ACCEPT:
    case Pru.PEERADDR:
      address.fill(name, pcb.peer && pcb.peer.name ? pcb.peer.name : pcb.peer_name);
      return 0;
    case Pru.SENSE:
      return 0;
    default:
      return -Errno.EOPNOTSUPP;
  }
}

/** PRU_ATTACH: the buffers are those of UDP. There is one protocol of each type. */
function attach(so: Socket, arg: i32): i32 {
  if (arg) return -Errno.EPROTONOSUPPORT;
  if (!alloc(so)) return -Errno.ENOBUFS;
  if (!so.rcv.hiwat) {
    sockbuf.reserve(so.rcv, N.rcvbuf);
    sockbuf.reserve(so.snd, N.sndbuf);
  }
  so.snd.flags |= Sb.LOWAT_UNSENT; // see room.ts
  so.options &= ~u32(So.ACCEPTCONN);
  return 0;
}

/**
 * PRU_RCVD, below 0 if all was thrown away: what came along with what was taken is the user's, and
 * there is room.
 */
function received(pcb: UnixPcb, arg: i32): i32 {
  const rcv = pcb.so.rcv;
  if (pcb.so.proto.flags & Pr.ATOMIC) {
    pcb.taken = rcv.mb ? pcb.taken + 1 : pcb.came;
    rights.arrive(pcb, pcb.taken);
  } else {
    if (arg < 0) held.drop(pcb);
    rights.arrive(pcb, pcb.came - pcb.held_len - rcv.cc);
    if (held.isStopped(pcb) && !rcv.cc) held.show(pcb);
  }
  if (S.look) collect();
  // a stream that is shut for reading takes nothing any more
  const peer = pcb.peer;
  const shut = pcb.so.state & Ss.CANTRCVMORE && pcb.so.proto.flags & Pr.CONNREQUIRED;
  if (shut && peer && !(peer.so.state & Ss.CANTSENDMORE)) so_event.cantSendMore(peer.so);
  room.freed(pcb, false);
  return 0;
}
