/**
 * Interfaces: attaching and detaching them, their flags and addresses. An address brings routes
 * with it: to itself (LOCAL, by way of the loopback interface), to its broadcast addresses, and to
 * its subnet or peer.
 */
import { Errno } from "../abi/errno";
import { Iff, Medium } from "../abi/ifnet";
import { Prc } from "../abi/proto";
import { Rtf, Rtm } from "../abi/route";
import * as domain from "../protocol/domain";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as ether from "../wire/ether";
import * as ip4 from "../wire/ip4";
import * as arp from "./arp";
import * as acd from "./arp_acd";
import * as if_list from "./if_list";
import * as if_multi from "./if_multi";
import * as if_output from "./if_output";
import * as if_queue from "./if_queue";
import * as if_rx from "./if_rx";
import * as if_slots from "./if_slots";
import { Ifaddr, Ifnet } from "./ifnet_t";
import { IfConfig } from "./ifreq_t";
import * as route from "./route";
import * as route_event from "./route_event";
import * as route_purge from "./route_purge";

export { byIndex, first, ifaByAddr, ifaByDst, next } from "./if_list";
export { isMember, joinGroup, leaveGroup } from "./if_multi";

/** State of the module. */
@unmanaged
@final
export class IfState {
  gone: u32; // function: gone(addr: u32): void, an address is no longer ours
  pad: u32;
}

