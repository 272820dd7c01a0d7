/**
 * The socket layer's downward half, without data: the routines behind socket, bind, listen, accept,
 * connect, shutdown and close (BSD's uipc_socket). They never wait. Errors are -Errno. A protocol
 * is reached only through its row of the protocol switch.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Pr, Pru } from "../abi/proto";
import { Af, Msg, Shut, So, Sock, Ss } from "../abi/socket";
import * as domain from "../protocol/domain";
import { N } from "../sys/net_settings";
import * as so_event from "./so_event";
import { free } from "./so_event";
import * as so_pool from "./so_pool";
import * as so_queue from "./so_queue";
import { SockAddr } from "./sockaddr";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

const PENDING: u32 = Ss.ISCONNECTED | Ss.ISCONNECTING | Ss.ISDISCONNECTING;

export { free } from "./so_event";

/** Makes room for `limit` sockets; called once at boot. False when the memory is too small. */
export function init(limit: u32): bool {
  return so_pool.init(limit);
}

/** Asks the protocol of a socket; Pru. The protocol frees m, the caller keeps nam. */
export function request(so: Socket, req: i32, m: usize, nam: usize, arg: i32): i32 {
  return call_indirect<i32>(so.proto.usrreq, changetype<usize>(so), req, m, nam, arg);
}

/** Takes the pending error: 0 or -Errno. */
export function takeError(so: Socket): i32 {
  const error = so.error;
  so.error = 0;
  return -error;
}

/**
 * Makes a socket; answers its address. EPFNOSUPPORT: the family is not configured;
 * ESOCKTNOSUPPORT: no such type, or the family has no protocol of it; EPROTOTYPE: the protocol has
 * another type; EPROTONOSUPPORT: no such protocol; ENOBUFS: no room for another socket.
 */
export function create(family: i32, type: i32, protocol: i32): i32 {
  if (family <= Af.UNSPEC || !domain.ofFamily(family)) return -Errno.EPFNOSUPPORT;
  if (type < Sock.STREAM || type > Sock.CONN_DGRAM) return -Errno.ESOCKTNOSUPPORT;
  if (protocol < 0 || protocol > 0xffff) return -Errno.EPROTONOSUPPORT;
  const proto = protocol ? domain.find(family, protocol, type) : domain.findType(family, type);
  if (!proto) {
    if (!protocol) return -Errno.ESOCKTNOSUPPORT;
    return domain.hasProtocol(family, protocol) ? -Errno.EPROTOTYPE : -Errno.EPROTONOSUPPORT;
  }
  const so = so_pool.get();
  if (!so) return -Errno.ENOBUFS;
  so.proto = proto;
  so.type = <u16> type;
  so.family = <u16> family;
  const error = request(so, Pru.ATTACH, 0, 0, protocol);
  if (error < 0) {
    so_pool.put(so);
    return error;
  }
  proto.sockets += 1;
  return <i32> changetype<usize>(so);
}

/** Gives a socket its local address. EINVAL when it has one or its connection is gone. */
export function bind(so: Socket, nam: SockAddr): i32 {
  if (!so.pcb) return -Errno.EINVAL;
  return request(so, Pru.BIND, 0, changetype<usize>(nam), 0);
}

/**
 * Makes a socket accept connections, or changes the backlog of one that does; below 1 counts as 1,
 * beyond the setting somaxconn as that. EOPNOTSUPP for a protocol without connections, EINVAL for a
 * socket that has or had one.
 */
export function listen(so: Socket, backlog: i32): i32 {
  if (!(so.proto.flags & Pr.CONNREQUIRED)) return -Errno.EOPNOTSUPP;
  if (!so.pcb || so.state & PENDING) return -Errno.EINVAL;
  const limit = min<i32>(max<i32>(backlog, 1), i32(N.somaxconn));
  if (!(so.options & So.ACCEPTCONN)) {
    const error = request(so, Pru.LISTEN, 0, 0, limit);
    if (error < 0) return error;
    so.options |= So.ACCEPTCONN;
  }
  so.qlimit = limit;
  return 0;
}

