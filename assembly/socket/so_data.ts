/**
 * Sending and receiving (BSD's sosend and soreceive), without waiting: data is copied once between
 * the caller's memory and mbufs. Answers are bytes taken or given, or -Errno; EAGAIN (EWOULDBLOCK)
 * where BSD would sleep.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { Pr, Pru } from "../abi/proto";
import { Msg, Sb, So, Ss } from "../abi/socket";
import * as mbuf from "../sys/mbuf";
import * as mbuf_ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import { RecvInfo } from "./recv_t";
import * as so_core from "./so";
import * as so_local from "./so_local";
import { SockAddr } from "./sockaddr";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

/** Bytes that urgent data may go beyond the send buffer's limit, as in BSD. */
const OOB_EXTRA: i32 = 1024;
/** Bit of so.options: SO_TIMESTAMPNS is on; beyond the bits that So names. */
export const OPT_TIMESTAMP: u32 = 0x10000;

@unmanaged
@final
export class DataState {
  copied: u32; // bytes that the last chain built from user memory holds
  last: Mbuf; // its last mbuf
}

const S: DataState = changetype<DataState>(memory.data(offsetof<DataState>(), 16));
const INFO: RecvInfo = changetype<RecvInfo>(memory.data(offsetof<RecvInfo>(), 16));

/** What the last receive found beside the data; filled in anew by each. */
export function recvInfo(): RecvInfo {
  return INFO;
}

/**
 * Sends len bytes at ptr, to nam (nil: the peer). A stream takes as many bytes as so_snd has room
 * for, a message protocol all or nothing.
 *
 * EAGAIN: no room. EPIPE: a stream whose sending side is shut down; ESHUTDOWN: the same for
 * messages. ENOTCONN: a stream without connection. EDESTADDRREQ: a message without destination.
 * EISCONN: a destination on a connected socket. EMSGSIZE: a message larger than so_snd. ENOBUFS: no
 * mbufs. EOPNOTSUPP: MSG_OOB for messages. EINPROGRESS: with MSG_FASTOPEN, see sendFirst. Also the
 * pending error of the socket, and what its protocol answers.
 */
export function send(so: Socket, ptr: usize, len: u32, flags: u32, nam: SockAddr): i32 {
  if (so.error) return so_core.takeError(so);
  const atomic = (so.proto.flags & Pr.ATOMIC) != 0;
  if (so.state & Ss.CANTSENDMORE) return atomic ? -Errno.ESHUTDOWN : -Errno.EPIPE;
  if (opens(so, flags, nam)) return sendFirst(so, ptr, len, nam);
  if (!(so.state & Ss.ISCONNECTED)) {
    if (so.proto.flags & Pr.CONNREQUIRED) return notConnected(so);
    if (!nam) return -Errno.EDESTADDRREQ;
  } else if (nam) return -Errno.EISCONN;
  if (!so.pcb) return -Errno.ENOTCONN;
  return atomic ? sendMessage(so, ptr, len, flags, nam) : sendStream(so, ptr, len, flags);
}

/** What a stream without a connection answers: while data has it opened, more may come soon. */
function notConnected(so: Socket): i32 {
  return so.state & Ss.OPENING ? -Errno.EAGAIN : -Errno.ENOTCONN;
}

/** Sends one message whole. */
function sendMessage(so: Socket, ptr: usize, len: u32, flags: u32, nam: SockAddr): i32 {
  if (flags & Msg.OOB) return -Errno.EOPNOTSUPP;
  if (len > so.snd.hiwat) return -Errno.EMSGSIZE;
  if (sockbuf.space(so.snd) < <i32> len) return -Errno.EAGAIN;
  const m = packet(ptr, len);
  if (!m) return -Errno.ENOBUFS;
  const had = so.options & So.DONTROUTE;
  if (flags & Msg.DONTROUTE) so.options |= So.DONTROUTE;
  const error = so_core.request(so, Pru.SEND, changetype<usize>(m), changetype<usize>(nam), 0);
  if (flags & Msg.DONTROUTE) so.options = so.options & ~<u32> So.DONTROUTE | had;
  return error < 0 ? error : <i32> len;
}

/**
 * True if this data opens the connection: the first after a connect that waits for it, or sent with
 * MSG_FASTOPEN. Without an address that is an ordinary send once the connection is being made.
 */
export function opens(so: Socket, flags: u32, nam: SockAddr): bool {
  if (!(so.proto.flags & Pr.CONNREQUIRED)) return false;
  if (so.state & Ss.DEFERRED) return true;
  if (!(flags & Msg.FASTOPEN)) return false;
  return nam || !(so.state & (Ss.ISCONNECTING | Ss.ISCONNECTED)) ? true : false;
}

/**
 * Connects, and sends with the request for the connection what fits in there (RFC 7413); the answer
 * says how much that is. EINPROGRESS when nothing could go along, but the connection is begun;
 * otherwise as connect.
 */
