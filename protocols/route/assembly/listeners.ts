/** The routing sockets: every message goes to all of them. */
import { Errno } from "../../../assembly/abi/errno";
import { Mt } from "../../../assembly/abi/mbuf";
import { So, Ss } from "../../../assembly/abi/socket";
import * as so_event from "../../../assembly/socket/so_event";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf_copy from "../../../assembly/sys/mbuf_copy";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";

/** A routing socket's part of the protocol. */
@unmanaged
@final
export class Listener {
  next: Listener;
  so: Socket;
  full: u32; // 1: it has lost a message, and was told so
  pad: u32;
}

/** What has happened, in the order of `counters` of mod.ts. */
@unmanaged
@final
export class Counters {
  requests: u64; // messages of programs
  refused: u64; // of these, with an error
  events: u64; // messages about what was done or has happened otherwise
  delivered: u64; // messages put into a receive buffer
  lost: u64; // messages for which a receive buffer was full
}

/** State of the module. */
@unmanaged
@final
export class ListenersState {
  first: Listener;
  pad: u32;
}

const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const S: ListenersState = changetype<ListenersState>(memory.data(offsetof<ListenersState>(), 16));
/** The counters. */
export const C: Counters = changetype<Counters>(memory.data(offsetof<Counters>(), 16));

/** Most routing sockets at a time. */
const SOCKETS: u32 = 256;
/** Bytes of the buffers of a socket. */
const SEND_BYTES: i32 = 8192;
const RECEIVE_BYTES: i32 = 65536;

/** Makes room; false without memory. */
export function init(): bool {
  return pool.init(P, u32(offsetof<Listener>()), SOCKETS);
}

/** Where the counters are. */
export function counters(): usize {
  return changetype<usize>(C);
}

/** True if anybody listens. */
export function any(): bool {
  return S.first != null;
}

/** A socket comes: it is connected, and hears of what it does itself, until it says otherwise. */
export function add(so: Socket): i32 {
  const it = changetype<Listener>(pool.get(P));
  if (!it) return -Errno.ENOBUFS;
  it.so = so;
  it.next = S.first;
  S.first = it;
  so.pcb = changetype<usize>(it);
  so.options |= So.USELOOPBACK;
  sockbuf.reserve(so.snd, SEND_BYTES);
  sockbuf.reserve(so.rcv, RECEIVE_BYTES);
  so_event.isConnected(so);
  return 0;
}

/** A socket goes. */
export function remove(so: Socket): void {
  const gone = changetype<Listener>(so.pcb);
  if (S.first == gone) S.first = gone.next;
  else {
    let at = S.first;
    while (at.next != gone) at = at.next;
    at.next = gone.next;
  }
  so.pcb = 0;
  pool.put(P, changetype<usize>(gone));
}

/** Gives the message of `len` bytes at `p` to all sockets, but not to `not`. */
export function tellAll(p: usize, len: u32, not: Socket): void {
  for (let it = S.first; it; it = it.next) {
    if (it.so != not && !(it.so.state & Ss.CANTRCVMORE)) deliver(it, p, len);
  }
}

/** A buffer that is full loses the message; the socket is told once, and again when it has read. */
function deliver(it: Listener, p: usize, len: u32): void {
  const so = it.so;
  const sb = so.rcv;
  const fits = sb.cc + len <= sb.hiwat && sb.mbcnt < sb.mbmax;
  const m = fits ? mbuf_copy.packet(len, 0, Mt.DATA) : null;
  if (!m) {
    C.lost += 1;
    if (!it.full) so_event.error(so, Errno.ENOBUFS);
    it.full = 1;
    return;
  }
  mbuf_copy.copyback(m, 0, len, p);
  it.full = 0;
  C.delivered += 1;
  sockbuf.appendRecord(sb, m);
  so_event.rwakeup(so);
}
