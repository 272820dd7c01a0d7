/**
 * The socket layer's upward half: what protocols call when something happens to a socket (BSD's
 * uipc_socket2), and the list of events for those who wait. A waiter says what it waits for with
 * {@link want}; each event is then reported once, and a socket is on the list at most once.
 *
 * @module
 */

import { Ev } from "../abi/event";
import { Pr, Pru } from "../abi/proto";
import { Sb, So, Ss } from "../abi/socket";
import * as mbuf from "../sys/mbuf";
import * as so_filter from "./so_filter";
import * as so_pool from "./so_pool";
import * as so_queue from "./so_queue";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

const CLOSED: u32 = Ss.CANTSENDMORE | Ss.CANTRCVMORE;
const MOVING: u32 = Ss.ISCONNECTING | Ss.ISDISCONNECTING | Ss.ISCONFIRMING | Ss.DEFERRED |
  Ss.OPENING;

@unmanaged
@final
export class EventList {
  first: Socket;
  last: Socket;
}

const S: EventList = changetype<EventList>(memory.data(offsetof<EventList>(), 16));

/** Where the list stands. */
export function list(): usize {
  return changetype<usize>(S);
}

/** The connection is being made. */
export function isConnecting(so: Socket): void {
  so.state &= ~<u32> (Ss.ISCONNECTED | Ss.ISDISCONNECTING);
  so.state |= Ss.ISCONNECTING;
}

/**
 * The connection stands. One that a listener's q0 holds moves to its q, where accept finds it and
 * the listener becomes readable.
 */
export function isConnected(so: Socket): void {
  so.state &= ~MOVING;
  so.state |= Ss.ISCONNECTED;
  const head = so.head;
  if (head && so_queue.removePartial(head, so)) {
    so_queue.insert(head, so, true);
    rwakeup(head);
    return;
  }
  post(so, Ev.STATE | Ev.WRITE);
  rwakeup(so);
}

/** The connection is being released: nothing more can be sent or received by the user. */
export function isDisconnecting(so: Socket): void {
  so.state &= ~<u32> Ss.ISCONNECTING;
  so.state |= Ss.ISDISCONNECTING | CLOSED;
  post(so, Ev.READ | Ev.WRITE | Ev.STATE | Ev.HUP);
}

/**
 * The connection is gone. Data received before it went can still be read. If no descriptor refers
 * to the socket, and the protocol has let go of it (pcb is 0), this frees it: call it last.
 */
export function isDisconnected(so: Socket): void {
  so.state &= ~<u32> (MOVING | Ss.ISCONNECTED);
  so.state |= CLOSED;
  const failed: u32 = so.error ? Ev.ERROR : 0;
  post(so, Ev.READ | Ev.WRITE | Ev.STATE | Ev.HUP | failed);
  free(so);
}

/**
 * Frees a socket that no descriptor refers to and that its protocol has let go of; otherwise does
 * nothing. One that waits on a listener's q stays there, so that accept can tell it was aborted.
 */
export function free(so: Socket): void {
  if (so.pcb || !(so.state & Ss.NOFDREF)) return;
  if (so.head && !so_queue.removePartial(so.head, so)) return;
  so.evwant = 0;
  forget(so);
  sockbuf.flush(so.rcv);
  sockbuf.flush(so.snd);
  mbuf.freem(so.reserved);
  so_filter.forget(so);
  so.proto.sockets -= 1;
  so_pool.put(so);
}

/**
 * Makes the socket for a connection that came in to a listener: same protocol, options, buffer
 * sizes and timeouts, its protocol part attached (PRU_ATTACH). With `state` ISCONNECTED it goes to
 * q and the listener becomes readable; with 0 it goes to q0. Nil when the backlog is full (see
 * so_queue) or memory is short. Nobody holds it until accept: NOFDREF is set.
 */
export function newconn(head: Socket, state: u32): Socket {
  const nil = changetype<Socket>(0);
  if (!(head.options & So.ACCEPTCONN) || so_queue.full(head)) return nil;
  const so = so_pool.get();
  if (!so) return nil;
  const proto = head.proto;
  so.proto = proto;
  so.type = head.type;
  so.family = head.family;
  so.options = head.options & ~<u32> So.ACCEPTCONN;
  so.linger_s = head.linger_s;
  so.state = (head.state & Ss.NBIO) | Ss.NOFDREF | state;
  so.sndtimeo_us = head.sndtimeo_us;
  so.rcvtimeo_us = head.rcvtimeo_us;
  inherit(so, head);
  const error = call_indirect<i32>(
    proto.usrreq,
    changetype<usize>(so),
    <i32> Pru.ATTACH,
    <usize> 0,
    <usize> 0,
    <i32> proto.protocol,
  );
  if (error < 0) {
    so_pool.put(so);
    return nil;
  }
  proto.sockets += 1;
  so_queue.insert(head, so, state != 0);
  if (state) rwakeup(head);
  return so;
}

/** Gives so the buffer limits of its listener. */
function inherit(so: Socket, head: Socket): void {
  so.rcv.lowat = head.rcv.lowat;
  so.rcv.hiwat = head.rcv.hiwat;
  so.rcv.mbmax = head.rcv.mbmax;
  so.rcv.flags = head.rcv.flags;
  so.snd.lowat = head.snd.lowat;
  so.snd.hiwat = head.snd.hiwat;
  so.snd.mbmax = head.snd.mbmax;
  so.snd.flags = head.snd.flags;
}