function sendFirst(so: Socket, ptr: usize, len: u32, nam: SockAddr): i32 {
  const error = so_core.connectWith(so, nam);
  if (error < 0) {
    if (error == -Errno.EINPROGRESS) so.state |= Ss.OPENING;
    return error;
  }
  const room = sockbuf.space(so.snd);
  if (room <= 0) return -Errno.EAGAIN;
  const m = chain(ptr, min<u32>(len, room));
  if (len > 0 && !m) return -Errno.ENOBUFS;
  const taken = so_core.request(so, Pru.SEND, changetype<usize>(m), 0, 0);
  if (so.state & Ss.ISCONNECTING) so.state |= Ss.OPENING;
  return taken == 0 ? -Errno.EINPROGRESS : taken;
}

/**
 * Sends what fits of a stream; where the protocol limits what is not sent yet, chunk by chunk. When
 * there is no more room the protocol hears of it, since nothing follows at once then.
 */
function sendStream(so: Socket, ptr: usize, len: u32, flags: u32): i32 {
  let done: u32 = 0;
  while (done < len) {
    const n = sendPiece(so, ptr + done, len - done, flags);
    if (n < 0) {
      if (n == -Errno.EAGAIN || n == -Errno.ENOBUFS) so_core.request(so, Pru.SEND, 0, 0, 0);
      return done > 0 ? <i32> done : n;
    }
    done += n;
    if (!(so.snd.flags & Sb.LOWAT_UNSENT) || flags & Msg.OOB) break;
  }
  return done;
}

/** Sends what fits now. The protocol either takes all of the chain or answers an error. */
function sendPiece(so: Socket, ptr: usize, len: u32, flags: u32): i32 {
  let room = sockbuf.space(so.snd);
  if (flags & Msg.OOB) room += OOB_EXTRA;
  if (room < <i32> len && room < <i32> so.snd.lowat || room <= 0) return -Errno.EAGAIN;
  let n = min<u32>(len, room);
  let more: u32 = n < len ? 0 : flags & Msg.MORE;
  if (so.snd.flags & Sb.LOWAT_UNSENT && !(flags & Msg.OOB)) {
    const space = so_core.request(so, Pru.SPACE, 0, 0, 0);
    if (space <= 0) return -Errno.EAGAIN;
    if (u32(space) < n) {
      n = space;
      more = Msg.MORE; // the next chunk follows
    }
  }
  const m = chain(ptr, n);
  if (!m) return -Errno.ENOBUFS;
  const taken = S.copied;
  if (taken < n) more = 0;
  if (flags & Msg.EOR && taken == len) S.last.flags |= u16(Mf.EOR);
  const req: i32 = flags & Msg.OOB ? Pru.SENDOOB : Pru.SEND;
  const error = so_core.request(so, req, changetype<usize>(m), 0, more);
  return error < 0 ? error : <i32> taken;
}

/**
 * A chain with up to len bytes from ptr, as many as there are mbufs for; nil if there is none. The
 * last mbufs are left to those that receive: what is queued here is freed by what the peer answers.
 */
function chain(ptr: usize, len: u32): Mbuf {
  let first = changetype<Mbuf>(0);
  let last = first;
  let done: u32 = 0;
  while (done < len && !mbuf.low()) {
    const left = len - done;
    const m = left <= u32(MbufSize.MLEN) ? mbuf.get(Mt.DATA) : mbuf.getcl(Mt.DATA);
    if (!m) break;
    const n = min<u32>(left, m.cap);
    memory.copy(m.data, ptr + done, n);
    m.len = n;
    if (last) last.next = m;
    else first = m;
    last = m;
    done += n;
  }
  S.copied = done;
  S.last = last;
  return first;
}

/** A packet with len bytes from ptr and room for headers in front; nil without mbufs. */
function packet(ptr: usize, len: u32): Mbuf {
  const m = mbuf.gethdr(len);
  if (!m) return m;
  const n = min<u32>(len, mbuf.trailing(m));
  memory.copy(m.data, ptr, n);
  m.len = n;
  m.pktlen = len;
  if (n < len) {
    m.next = chain(ptr + n, len - n);
    if (!m.next || S.copied < len - n) {
      mbuf.freem(m);
      return changetype<Mbuf>(0);
    }
  }
  return m;
}

/**
 * Receives up to len bytes into ptr; for messages the next one, with its sender at nam unless that
 * is nil. 0 at the end of a stream. {@link recvInfo} tells the rest.
 *
 * EAGAIN: nothing to read, or less than SO_RCVLOWAT unless MSG_DONTWAIT asks for what there is.
 * ENOTCONN: a stream that never was connected. With MSG_OOB: what the protocol answers. Data that
 * came before an error is given first.
 */