/**
 * Takes a completed connection off a listener's queue: answers its address and fills in its peer at
 * nam, unless that is nil. EWOULDBLOCK when none waits, ECONNABORTED when the peer gave up while it
 * waited, EINVAL when the socket does not listen, EOPNOTSUPP when its protocol cannot.
 */
export function accept(so: Socket, nam: SockAddr): i32 {
  if (!(so.proto.flags & Pr.CONNREQUIRED)) return -Errno.EOPNOTSUPP;
  if (!(so.options & So.ACCEPTCONN)) return -Errno.EINVAL;
  if (so.error) return takeError(so);
  const child = so_queue.takeReady(so);
  if (!child) return so.state & Ss.CANTRCVMORE ? -Errno.ECONNABORTED : -Errno.EAGAIN;
  if (!child.pcb) {
    free(child);
    return -Errno.ECONNABORTED;
  }
  child.state &= ~<u32> Ss.NOFDREF;
  if (nam) {
    const error = request(child, Pru.ACCEPT, 0, changetype<usize>(nam), 0);
    if (error < 0) {
      close(child);
      return error;
    }
  }
  return <i32> changetype<usize>(child);
}

/**
 * Connects, or for messages sets the peer; AF_UNSPEC then takes the peer away. 0 when done, or when
 * the first data is to open it, EINPROGRESS when begun, EALREADY while one is under way, EISCONN,
 * EOPNOTSUPP on a listener; a connection that failed before gives its error here once.
 */
export function connect(so: Socket, nam: SockAddr): i32 {
  if (so.options & So.ACCEPTCONN) return -Errno.EOPNOTSUPP;
  if (so.proto.flags & Pr.CONNREQUIRED) {
    if (so.error) return takeError(so);
    if (so.state & Ss.DEFERRED) return -Errno.EISCONN;
    if (so.state & Ss.ISCONNECTING) return -Errno.EALREADY;
    if (so.state & (Ss.ISCONNECTED | Ss.ISDISCONNECTING)) return -Errno.EISCONN;
  } else {
    // Errors that the former peer caused mean nothing for the new one.
    so.error = 0;
    if (so.state & Ss.ISCONNECTED) {
      const error = request(so, Pru.DISCONNECT, 0, 0, 0);
      if (error < 0) return error;
    }
    if (nam.family == Af.UNSPEC) return 0;
  }
  if (!so.pcb) return -Errno.EINVAL;
  const error = request(so, Pru.CONNECT, 0, changetype<usize>(nam), 0);
  if (error < 0) return error;
  return (so.state & (Ss.ISCONNECTING | Ss.DEFERRED)) == Ss.ISCONNECTING ? -Errno.EINPROGRESS : 0;
}

/**
 * Connects with data to come (MSG_FASTOPEN): 0 when the protocol waits for it, EINPROGRESS when it
 * has begun without; EALREADY, EISCONN and EOPNOTSUPP as for connect.
 */
export function connectWith(so: Socket, nam: SockAddr): i32 {
  if (so.state & Ss.DEFERRED) return 0;
  if (so.options & So.ACCEPTCONN) return -Errno.EOPNOTSUPP;
  if (so.state & Ss.ISCONNECTING) return -Errno.EALREADY;
  if (so.state & (Ss.ISCONNECTED | Ss.ISDISCONNECTING)) return -Errno.EISCONN;
  if (!so.pcb) return -Errno.EINVAL;
  if (!nam) return -Errno.EDESTADDRREQ;
  const error = request(so, Pru.CONNECT, 0, changetype<usize>(nam), Msg.FASTOPEN);
  if (error < 0) return error;
  return so.state & Ss.DEFERRED ? 0 : -Errno.EINPROGRESS;
}

/** Joins two sockets of one domain. EOPNOTSUPP unless their protocol can. */
export function connect2(so: Socket, other: Socket): i32 {
  return request(so, Pru.CONNECT2, 0, changetype<usize>(other), 0);
}

