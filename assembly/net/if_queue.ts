/**
 * The queue between an interface and its driver: packets that wait to be sent. What the driver is
 * lent to fill is in if_rx.ts.
 *
 * ```
 *   sndq    | lent to the driver | waiting      | free places      IF_SNDQ places, counters wrap
 *           ^ snd_head           ^ + snd_lent   ^ snd_tail
 * ```
 *
 * A descriptor is 8 bytes: address u32, length u32.
 */
import { Errno } from "../abi/errno";
import { IfCap, Iff } from "../abi/ifnet";
import { Limits } from "../abi/limits";
import { Mf } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as vnet from "../wire/vnet_hdr";
import * as if_list from "./if_list";
import * as if_tap from "./if_tap";
import * as if_slots from "./if_slots";
import * as if_vnet from "./if_vnet";
import { Blocked, Ifnet } from "./ifnet_t";

export { Blocked } from "./ifnet_t";

const MASK: u32 = Limits.IF_SNDQ - 1;
/** Senders called at once: their segments fill a batch. */
const WAKE_MOST: u32 = Limits.RING;

/** State of the module. */
@unmanaged
@final
export class IfQueueState {
  waiting: u32; // senders in the lists of all interfaces
}

const S: IfQueueState = changetype<IfQueueState>(memory.data(offsetof<IfQueueState>(), 16));

function place(ifp: Ifnet, at: u32): usize {
  return ifp.sndq + ((at & MASK) << 2);
}

/** Packets in the send queue, those lent to the driver included. */
export function queued(ifp: Ifnet): u32 {
  return ifp.snd_tail - ifp.snd_head;
}

/** Places left in the send queue. */
export function room(ifp: Ifnet): u32 {
  return Limits.IF_SNDQ - (ifp.snd_tail - ifp.snd_head);
}

/**
 * Bytes that a stream may still queue: beyond N.tcp_limit_output_bytes it waits ({@link block}) for
 * the driver to send, so that data stays where it can be sent in time and short queues stay short.
 */
export function allowance(ifp: Ifnet): u32 {
  const limit = N.tcp_limit_output_bytes;
  return ifp.snd_bytes < limit && room(ifp) > 0 ? limit - ifp.snd_bytes : 0;
}

/**
 * Appends a frame, link header and all. ENETDOWN if the interface is down, ENOBUFS if there is no
 * room, or more than a batch in the queue of a driver that may have stopped sending while others
 * have hardly any mbufs; m is freed then.
 */
export function enqueue(ifp: Ifnet, m: Mbuf): i32 {
  if (!(ifp.flags & Iff.UP)) {
    mbuf.freem(m);
    return -Errno.ENETDOWN;
  }
  if (room(ifp) == 0 || (queued(ifp) > u32(Limits.RING) && mbuf.critical())) {
    ifp.odrops += 1;
    mbuf.freem(m);
    return -Errno.ENOBUFS;
  }
  if (m.flags & (Mf.BCAST | Mf.MCAST)) ifp.omcasts += 1;
  ifp.snd_bytes += m.pktlen;
  store<Mbuf>(place(ifp, ifp.snd_tail), m);
  ifp.snd_tail += 1;
  return 0;
}

/** The packet that was queued last; nil if it is with the driver, or about to be. */
export function newest(ifp: Ifnet): Mbuf {
  if (queued(ifp) <= max(ifp.snd_lent, ifp.snd_ready)) return changetype<Mbuf>(0);
  return load<Mbuf>(place(ifp, ifp.snd_tail - 1));
}

/** Takes the oldest packet off the queue, nil if it is empty; for interfaces without a driver. */
export function dequeue(ifp: Ifnet): Mbuf {
  if (queued(ifp) == 0) return changetype<Mbuf>(0);
  const m = load<Mbuf>(place(ifp, ifp.snd_head));
  ifp.snd_head += 1;
  ifp.snd_bytes -= m.pktlen;
  return m;
}

/**
 * Describes the oldest frames, at most `max` and RING, in txdesc. They stay in the queue, and what
 * the driver reads stays in place, until txDone. Answers how many.
 */
export function txPrepare(ifp: Ifnet, max: u32): u32 {
  if (ifp.slots) return intoSlots(ifp, min(min(queued(ifp), max), ifp.slot_count));
  const n = min(min(queued(ifp), max), Limits.RING);
  for (let i: u32 = 0; i < n; i++) {
    const m = load<Mbuf>(place(ifp, ifp.snd_head + i));
    const d = ifp.txdesc + (i << 3);
    store<u32>(d, u32(m.data));
    store<u32>(d, m.len, 4);
  }
  ifp.snd_lent = n;
  return n;
}

