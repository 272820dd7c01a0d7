/** Connections between local sockets, and their ends. */
import { Errno } from "../../../assembly/abi/errno";
import { Pr } from "../../../assembly/abi/proto";
import { So, Ss } from "../../../assembly/abi/socket";
import * as so_event from "../../../assembly/socket/so_event";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as address from "./address";
import { collect } from "./gc";
import * as held from "./held";
import * as names from "./names";
import { free, pcbOf, S } from "./pcb";
import { UnixPcb } from "./pcb_t";
import * as rights from "./rights";
import * as room from "./room";

/**
 * PRU_CONNECT. A stream is connected at once, with a socket that waits to be accepted.
 * ECONNREFUSED: nobody listens there, or the backlog is full; ENOENT, EPROTOTYPE.
 */
export function connect(pcb: UnixPcb, nam: SockAddr): i32 {
  const error = address.find(nam, pcb.so.type);
  if (error < 0) return error;
  const to = address.found();
  if (!(pcb.so.proto.flags & Pr.CONNREQUIRED)) {
    if (to.peer && to.peer != pcb) return -Errno.EPERM;
    setPeer(pcb, to);
    room.release(pcb); // whoever waits for room with another one goes on with this one
    so_event.wwakeup(pcb.so);
    so_event.isConnected(pcb.so);
    return 0;
  }
  if (pcb.known) return -Errno.EISCONN; // it had a connection
  if (!(to.so.options & So.ACCEPTCONN)) return -Errno.ECONNREFUSED;
  const so = so_event.newconn(to.so, Ss.ISCONNECTED);
  if (!so) return -Errno.ECONNREFUSED;
  const child = pcbOf(so);
  child.pid = to.pid;
  child.uid = to.uid;
  child.gid = to.gid;
  child.creds = to.creds;
  child.name = names.ref(to.name);
  setPeer(child, pcb);
  setPeer(pcb, child);
  so_event.isConnected(pcb.so);
  return 0;
}

/** PRU_CONNECT2: socketpair. */
export function join(a: UnixPcb, b: UnixPcb): i32 {
  if (!b || a.so.proto != b.so.proto) return -Errno.EPROTOTYPE;
  setPeer(a, b);
  setPeer(b, a);
  so_event.isConnected(a.so);
  so_event.isConnected(b.so);
  return 0;
}

function setPeer(pcb: UnixPcb, peer: UnixPcb): void {
  pcb.peer = peer;
  const old = pcb.peer_name;
  pcb.peer_name = names.ref(peer.name);
  names.unref(old);
  pcb.peer_pid = peer.pid;
  pcb.peer_uid = peer.uid;
  pcb.peer_gid = peer.gid;
  pcb.known = true;
}

/**
 * Ends the connection; a datagram socket has no peer any more. The other end of a stream reads what
 * is there, then its end; with an error it gets that.
 */
export function disconnect(pcb: UnixPcb, error: i32): void {
  const peer = pcb.peer;
  pcb.peer = changetype<UnixPcb>(0);
  if (!(pcb.so.proto.flags & Pr.CONNREQUIRED)) {
    pcb.so.state &= ~u32(Ss.ISCONNECTED);
    return;
  }
  if (peer) {
    peer.peer = changetype<UnixPcb>(0);
    if (error) so_event.error(peer.so, error);
    so_event.isDisconnected(peer.so);
  }
  so_event.isDisconnected(pcb.so);
}

/**
 * Lets go of a socket. What was sent to it and not read is lost: the other end of a connection
 * learns that by ECONNRESET, as those do who had a datagram socket for their peer.
 */
export function close(pcb: UnixPcb, error: i32): void {
  const so = pcb.so;
  const unread = so.rcv.mb ? Errno.ECONNRESET : error;
  if (so.proto.flags & Pr.CONNREQUIRED) disconnect(pcb, unread);
  else {
    for (let one = S.first; one; one = one.next) {
      if (one.peer != pcb || one == pcb) continue;
      one.peer = changetype<UnixPcb>(0);
      one.so.state &= ~u32(Ss.ISCONNECTED);
      so_event.error(one.so, Errno.ECONNRESET);
    }
  }
  room.release(pcb);
  room.freed(pcb, true);
  held.drop(pcb);
  rights.flush(pcb);
  const name = pcb.name;
  if (name) {
    if (name.owner == pcb) {
      name.owner = changetype<UnixPcb>(0);
      if (names.isAbstract(name)) names.unlink(name);
    }
    names.unref(name);
  }
  names.unref(pcb.peer_name);
  free(pcb);
  rights.settle();
  collect();
}
