/**
 * ARP (RFC 826): finds the hardware address for a next hop, holding a few packets meanwhile, and
 * answers those who ask for ours. It learns only from packets addressed to us, or about neighbours
 * it already knows, so that strangers cannot fill the table.
 */
import { Errno } from "../abi/errno";
import { EtherType } from "../abi/ifnet";
import { Fate } from "../abi/fate";
import { Limits } from "../abi/limits";
import { Mf } from "../abi/mbuf";
import { Rtf } from "../abi/route";
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import * as wire from "../wire/arp";
import * as ether from "../wire/ether";
import * as ip4 from "../wire/ip4";
import * as acd from "./arp_acd";
import * as entry from "./arp_entry";
import { ArpEntry, Arps } from "./arp_entry";
import * as send from "./arp_send";
import * as if_list from "./if_list";
import { Ifnet } from "./ifnet_t";
import * as route from "./route";

/** How long packets for a dead neighbour are refused. */
const DEAD_US: i64 = 5_000_000;

/** State of the module. */
@unmanaged
@final
export class ArpState {
  dead: u32; // function: dead(m: usize): void, owns a packet whose next hop did not answer
  pad: u32;
}

const S: ArpState = changetype<ArpState>(memory.data(offsetof<ArpState>(), 16));

/** Room for `limit` neighbours; false without memory. */
export function init(limit: u32): bool {
  return entry.init(limit, expire.index);
}

/** Names the function that takes packets, at their IP header, whose next hop did not answer. */
export function setDeadHook(fn: u32): void {
  S.dead = fn;
}

/**
 * Sends the packet `m`, at its IP header, to a neighbour, or holds it while the neighbour is asked
 * for its hardware address.
 *
 * @returns 0; EHOSTDOWN if the neighbour did not answer lately; ENOBUFS; the errors of the queue.
 */
export function resolve(ifp: Ifnet, m: Mbuf, nexthop: u32): i32 {
  let e = entry.find(ifp, nexthop);
  if (e && isUsable(e)) {
    e.used = 1;
    return send.ip(ifp, m, e.hw_hi, e.hw_lo);
  }
  if (!e) {
    e = entry.create(ifp, nexthop);
    if (!e) {
      ifp.odrops += 1;
      mbuf.freem(m);
      return -Errno.ENOBUFS;
    }
    entry.hold(e, m, Limits.ARP_HOLD);
    ask(e);
    return 0;
  }
  if (e.state == Arps.DEAD) {
    mbuf.freem(m);
    return -Errno.EHOSTDOWN;
  }
  entry.hold(e, m, Limits.ARP_HOLD);
  return 0;
}

function isUsable(e: ArpEntry): bool {
  return e.state == Arps.REACHABLE || e.state == Arps.STATIC || e.state == Arps.PROBE;
}

/** Sends a request, to the known hardware address if there is one, and waits for the answer. */
function ask(e: ArpEntry): void {
  e.tries += 1;
  const source = if_list.sourceFor(e.ifp, e.ip);
  if (source) {
    const known = e.state == Arps.PROBE;
    const hi = known ? e.hw_hi : ether.BROADCAST_HI;
    send.request(e.ifp, source.addr, e.ip, hi, known ? e.hw_lo : ether.BROADCAST_LO);
  }
  timer.arm(e.timer, clock.now() + i64(N.arp_retry_ms) * 1000);
}

/** An entry's timer: ask again, ask whether it is still so, or give up. */
function expire(arg: usize): void {
  const e = changetype<ArpEntry>(arg);
  if (e.state == Arps.REACHABLE && e.used) {
    e.state = u8(Arps.PROBE);
    e.tries = 0;
    ask(e);
  } else if (e.state == Arps.INCOMPLETE || e.state == Arps.PROBE) {
    if (e.tries < N.arp_tries) ask(e);
    else if (e.state == Arps.PROBE) entry.remove(e);
    else giveUp(e);
  } else if (e.state != Arps.STATIC) {
    entry.remove(e);
  }
}

/** Somebody has reason to think that a neighbour is gone: asks it whether it is still there. */
export function doubt(ifp: Ifnet, nexthop: u32): void {
  const e = entry.find(ifp, nexthop);
  if (!e || e.state != Arps.REACHABLE) return;
  e.state = u8(Arps.PROBE);
  e.tries = 0;
  ask(e);
}

/** The neighbour does not answer: tells the senders of what was held. */
function giveUp(e: ArpEntry): void {
  stat.inc(Stat.ARP_TIMEOUTS);
  e.state = u8(Arps.DEAD);
  timer.arm(e.timer, clock.now() + DEAD_US);
  // The hook may send, and so use the table: the packets are taken off the entry first.
  let m = e.held;
  e.held = changetype<Mbuf>(0);
  e.held_last = changetype<Mbuf>(0);
  e.held_count = 0;
  while (m) {
    const next = m.nextpkt;
    m.nextpkt = changetype<Mbuf>(0);
    if (S.dead) call_indirect<void>(S.dead, m);
    else mbuf.freem(m);
    m = next;
  }
}

/** The neighbour's hardware address is known now: sends what was held. */
function confirm(e: ArpEntry, hi: u32, lo: u32): void {
  e.hw_hi = hi;
  e.hw_lo = lo;
  e.state = u8(Arps.REACHABLE);
  e.tries = 0;
  e.used = 0;
  timer.arm(e.timer, clock.now() + i64(N.arp_reachable_ms) * 1000);
  entry.touch(e);
  while (e.held) {
    e.used = 1;
    send.ip(e.ifp, entry.takeHeld(e), hi, lo);
  }
}

