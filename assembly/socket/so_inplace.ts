/**
 * Data of a stream where it lies: received bytes are shown and given back, and room for bytes to
 * send is lent and committed, so that a program reads and writes mbufs without a copy.
 * RecvInfo.data tells where. Answers are bytes, or -Errno.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { MbufSize, Mt } from "../abi/mbuf";
import { Pr, Pru } from "../abi/proto";
import { Msg, Sb, Ss } from "../abi/socket";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as so_core from "./so";
import * as so_data from "./so_data";
import { SockAddr } from "./sockaddr";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

/**
 * Shows the first bytes received, as many as lie in one piece and do not go beyond the urgent mark.
 * They stay where they are until they are released or received. 0 at the end of the stream; EAGAIN
 * and errors as recv, EOPNOTSUPP for messages.
 */
export function peek(so: Socket, flags: u32): i32 {
  if (so.proto.flags & Pr.ATOMIC) return -Errno.EOPNOTSUPP;
  const sb = so.rcv;
  if (sb.cc == 0) return so_data.nothing(so, flags & ~u32(Msg.PEEK));
  if (sb.cc < sb.lowat && !(flags & Msg.DONTWAIT)) {
    const settled = so.error || so.state & (Ss.CANTRCVMORE | Ss.NBIO) || so.oobmark ||
      sb.flags & Sb.ENDS;
    if (!settled) return -Errno.EAGAIN;
  }
  const m = sb.mb;
  so_data.recvInfo().data = m.data;
  return so.oobmark ? min<u32>(m.len, so.oobmark) : m.len;
}

/** The user is done with n of the bytes that peek has shown. EINVAL for more than those. */
export function release(so: Socket, n: u32): i32 {
  const m = so.rcv.mb;
  const shown: u32 = so.proto.flags & Pr.ATOMIC || !m ? 0 : m.len;
  if (n > shown || (so.oobmark && n > so.oobmark)) return -Errno.EINVAL;
  if (n) so_data.consume(so, n, 0);
  return n;
}

/**
 * Lends room for at most len bytes to send, as much as there is in one piece; what was lent before
 * is lent again or taken back. Nothing is sent until it is committed. EAGAIN: so_snd is full;
 * ENOBUFS: no mbufs; EINVAL for len 0; else as send.
 */
export function reserve(so: Socket, len: u32): i32 {
  if (so.proto.flags & Pr.ATOMIC) return -Errno.EOPNOTSUPP;
  if (so.error) return so_core.takeError(so);
  if (so.state & Ss.CANTSENDMORE) return -Errno.EPIPE;
  if (len == 0) return -Errno.EINVAL;
  const deferred = (so.state & Ss.DEFERRED) != 0;
  if (!deferred && !(so.state & Ss.ISCONNECTED)) return -Errno.ENOTCONN;
  const free = room(so, deferred);
  if (free <= 0) return -Errno.EAGAIN;
  const m = lend(so, min<u32>(len, free));
  if (!m) return -Errno.ENOBUFS;
  so_data.recvInfo().data = m.data;
  return min<u32>(min<u32>(len, free), m.cap);
}

/** Bytes that a send would take now. */
function room(so: Socket, deferred: bool): i32 {
  const free = sockbuf.space(so.snd);
  if (deferred || !(so.snd.flags & Sb.LOWAT_UNSENT) || !so.pcb) return free;
  return min<i32>(free, so_core.request(so, Pru.SPACE, 0, 0, 0));
}

/** The mbuf that is lent: the one that is out already if it is large enough; nil without mbufs. */
function lend(so: Socket, len: u32): Mbuf {
  const had = so.reserved;
  if (had) {
    if (had.cap >= min<u32>(len, u32(MbufSize.MCLBYTES))) return had;
    mbuf.free(had);
    so.reserved = changetype<Mbuf>(0);
  }
  if (mbuf.low()) return changetype<Mbuf>(0);
  so.reserved = len <= u32(MbufSize.MLEN) ? mbuf.get(Mt.DATA) : mbuf.getcl(Mt.DATA);
  return so.reserved;
}

/**
 * Sends the first n bytes of the room that was lent, all of them or none; 0 only gives the room
 * back. EINVAL: more than was lent; EAGAIN: other calls have sent meanwhile and so_snd is full, the
 * room stays lent. After another error it is not.
 */
export function commit(so: Socket, n: u32, flags: u32): i32 {
  const m = so.reserved;
  if (!m || n > m.cap) return -Errno.EINVAL;
  const deferred = (so.state & Ss.DEFERRED) != 0;
  const usable = n && !so.error && !(so.state & Ss.CANTSENDMORE) && so.pcb;
  if (usable && room(so, deferred) < <i32> n) return -Errno.EAGAIN;
  so.reserved = changetype<Mbuf>(0);
  if (usable && !deferred && so.state & Ss.ISCONNECTED) {
    m.len = n;
    const error = so_core.request(so, Pru.SEND, changetype<usize>(m), 0, flags & Msg.MORE);
    return error < 0 ? error : <i32> n;
  }
  // What opens the connection, or fails, goes the usual way.
  const sent = n ? so_data.send(so, m.data, n, flags & Msg.MORE, changetype<SockAddr>(0)) : 0;
  mbuf.free(m);
  return sent;
}
