/**
 * The routing table: which interface and next hop lead to an address, by the longest prefix that
 * matches. Routes stand in one list, longer prefixes first and smaller metrics first among equals;
 * a direct-mapped cache by destination answers nearly all lookups without walking it. Every change
 * gives the table a new generation, which empties that cache and those of others.
 */
import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import { Rtf } from "../abi/route";
import * as arena from "../sys/arena";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as if_list from "./if_list";
import { Ifaddr, Ifnet } from "./ifnet_t";
import { Rtentry } from "./route_t";

/** A place of the destination cache. */
@unmanaged
@final
export class Place {
  dst: u32;
  generation: u32; // the table's, when rt was found
  rt: Rtentry; // nil: no route
  pad: u32;
}

/** State of the module. */
@unmanaged
@final
export class RouteState {
  first: Rtentry;
  cache: usize; // PLACES of Place
  generation: u32;
  pad: u32;
}

const S: RouteState = changetype<RouteState>(memory.data(offsetof<RouteState>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

const PLACES_LOG2: u32 = 10;

/** Makes room for `limit` routes; false without memory. */
export function init(limit: u32): bool {
  S.cache = arena.alloc(offsetof<Place>() << PLACES_LOG2, 64);
  S.generation = 1;
  return pool.init(P, u32(offsetof<Rtentry>()), limit) && S.cache != 0;
}

/** Changes with every change of the table, and of what it leads to. */
export function generation(): u32 {
  return S.generation;
}

/** What routes lead to has changed: an interface went up or down. */
export function changed(): void {
  S.generation += 1;
}

function nil(): Rtentry {
  return changetype<Rtentry>(0);
}

/** The route for an address, nil if there is none; valid while generation() is the same. */
export function lookup(dst: u32): Rtentry {
  const at = S.cache + usize((dst * 0x9e3779b1) >> (32 - PLACES_LOG2)) * offsetof<Place>();
  const c = changetype<Place>(at);
  if (c.dst == dst && c.generation == S.generation) return c.rt;
  c.dst = dst;
  c.generation = S.generation;
  c.rt = search(dst);
  return c.rt;
}

function search(dst: u32): Rtentry {
  let rt = S.first;
  while (rt && ((dst & rt.mask) != rt.dst || !leads(rt))) rt = rt.next;
  return rt;
}

/**
 * A route over an interface that is down leads nowhere, and the next best is taken. Our own
 * addresses are ours even while lo0 is down.
 */
function leads(rt: Rtentry): bool {
  return (rt.ifp.flags & Iff.UP) != 0 || (rt.flags & Rtf.LOCAL) != 0;
}

/** The route for an address among those that need no gateway, nil if it is on no link of ours. */
export function onLink(dst: u32): Rtentry {
  let rt = S.first;
  while (rt && ((dst & rt.mask) != rt.dst || rt.flags & Rtf.GATEWAY || !leads(rt))) rt = rt.next;
  return rt;
}

/** True if the bits of a mask are contiguous. */
export function isMask(mask: u32): bool {
  const host = ~mask;
  return (host & (host + 1)) == 0;
}

/**
 * Adds a route. `gateway` 0: the prefix is on the link of interface `ifindex`. `ifindex` 0: the one
 * that the gateway is on. Of flags REJECT, BLACKHOLE and STATIC count.
 *
 * @returns 0; EINVAL for an impossible mask, prefix or gateway; ENXIO no such interface;
 * ENETUNREACH the gateway is on no link of ours; EADDRNOTAVAIL the interface has no address;
 * EEXIST; ENOBUFS.
 */
export function add(
  dst: u32,
  mask: u32,
  gateway: u32,
  flags: u32,
  ifindex: u32,
  metric: u32,
): i32 {
  if (!isMask(mask) || (dst & ~mask) != 0) return -Errno.EINVAL;
  const refuses = (flags & (Rtf.REJECT | Rtf.BLACKHOLE)) != 0;
  let ifp = if_list.byIndex(ifindex);
  if (ifindex && !ifp) return -Errno.ENXIO;
  if (gateway) {
    const via = onLink(gateway);
    if (!via || (ifp && via.ifp != ifp)) return -Errno.ENETUNREACH;
    if (via.flags & (Rtf.LOCAL | Rtf.BROADCAST)) return -Errno.EINVAL;
    ifp = via.ifp;
  } else if (!ifp) {
    if (!refuses) return -Errno.EINVAL;
    ifp = if_list.loopback();
    if (!ifp) return -Errno.ENXIO;
  }
  const ifa = if_list.sourceFor(ifp, gateway ? gateway : dst);
  if (!ifa && !refuses) return -Errno.EADDRNOTAVAIL;
  const kept = flags & (Rtf.REJECT | Rtf.BLACKHOLE) | Rtf.STATIC;
  return insert(dst, mask, gateway, kept, ifp, ifa, metric);
}

/** Adds a route as it is given: for addresses of interfaces. EEXIST, ENOBUFS. */
export function insert(
  dst: u32,
  mask: u32,
  gateway: u32,
  flags: u32,
  ifp: Ifnet,
  ifa: Ifaddr,
  metric: u32,
): i32 {
  let prev = nil();
  for (let at = S.first; at; at = at.next) {
    if (at.dst == dst && at.mask == mask && at.metric == metric && at.ifp == ifp) {
      return -Errno.EEXIST;
    }
    if (at.mask > mask || (at.mask == mask && at.metric <= metric)) prev = at;
  }
  const rt = changetype<Rtentry>(pool.get(P));
  if (!rt) return -Errno.ENOBUFS;
  rt.dst = dst;
  rt.mask = mask;
  rt.gateway = gateway;
  rt.flags = flags | Rtf.UP | (gateway ? Rtf.GATEWAY : 0) | (mask == 0xffffffff ? Rtf.HOST : 0);
  rt.ifp = ifp;
  rt.ifa = ifa;
  rt.metric = metric;
  rt.next = prev ? prev.next : S.first;
  if (prev) prev.next = rt;
  else S.first = rt;
  changed();
  return 0;
}

/**
 * Limits packets to `mtu` bytes along the route for a prefix that was added last with this metric,
 * and the TCP segments that are asked for to `mss`; 0 for what the interface says. ESRCH.
 */
export function setLimits(dst: u32, mask: u32, metric: u32, mtu: u32, mss: u32): i32 {
  let found = nil();
  for (let rt = S.first; rt; rt = rt.next) {
    const same = rt.dst == dst && rt.mask == mask && rt.metric == metric;
    if (same && rt.flags & Rtf.STATIC) found = rt;
  }
  if (!found) return -Errno.ESRCH;
  found.mtu = mtu;
  found.mss = mss;
  changed();
  return 0;
}

/** Deletes a route that was added; those of interface addresses go with their address. ESRCH. */
export function del(dst: u32, mask: u32): i32 {
  let prev = nil();
  for (let rt = S.first; rt; rt = rt.next) {
    if (rt.dst == dst && rt.mask == mask && rt.flags & Rtf.STATIC) {
      unlink(prev, rt);
      return 0;
    }
    prev = rt;
  }
  return -Errno.ESRCH;
}

function unlink(prev: Rtentry, rt: Rtentry): void {
  if (prev) prev.next = rt.next;
  else S.first = rt.next;
  pool.put(P, changetype<usize>(rt));
  changed();
}

/**
 * Deletes all routes that `ifa` stands behind, or, if `ifa` is nil, all over `ifp`. Routes that
 * were added by the user and can go on with another address of the interface do so.
 */
export function purge(ifp: Ifnet, ifa: Ifaddr): void {
  let prev = nil();
  let rt = S.first;
  while (rt) {
    const next = rt.next;
    if (ifa ? rt.ifa == ifa && !rehome(rt, ifa) : rt.ifp == ifp) unlink(prev, rt);
    else prev = rt;
    rt = next;
  }
}

/** Gives a user's route another source address on the same subnet; false if there is none. */
function rehome(rt: Rtentry, ifa: Ifaddr): bool {
  if (!(rt.flags & Rtf.STATIC)) return false;
  const toward = rt.gateway ? rt.gateway : rt.dst;
  for (let other = rt.ifp.addrs; other; other = other.next) {
    if (other != ifa && (toward & other.mask) == (other.addr & other.mask)) {
      rt.ifa = other;
      changed();
      return true;
    }
  }
  return false;
}

/** The `i`-th route in the table's order, nil behind the last. */
export function walk(i: u32): Rtentry {
  let rt = S.first;
  while (rt && i--) rt = rt.next;
  return rt;
}

/** Routes in the table. */
export function count(): u32 {
  return P.used;
}
