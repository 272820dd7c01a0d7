/** Sends: into the receive buffer of the other end. */
import { Errno } from "../../../assembly/abi/errno";
import { Mt } from "../../../assembly/abi/mbuf";
import { Pr } from "../../../assembly/abi/proto";
import { Ss } from "../../../assembly/abi/socket";
import { path } from "../../../assembly/socket/so_local";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import * as address from "./address";
import { S } from "./pcb";
import { UnixPcb } from "./pcb_t";
import * as held from "./held";
import * as rights from "./rights";
import * as room from "./room";

/** PRU_SEND; owns m. */
export function send(pcb: UnixPcb, m: Mbuf, nam: SockAddr): i32 {
  const flags = pcb.so.proto.flags;
  const error = flags & Pr.ATOMIC ? message(pcb, m, nam) : piece(pcb, m);
  if (error < 0) mbuf.freem(m);
  return error;
}

/** A piece of a stream; the socket layer has asked how much there is room for. */
function piece(pcb: UnixPcb, m: Mbuf): i32 {
  if (!m) return 0; // told that there is no more room
  const peer = pcb.peer;
  if (!peer) return -Errno.ENOTCONN;
  if (peer.so.state & Ss.CANTRCVMORE) return -Errno.EPIPE;
  const sockets = rights.attach(peer, pcb);
  if (sockets < 0) return sockets;
  S.messages += 1;
  held.add(peer, m, sockets > 0);
  return 0;
}

/** A message, to an address or the peer. */
function message(pcb: UnixPcb, m: Mbuf, nam: SockAddr): i32 {
  let to = pcb.peer;
  if (nam) {
    const error = address.find(nam, pcb.so.type);
    if (error < 0) return error;
    to = address.found();
  }
  if (!to) return -Errno.ENOTCONN;
  if (to.peer && to.peer != pcb) return -Errno.EPERM; // it hears only its peer
  if (to.so.state & Ss.CANTRCVMORE) return -Errno.EPIPE;
  if (m.pktlen > to.so.rcv.hiwat) return -Errno.EMSGSIZE;
  if (!room.fits(to, m.pktlen)) {
    room.block(pcb, to, m.pktlen);
    return -Errno.EAGAIN;
  }
  room.release(pcb);
  return deliver(pcb, to, m);
}

/** Appends a message as a record, with the sender's name for a datagram. */
function deliver(pcb: UnixPcb, to: UnixPcb, m: Mbuf): i32 {
  let record = m;
  if (pcb.so.proto.flags & Pr.ADDR) {
    const name = mbuf.get(Mt.SONAME);
    if (!name) return -Errno.ENOBUFS;
    address.fill(changetype<SockAddr>(name.data), pcb.name);
    name.len = u32(offsetof<SockAddr>());
    if (pcb.name) {
      memory.copy(name.data + name.len, path(), pcb.name.len);
      name.len += pcb.name.len;
    }
    name.next = m;
    record = name;
  }
  const error = rights.attach(to, pcb);
  if (error < 0) {
    if (record != m) mbuf.free(record);
    return error;
  }
  sockbuf.appendRecord(to.so.rcv, record);
  to.came += 1;
  S.messages += 1;
  so_event.rwakeup(to.so);
  return 0;
}