export function recv(so: Socket, ptr: usize, len: u32, flags: u32, nam: SockAddr): i32 {
  INFO.flags = 0;
  INFO.length = 0;
  INFO.dst_set = 0;
  INFO.dst = 0;
  INFO.tstamp = 0;
  if (flags & Msg.OOB) return recvOob(so, ptr, len, flags);
  if (so.proto.flags & Pr.ATOMIC) return recvMessage(so, ptr, len, flags, nam);
  return recvStream(so, ptr, len, flags, nam);
}

/** PRU_RCVOOB: nam is where the byte goes, arg the flags; it answers how many bytes it gave. */
function recvOob(so: Socket, ptr: usize, len: u32, flags: u32): i32 {
  if (so.proto.flags & Pr.ATOMIC) return -Errno.EOPNOTSUPP;
  if (len == 0 || !so.pcb) return -Errno.EINVAL;
  const n = so_core.request(so, Pru.RCVOOB, 0, ptr, <i32> flags);
  if (n > 0) {
    INFO.flags = Msg.OOB;
    INFO.length = n;
  }
  return n;
}

/** The answer when there is nothing to read: an error, the end, or that one would wait. */
export function nothing(so: Socket, flags: u32): i32 {
  if (so.error) return flags & Msg.PEEK ? -so.error : so_core.takeError(so);
  if (so.state & Ss.CANTRCVMORE) return 0;
  if (
    so.proto.flags & Pr.CONNREQUIRED && !(so.state & (Ss.ISCONNECTED | Ss.ISCONNECTING))
  ) return -Errno.ENOTCONN;
  return -Errno.EAGAIN;
}

/** Receives from a stream. A read stops at the urgent mark, so that the program can see it. */
function recvStream(so: Socket, ptr: usize, len: u32, flags: u32, nam: SockAddr): i32 {
  const sb = so.rcv;
  const cc = sb.cc;
  if (cc == 0) return nothing(so, flags);
  if (cc < len && cc < sb.lowat) {
    const settled = so.error || so.state & (Ss.CANTRCVMORE | Ss.NBIO) || so.oobmark ||
      sb.flags & Sb.ENDS;
    if (!settled && !(flags & Msg.DONTWAIT)) return -Errno.EAGAIN;
  }
  let n = min<u32>(len, cc);
  if (so.oobmark && n > so.oobmark) n = so.oobmark;
  if (nam && so.pcb) so_core.request(so, Pru.PEERADDR, 0, changetype<usize>(nam), 0);
  INFO.length = n;
  if (so.options & OPT_TIMESTAMP) INFO.tstamp = <f64> sb.mb.tstamp;
  mbuf_ops.copydata(sb.mb, 0, n, ptr);
  if (flags & Msg.PEEK || n == 0) return n;
  consume(so, n, flags);
  return n;
}

/** The user has n bytes of a stream, which are there and do not go beyond the urgent mark. */
export function consume(so: Socket, n: u32, flags: u32): void {
  so.state &= ~<u32> Ss.RCVATMARK;
  sockbuf.drop(so.rcv, n);
  if (so.oobmark) {
    so.oobmark -= n;
    if (!so.oobmark) so.state |= Ss.RCVATMARK;
  }
  if (so.proto.flags & Pr.WANTRCVD && so.pcb) so_core.request(so, Pru.RCVD, 0, 0, flags);
}

/** Receives one message; what does not fit into len is lost, and MSG_TRUNC says so. */
function recvMessage(so: Socket, ptr: usize, len: u32, flags: u32, nam: SockAddr): i32 {
  let m = so.rcv.mb;
  if (!m) return nothing(so, flags);
  if (m.type == Mt.SONAME) {
    const more = m.len - u32(offsetof<SockAddr>());
    if (nam) memory.copy(changetype<usize>(nam), m.data, offsetof<SockAddr>());
    if (more) memory.copy(so_local.path(), m.data + offsetof<SockAddr>(), more);
    m = m.next;
  }
  while (m && m.type == Mt.CONTROL) {
    INFO.dst_set = 1;
    INFO.dst = load<u32>(m.data);
    m = m.next;
  }
  if (m && so.options & OPT_TIMESTAMP) INFO.tstamp = <f64> m.tstamp;
  let given: u32 = 0;
  let full: u32 = 0;
  while (m) {
    const n = min<u32>(m.len, len - given);
    if (n) memory.copy(ptr + given, m.data, n);
    given += n;
    full += m.len;
    if (m.flags & Mf.EOR) INFO.flags |= Msg.EOR;
    m = m.next;
  }
  INFO.length = full;
  if (full > given) INFO.flags |= Msg.TRUNC;
  if (!(flags & Msg.PEEK)) {
    sockbuf.dropRecord(so.rcv);
    if (so.proto.flags & Pr.WANTRCVD && so.pcb) so_core.request(so, Pru.RCVD, 0, 0, flags);
  }
  return given;
}