/** Begins an orderly release. ENOTCONN; EALREADY when it has begun. */
export function disconnect(so: Socket): i32 {
  if (!(so.state & Ss.ISCONNECTED)) return -Errno.ENOTCONN;
  if (so.state & Ss.ISDISCONNECTING) return -Errno.EALREADY;
  return request(so, Pru.DISCONNECT, 0, 0, 0);
}

/**
 * Closes a direction of a connection (Shut). RD discards what waits in so_rcv and what still comes;
 * WR has the protocol send its end. EINVAL: no such direction; ENOTCONN: needs a connection.
 */
export function shutdown(so: Socket, how: i32): i32 {
  if (how < Shut.RD || how > Shut.RDWR) return -Errno.EINVAL;
  const open = so.state & (Ss.ISCONNECTED | Ss.OPENING);
  if (so.proto.flags & Pr.CONNREQUIRED && !open) return -Errno.ENOTCONN;
  if (how != Shut.WR) {
    so_event.cantRcvMore(so);
    sockbuf.flush(so.rcv);
    so.oobmark = 0;
    so.state &= ~<u32> Ss.RCVATMARK;
    if (so.proto.flags & Pr.WANTRCVD && so.pcb) request(so, Pru.RCVD, 0, 0, -1);
  }
  return how != Shut.RD && so.pcb ? request(so, Pru.SHUTDOWN, 0, 0, 0) : 0;
}

/**
 * Lets go of a socket: its address means nothing to the caller afterwards. A listener drops the
 * connections on its queues. A connection is released in order, in the background; with SO_LINGER
 * of 0 seconds it is dropped. One that a message holds lives on.
 */
export function close(so: Socket): i32 {
  so.evwant = 0;
  so_event.forget(so);
  if (so.state & Ss.INFLIGHT) {
    return so.proto.flags & Pr.RIGHTS ? request(so, Pru.UNREF, 0, 0, 0) : 0;
  }
  if (so.options & So.ACCEPTCONN) closeQueues(so);
  let error = 0;
  if (so.pcb && so.proto.flags & Pr.CONNREQUIRED) {
    if (so.linger_s == 0 && so.state & PENDING) error = request(so, Pru.ABORT, 0, 0, 0);
    else if ((so.state & (Ss.ISCONNECTED | Ss.ISDISCONNECTING)) == Ss.ISCONNECTED) {
      error = request(so, Pru.DISCONNECT, 0, 0, 0);
    }
  }
  if (so.pcb) {
    const detached = request(so, Pru.DETACH, 0, 0, 0);
    if (error == 0) error = detached;
  }
  so.state |= Ss.NOFDREF;
  free(so);
  return min<i32>(error, 0);
}

/** Drops what waits on a listener's queues. */
function closeQueues(head: Socket): void {
  while (head.q0) {
    const so = head.q0;
    so_queue.removePartial(head, so);
    discard(so);
  }
  for (let so = so_queue.takeReady(head); so; so = so_queue.takeReady(head)) discard(so);
}

/** Drops a connection that nobody accepted. Held meanwhile, so that only this frees it. */
function discard(so: Socket): void {
  so.state &= ~<u32> Ss.NOFDREF;
  if (so.pcb) request(so, Pru.ABORT, 0, 0, 0);
  so.state |= Ss.NOFDREF;
  free(so);
}

/** Drops the connection now; the descriptor still refers to the socket. */
export function abort(so: Socket): i32 {
  return so.pcb ? request(so, Pru.ABORT, 0, 0, 0) : -Errno.ENOTCONN;
}

/** Tells the local address. */
export function sockname(so: Socket, nam: SockAddr): i32 {
  if (!so.pcb) return -Errno.EINVAL;
  return request(so, Pru.SOCKADDR, 0, changetype<usize>(nam), 0);
}

/** Tells the peer's address. ENOTCONN when there is none. */
export function peername(so: Socket, nam: SockAddr): i32 {
  if (!so.pcb || !(so.state & (Ss.ISCONNECTED | Ss.ISCONFIRMING))) return -Errno.ENOTCONN;
  return request(so, Pru.PEERADDR, 0, changetype<usize>(nam), 0);
}