/** Input type 0x0806: a received ARP packet. Owns mp. */
export function input(ifpp: usize, mp: usize): void {
  const ifp = changetype<Ifnet>(ifpp);
  const m = changetype<Mbuf>(mp);
  const p = m.data;
  if (m.len < wire.LENGTH || !wire.isEthernetIp(p)) return drop(m, Fate.ARP_MALFORMED);
  const hi = wire.senderHi(p);
  const lo = wire.senderLo(p);
  const ours = hi == ifp.hwaddr_hi && lo == ifp.hwaddr_lo;
  if (ours || ether.isGroup(hi) || (hi | lo) == 0) return drop(m, Fate.ARP_SOURCE_INVALID);
  const sender = wire.sender(p);
  if (ip4.isMulticast(sender) || ip4.isReserved(sender) || ip4.isLoopback(sender)) {
    return drop(m, Fate.ARP_SOURCE_INVALID);
  }
  const op = wire.op(p);
  if (op != wire.REQUEST && op != wire.REPLY) return drop(m, Fate.ARP_IGNORED);
  const claimed = if_list.ofInterface(ifp, sender);
  if (claimed) {
    acd.conflict(claimed);
    return drop(m, Fate.ARP_CONFLICT);
  }
  const target = if_list.ofInterface(ifp, wire.target(p));
  const proxied = !target && op == wire.REQUEST && isProxied(ifp, sender, wire.target(p));
  const learned = learn(ifp, sender, hi, lo, target != null || proxied);
  if (target && op == wire.REQUEST) {
    // RFC 5227 2.1.1: another's probe for what we are probing ourselves is a conflict
    if (sender == 0) acd.probed(target);
    stat.fate(Fate.ARP_ANSWERED);
    return answer(ifp, m, target.addr);
  }
  if (proxied) {
    stat.fate(Fate.ARP_ANSWERED);
    stat.inc(Stat.ARP_PROXIED);
    return answer(ifp, m, wire.target(p));
  }
  drop(m, learned ? Fate.ARP_LEARNED : Fate.ARP_IGNORED);
}

function drop(m: Mbuf, f: Fate): void {
  stat.fate(f);
  mbuf.freem(m);
}

/** RFC 826's merge: refreshes a known neighbour; makes a new entry if the packet was for us. */
function learn(ifp: Ifnet, ip: u32, hi: u32, lo: u32, forUs: bool): bool {
  if (ip == 0) return false;
  let e = entry.find(ifp, ip);
  if (!e) {
    if (!forUs || !isNeighbour(ifp, ip)) return false;
    e = entry.create(ifp, ip);
    if (!e) return false;
  }
  if (e.state == Arps.STATIC) return false;
  confirm(e, hi, lo);
  return true;
}

/** True if packets for `ip` would go to it directly over `ifp`: others are none of our business. */
function isNeighbour(ifp: Ifnet, ip: u32): bool {
  const rt = route.lookup(ip);
  if (!rt) return false;
  return rt.ifp == ifp && !(rt.flags & (Rtf.GATEWAY | Rtf.LOCAL | Rtf.BROADCAST));
}

/**
 * True if we answer for a host elsewhere, as a router that joins parts of one subnet (RFC 1027):
 * packets to `target` would leave by another interface. Not for who probes for an address (`ip` 0).
 */
function isProxied(ifp: Ifnet, ip: u32, target: u32): bool {
  if (!(N.proxy_arp | ifp.proxy_arp) || !N.forwarding || ip == 0) return false;
  const rt = route.lookup(target);
  return rt && rt.ifp != ifp &&
    !(rt.flags & (Rtf.LOCAL | Rtf.BROADCAST | Rtf.REJECT | Rtf.BLACKHOLE));
}

/** Answers a request in place: the mbuf that brought it carries the reply. */
function answer(ifp: Ifnet, m: Mbuf, ip: u32): void {
  const p = m.data;
  const hi = wire.senderHi(p);
  const lo = wire.senderLo(p);
  wire.put(p, wire.REPLY, ifp.hwaddr_hi, ifp.hwaddr_lo, ip, hi, lo, wire.sender(p));
  m.len = wire.LENGTH;
  m.pktlen = wire.LENGTH;
  m.flags &= ~u16(Mf.BCAST | Mf.MCAST);
  stat.inc(Stat.ARP_REPLIES_OUT);
  send.frame(ifp, m, hi, lo, EtherType.ARP);
}

/** Starts probing and announcing an address that an interface just got (RFC 5227). */
export { announce } from "./arp_acd";

/** Sets a static neighbour. ENOBUFS, EINVAL for a group address, ENXIO off the link. */
export function set(ifp: Ifnet, ip: u32, hi: u32, lo: u32): i32 {
  if (ether.isGroup(hi) || (hi | lo) == 0) return -Errno.EINVAL;
  if (!isNeighbour(ifp, ip)) return -Errno.ENXIO;
  let e = entry.find(ifp, ip);
  if (!e) e = entry.create(ifp, ip);
  if (!e) return -Errno.ENOBUFS;
  confirm(e, hi, lo);
  e.state = u8(Arps.STATIC);
  timer.cancel(e.timer);
  return 0;
}

/** The entry of a neighbour, nil if there is none. */
export function get(ifp: Ifnet, ip: u32): ArpEntry {
  return entry.find(ifp, ip);
}

/** Deletes a neighbour, static or not. ENOENT. */
export function del(ifp: Ifnet, ip: u32): i32 {
  const e = entry.find(ifp, ip);
  if (!e) return -Errno.ENOENT;
  entry.remove(e);
  return 0;
}

/** Forgets the neighbours of an interface that goes down, or away (`all`: static ones too). */
export function forget(ifp: Ifnet, all: bool): void {
  entry.removeAll(ifp, all);
}