const S: IfState = changetype<IfState>(memory.data(offsetof<IfState>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

const HOST_MASK: u32 = 0xffffffff;
/** Smallest MTU of a link (RFC 791 3.2). */
export const MTU_MIN: u32 = 68;
/** Largest IPv4 packet (RFC 791 3.1). */
export const MTU_MAX: u32 = 65535;
/** Flags that IfConfig may set. */
const CONFIG_FLAGS: u32 = Iff.BROADCAST | Iff.POINTOPOINT | Iff.NOARP | Iff.MULTICAST |
  Iff.SIMPLEX | Iff.DEBUG;
/** Flags that are the same as long as an interface is there. */
const KIND_FLAGS: u32 = Iff.BROADCAST | Iff.POINTOPOINT | Iff.LOOPBACK;
/** Flags that SIOCSIFFLAGS may change. */
const USER_FLAGS: u32 = Iff.UP | Iff.DEBUG | Iff.NOARP | Iff.PROMISC | Iff.ALLMULTI;

/** Names the function that is told, in host order, of addresses that are no longer ours. */
export function setGoneHook(fn: u32): void {
  S.gone = fn;
}

/** Room for `addresses` addresses and `groups` groups of all interfaces; false without memory. */
export function init(addresses: u32, groups: u32): bool {
  const ok = pool.init(P, u32(offsetof<Ifaddr>()), addresses);
  return if_multi.init(groups) && ok;
}

/**
 * Makes an interface as an IfConfig says; it is up from the start. A zero name stays empty. With an
 * ifindex it gives that interface another device instead ({@link exchange}).
 *
 * @returns its index; EINVAL for an unknown medium, an MTU below 68 or above 65,535 or, on
 * Ethernet, a hardware address that is zero or a group; EEXIST if another has that name; ENOBUFS.
 */
export function attach(cfgPtr: usize): i32 {
  const cfg = changetype<IfConfig>(cfgPtr);
  if (cfg.ifindex) return exchange(cfg);
  if (isImpossible(cfg)) return -Errno.EINVAL;
  const isEther = cfg.medium == Medium.ETHERNET;
  if (isNamed(cfg.name0, cfg.name1)) return -Errno.EEXIST;
  const ifp = if_list.take();
  if (!ifp) return -Errno.ENOBUFS;
  if (if_slots.isNeeded(cfg.mtu, cfg.caps) && !if_slots.take(ifp)) {
    ifp.attached = 0;
    return -Errno.ENOBUFS;
  }
  ifp.name0 = cfg.name0;
  ifp.name1 = cfg.name1;
  ifp.medium = cfg.medium;
  ifp.flags = (cfg.flags & CONFIG_FLAGS) | Iff.UP | Iff.RUNNING;
  ifp.hdrlen = isEther ? ether.HEADER : 0;
  takeDevice(ifp, cfg);
  ifp.output = isEther ? if_output.etherOutput.index : if_output.ipOutput.index;
  changed(ifp);
  return i32(ifp.index);
}

/** Something about an interface has changed on which routes depend. */
function changed(ifp: Ifnet): void {
  route.changed();
  route_event.tell(Rtm.IFINFO, changetype<usize>(ifp));
}

function isImpossible(cfg: IfConfig): bool {
  if (cfg.mtu < MTU_MIN || cfg.mtu > MTU_MAX) return true;
  if (cfg.medium != Medium.ETHERNET) return cfg.medium != Medium.IP;
  return ether.isGroup(cfg.hwaddr_hi) || (cfg.hwaddr_hi | cfg.hwaddr_lo) == 0;
}

function takeDevice(ifp: Ifnet, cfg: IfConfig): void {
  const isEther = cfg.medium == Medium.ETHERNET;
  ifp.mtu = cfg.mtu;
  ifp.caps = cfg.caps;
  ifp.hwaddr_hi = isEther ? cfg.hwaddr_hi : 0;
  ifp.hwaddr_lo = isEther ? cfg.hwaddr_lo & 0xffff : 0;
}

/**
 * Gives an interface another device, as an IfConfig says; the name there is not looked at.
 * Addresses, routes, groups, static neighbours and waiting senders stay. Frames that wait in the
 * send queue stay if the new device is like the old one; else they may not suit it, and are dropped
 * (odrops). Other neighbours are forgotten, for the wire may be another. Iff.UP in the IfConfig
 * takes the interface up.
 *
 * @returns its index; ENXIO; EINVAL as {@link attach}, or for another medium, or for one peer where
 * there was a link of many; ENOBUFS without memory for large frames. Nothing has changed then.
 */
function exchange(cfg: IfConfig): i32 {
  const ifp = if_list.byIndex(cfg.ifindex);
  if (!ifp) return -Errno.ENXIO;
  const differs = (cfg.flags ^ ifp.flags) & KIND_FLAGS;
  if (isImpossible(cfg) || cfg.medium != ifp.medium || differs) return -Errno.EINVAL;
  const large = if_slots.isNeeded(cfg.mtu, cfg.caps);
  if (large && !ifp.slots && !if_slots.take(ifp)) return -Errno.ENOBUFS;
  const caps = ifp.caps;
  const mtu = ifp.mtu;
  const hi = ifp.hwaddr_hi;
  const lo = ifp.hwaddr_lo;
  takeDevice(ifp, cfg);
  const moved = ifp.hwaddr_hi != hi || ifp.hwaddr_lo != lo;
  if (moved || ifp.caps != caps || ifp.mtu < mtu) {
    ifp.odrops += if_queue.queued(ifp);
    if_queue.flush(ifp, true);
  }
  ifp.snd_lent = 0;
  ifp.snd_ready = 0;
  if_rx.free(ifp);
  if (!large) ifp.slots = ifp.slot_count = 0;
  arp.forget(ifp, false);
  ifp.flags |= cfg.flags & Iff.UP;
  changed(ifp);
  if (ifp.flags & Iff.UP) {
    for (let ifa = ifp.addrs; ifa; ifa = ifa.next) acd.moved(ifa);
    if_multi.rejoinAll(ifp);
  }
  if_queue.wake(ifp);
  return i32(ifp.index);
}

function isNamed(name0: u64, name1: u64): bool {
  if ((name0 | name1) == 0) return false;
  for (let ifp = if_list.first(); ifp; ifp = if_list.next(ifp)) {
    if (ifp.name0 == name0 && ifp.name1 == name1) return true;
  }
  return false;
}

/** Takes an interface away with its addresses, routes, groups and queues. ENXIO. */
export function detach(i: u32): i32 {
  const ifp = if_list.byIndex(i);
  if (!ifp) return -Errno.ENXIO;
  if (ifp.flags & Iff.LOOPBACK) return -Errno.EINVAL;
  down(ifp);
  while (ifp.addrs) removeAddr(ifp, ifp.addrs);
  if_multi.removeAll(ifp);
  arp.forget(ifp, true);
  route_purge.purge(ifp, changetype<Ifaddr>(0));
  if_queue.flush(ifp, true);
  if_rx.free(ifp);
  ifp.attached = 0;
  ifp.flags = 0;
  changed(ifp);
  if_queue.wakeAll(ifp);
  return 0;
}

/** Changes the flags that a user may change; the interface goes up or down with Iff.UP. */
export function setFlags(ifp: Ifnet, flags: u32): i32 {
  const old = ifp.flags;
  const wanted = (old & ~USER_FLAGS) | (flags & USER_FLAGS);
  if (old & Iff.UP && !(wanted & Iff.UP)) down(ifp);
  ifp.flags = wanted;
  if (!(old & Iff.UP) && wanted & Iff.UP) up(ifp);
  return 0;
}

function up(ifp: Ifnet): void {
  changed(ifp);
  for (let ifa = ifp.addrs; ifa; ifa = ifa.next) acd.announce(ifa);
  if_multi.rejoinAll(ifp);
}

function down(ifp: Ifnet): void {
  ifp.flags &= ~Iff.UP;
  changed(ifp);
  for (let ifa = ifp.addrs; ifa; ifa = ifa.next) acd.stop(ifa);
  arp.forget(ifp, false);
  if_queue.flush(ifp, false);
  if_queue.wakeAll(ifp); // they find out that sending fails
  domain.ctlinput(Prc.IFDOWN, 0);
}

/**
 * Sets the MTU. EINVAL if it is below 68 or above 65,535, or if frames would no longer fit an mbuf
 * on an interface that did not begin with such.
 */
export function setMtu(ifp: Ifnet, mtu: u32): i32 {
  if (mtu < MTU_MIN || mtu > MTU_MAX) return -Errno.EINVAL;
  if (if_slots.isNeeded(mtu, 0) && !ifp.slots) return -Errno.EINVAL;
  ifp.mtu = mtu;
  changed(ifp);
  return 0;
}

/** True for an address of this host; 127/8 is. */
export function isLocal(addr: u32): bool {
  if (ip4.isLoopback(addr)) return true;
  const rt = route.lookup(addr);
  return rt ? (rt.flags & Rtf.LOCAL) != 0 : false;
}

/**
 * Gives an interface an address, in host order. `mask` 0 stands for all ones. `bcast` 0 stands for
 * the all-ones host of the subnet, if the interface broadcasts. `dst` is the peer of a
 * point-to-point interface.
 *
 * @returns 0; EINVAL if addr cannot be a host's or mask is no mask; EEXIST if this host has the
 * address; ENOBUFS.
 */
export function addAddr(ifp: Ifnet, addr: u32, mask: u32, bcast: u32, dst: u32): i32 {
  if (mask == 0) mask = HOST_MASK;
  const bad = addr == 0 || ip4.isMulticast(addr) || ip4.isReserved(addr) || !route.isMask(mask);
  const loop = (ifp.flags & Iff.LOOPBACK) != 0;
  if (bad || ip4.isLoopback(addr) != loop) return -Errno.EINVAL;
  if (if_list.ifaByAddr(addr)) return -Errno.EEXIST;
  const ifa = changetype<Ifaddr>(pool.get(P));
  if (!ifa) return -Errno.ENOBUFS;
  ifa.ifp = ifp;
  ifa.addr = addr;
  ifa.mask = mask;
  ifa.dst = dst;
  // a subnet of one or two hosts has no broadcast address (RFC 3021)
  if (ifp.flags & Iff.BROADCAST && ~mask > 1) ifa.broadcast = bcast ? bcast : addr | ~mask;
  append(ifp, ifa);
  const error = addRoutes(ifp, ifa);
  if (error) {
    removeAddr(ifp, ifa);
    return error;
  }
  route_event.tell(Rtm.NEWADDR, changetype<usize>(ifa));
  acd.announce(ifa);
  return 0;
}

function append(ifp: Ifnet, ifa: Ifaddr): void {
  if (!ifp.addrs) {
    ifp.addrs = ifa;
    return;
  }
  let last = ifp.addrs;
  while (last.next) last = last.next;
  last.next = ifa;
}

/** Installs the routes of an address; 0 or an error. */
function addRoutes(ifp: Ifnet, ifa: Ifaddr): i32 {
  const lo = if_list.loopback();
  const error = route.insert(ifa.addr, HOST_MASK, 0, Rtf.LOCAL, lo ? lo : ifp, ifa);
  if (failed(error)) return error;
  if (ifa.broadcast) {
    // RFC 1122 3.3.6: the old form, host number zero, is recognized as well
    const e1 = route.insert(ifa.broadcast, HOST_MASK, 0, Rtf.BROADCAST, ifp, ifa);
    const zero = ifa.addr & ifa.mask;
    const e2 = route.insert(zero, HOST_MASK, 0, Rtf.BROADCAST, ifp, ifa);
    if (failed(e1) || failed(e2)) return -Errno.ENOBUFS;
  }
  return addLink(ifp, ifa);
}

/** The routes to the subnet and to the peer; another address may have them already. */
function addLink(ifp: Ifnet, ifa: Ifaddr): i32 {
  let error: i32 = 0;
  if (ifa.mask != HOST_MASK) {
    error = route.insert(ifa.addr & ifa.mask, ifa.mask, 0, 0, ifp, ifa);
  }
  if (ifa.dst && !failed(error)) {
    error = route.insert(ifa.dst, HOST_MASK, 0, 0, ifp, ifa);
  }
  return failed(error) ? error : 0;
}

/** A route that is there already serves as well. */
function failed(error: i32): bool {
  return error < 0 && error != -Errno.EEXIST;
}

/** Takes an address away from an interface. EADDRNOTAVAIL if it has no such address. */
export function delAddr(ifp: Ifnet, addr: u32): i32 {
  const ifa = if_list.ofInterface(ifp, addr);
  if (!ifa) return -Errno.EADDRNOTAVAIL;
  removeAddr(ifp, ifa);
  return 0;
}

function removeAddr(ifp: Ifnet, ifa: Ifaddr): void {
  acd.stop(ifa);
  unlink(ifp, ifa);
  route_purge.purge(ifp, ifa);
  // another address of the same subnet takes over its routes
  for (let other = ifp.addrs; other; other = other.next) {
    if ((other.addr & other.mask) == (ifa.addr & other.mask)) addRoutes(ifp, other);
  }
  const addr = ifa.addr;
  route_event.tell(Rtm.DELADDR, changetype<usize>(ifa));
  pool.put(P, changetype<usize>(ifa));
  route.changed();
  if (S.gone && !if_list.ifaByAddr(addr)) call_indirect<void>(S.gone, addr);
}

function unlink(ifp: Ifnet, ifa: Ifaddr): void {
  if (ifp.addrs == ifa) {
    ifp.addrs = ifa.next;
    return;
  }
  let prev = ifp.addrs;
  while (prev.next != ifa) prev = prev.next;
  prev.next = ifa.next;
}