/** Describes the first `n` frames, in their slots; what the driver did not take is there. */
function intoSlots(ifp: Ifnet, n: u32): u32 {
  const header = (ifp.caps & IfCap.VNET_HDR) != 0;
  for (let i: u32 = 0; i < n; i++) {
    const m = load<Mbuf>(place(ifp, ifp.snd_head + i));
    const slot = if_slots.out(ifp, ifp.snd_head + i);
    if (i >= ifp.snd_ready) if_vnet.write(slot, ifp, m, header);
    const d = ifp.txdesc + (i << 3);
    store<u32>(d, u32(slot));
    store<u32>(d, header ? vnet.HEADER + m.pktlen : m.pktlen, 4);
  }
  ifp.snd_ready = max(ifp.snd_ready, n);
  ifp.snd_lent = n;
  return n;
}

/** The driver has sent the first `n` frames of the last txPrepare: frees them, wakes senders. */
export function txDone(ifp: Ifnet, n: u32): void {
  n = min(n, ifp.snd_lent);
  for (let i: u32 = 0; i < n; i++) {
    const m = dequeue(ifp);
    ifp.opackets += 1;
    ifp.obytes += u64(m.pktlen);
    if_tap.see(ifp, m, true);
    mbuf.freem(m);
  }
  ifp.snd_ready -= min(n, ifp.snd_ready);
  ifp.snd_lent = 0;
  wake(ifp);
}

/**
 * Calls senders that wait for room, if there is some: the first of them, as many as could use it.
 * They send later; {@link wakeMore} goes on if they leave room. True if it called any.
 */
export function wake(ifp: Ifnet): bool {
  // half empty, not merely below the limit: a sender that is woken for every frame would crawl
  if (!ifp.blocked || ifp.snd_bytes > N.tcp_limit_output_bytes >> 1) return false;
  const last = changetype<Blocked>(ifp.blocked_tail);
  const most = min<u32>(room(ifp), WAKE_MOST);
  for (let n: u32 = 0; n < most; n++) {
    const b = changetype<Blocked>(ifp.blocked);
    unlink(ifp, b);
    call_indirect<void>(b.fn, b.arg);
    if (b == last) break; // the rest came back to the list just now
  }
  return most > 0;
}

/** Calls the next of those who wait, where those called before have left room. True if any. */
export function wakeMore(): bool {
  if (S.waiting == 0) return false;
  let woke = false;
  for (let ifp = if_list.first(); ifp; ifp = if_list.next(ifp)) {
    if (wake(ifp)) woke = true;
  }
  return woke;
}

function unlink(ifp: Ifnet, b: Blocked): void {
  if (b.prev) b.prev.next = b.next;
  else ifp.blocked = changetype<usize>(b.next);
  if (b.next) b.next.prev = b.prev;
  else ifp.blocked_tail = changetype<usize>(b.prev);
  b.next = changetype<Blocked>(0);
  b.prev = changetype<Blocked>(0);
  b.ifindex = 0;
  S.waiting -= 1;
}

/** `b` waits for room in the send queue; does nothing if it waits already. */
export function block(ifp: Ifnet, b: Blocked): void {
  if (b.ifindex) return;
  b.ifindex = ifp.index;
  b.next = changetype<Blocked>(0);
  b.prev = changetype<Blocked>(ifp.blocked_tail);
  if (b.prev) b.prev.next = b;
  else ifp.blocked = changetype<usize>(b);
  ifp.blocked_tail = changetype<usize>(b);
  S.waiting += 1;
}

/** `b` waits no longer: its sender goes away. */
export function unblock(ifp: Ifnet, b: Blocked): void {
  if (b.ifindex == ifp.index) unlink(ifp, b);
}

/** Calls every waiting sender, room or not: the interface is going away. */
export function wakeAll(ifp: Ifnet): void {
  while (ifp.blocked) {
    const b = changetype<Blocked>(ifp.blocked);
    unlink(ifp, b);
    call_indirect<void>(b.fn, b.arg);
  }
}

/** Frees the packets that are not with the driver; all of them if `lent` is true. */
export function flush(ifp: Ifnet, lent: bool): void {
  const keep: u32 = lent ? 0 : min(ifp.snd_lent, queued(ifp));
  while (queued(ifp) > keep) {
    ifp.snd_tail -= 1;
    const m = load<Mbuf>(place(ifp, ifp.snd_tail));
    ifp.snd_bytes -= m.pktlen;
    mbuf.freem(m);
  }
  ifp.snd_ready = min(ifp.snd_ready, keep);
  if (lent) ifp.snd_lent = 0;
}