/** The user may send no more. */
export function cantSendMore(so: Socket): void {
  so.state |= Ss.CANTSENDMORE;
  post(so, so.state & Ss.CANTRCVMORE ? Ev.WRITE | Ev.HUP : Ev.WRITE);
}

/** Nothing more will come: reads answer what is there, then end of stream. */
export function cantRcvMore(so: Socket): void {
  so.state |= Ss.CANTRCVMORE;
  post(so, so.state & Ss.CANTSENDMORE ? Ev.READ | Ev.HUP : Ev.READ);
}

/** Data came into so_rcv, or a connection onto the listener's queue. */
export function rwakeup(so: Socket): void {
  if (so.evwant & Ev.READ && readable(so)) post(so, Ev.READ);
}

/** Room became free in so_snd, or less waits in it to be sent. */
export function wwakeup(so: Socket): void {
  if (so.evwant & Ev.WRITE && writable(so) && mayQueue(so, true)) post(so, Ev.WRITE);
}

/** Whether the protocol lets the user queue more; `wake`: enough to wake who waits. */
function mayQueue(so: Socket, wake: bool): bool {
  if (!(so.snd.flags & Sb.LOWAT_UNSENT) || !so.pcb) return true;
  const so_ = changetype<usize>(so);
  return call_indirect<i32>(
    so.proto.usrreq,
    so_,
    <i32> Pru.SPACE,
    <usize> 0,
    <usize> 0,
    i32(wake),
  ) > 0;
}

/** Urgent data or its mark arrived. */
export function hasOob(so: Socket): void {
  post(so, Ev.OOB);
}

/** Keeps an error (positive Errno) for the next call and wakes everybody. */
export function error(so: Socket, errno: i32): void {
  so.error = errno;
  post(so, Ev.READ | Ev.WRITE | Ev.STATE | Ev.ERROR);
}

/**
 * Whether a read would not block: enough data (for messages: one), end of stream, a connection to
 * accept, or an error.
 */
export function readable(so: Socket): bool {
  if (so.error || so.qlen) return true;
  if (so.state & Ss.CANTRCVMORE) return true;
  if (so.proto.flags & Pr.ATOMIC) return changetype<usize>(so.rcv.mb) != 0;
  const enough = so.rcv.cc >= so.rcv.lowat || so.rcv.flags & Sb.ENDS;
  return so.rcv.cc > 0 && enough || (so.state & Ss.RCVATMARK) != 0;
}

/** Whether a write would take something or fail at once. */
export function writable(so: Socket): bool {
  if (so.error || so.state & (Ss.CANTSENDMORE | Ss.DEFERRED)) return true;
  if (so.proto.flags & Pr.CONNREQUIRED && !(so.state & Ss.ISCONNECTED)) return false;
  return sockbuf.space(so.snd) >= <i32> so.snd.lowat && mayQueue(so, false);
}

/** What is true of a socket now, as Ev bits; STATE is an event only and never among them. */
export function ready(so: Socket): u32 {
  let bits: u32 = 0;
  if (readable(so)) bits |= Ev.READ;
  if (writable(so)) bits |= Ev.WRITE;
  if (so.oobmark || so.state & Ss.RCVATMARK) bits |= Ev.OOB;
  if ((so.state & CLOSED) == CLOSED) bits |= Ev.HUP;
  if (so.error) bits |= Ev.ERROR;
  return bits;
}

/**
 * Sets what somebody waits for, Ev bits; 0 for nothing, which also withdraws what was not yet
 * taken. What is true already is reported at once.
 */
export function want(so: Socket, mask: u32): void {
  so.evwant = <u16> mask;
  if (!mask) {
    forget(so);
    return;
  }
  post(so, ready(so));
}

/** Puts the wanted ones of `bits` on the event list; they are then wanted no more. */
function post(so: Socket, bits: u32): void {
  const news = bits & <u32> so.evwant;
  if (!news) return;
  so.evwant &= ~<u16> news;
  if (!so.evpending) {
    if (S.last) S.last.evnext = so;
    else S.first = so;
    S.last = so;
    so.evnext = changetype<Socket>(0);
  }
  so.evpending |= <u16> news;
}

/** Takes a socket off the event list. */
export function forget(so: Socket): void {
  if (!so.evpending) return;
  let before = changetype<Socket>(0);
  let at = S.first;
  while (at && at != so) {
    before = at;
    at = at.evnext;
  }
  if (at) {
    if (before) before.evnext = so.evnext;
    else S.first = so.evnext;
    if (S.last == so) S.last = before;
  }
  so.evpending = 0;
  so.evnext = changetype<Socket>(0);
}

/** Moves up to `count` events to `ptr` as pairs (socket u32, Ev bits u32); answers how many. */
export function drain(ptr: usize, count: u32): u32 {
  let n: u32 = 0;
  while (n < count) {
    const so = S.first;
    if (!so) break;
    store<u32>(ptr + n * 8, <u32> changetype<usize>(so));
    store<u32>(ptr + n * 8, <u32> so.evpending, 4);
    S.first = so.evnext;
    if (!S.first) S.last = changetype<Socket>(0);
    so.evpending = 0;
    so.evnext = changetype<Socket>(0);
    n += 1;
  }
  return n;
}
