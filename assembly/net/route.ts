/**
 * The routing table: which interface and next hop lead to an address, by the longest prefix that
 * matches (RFC 1812 5.2.4.3). Routes stand in a hash table by their prefix, and lookups try the
 * lengths of prefix that are in use, the longest first: so what a lookup costs does not depend on
 * how many routes there are. A direct-mapped cache by destination answers nearly all of them before
 * that. Every change gives the table a new generation, which empties that cache and others.
 *
 * Routes for one prefix stand side by side: those for packets from some network before those for
 * all, then those with the smaller metric. The ones of the user that are equal in that share the
 * traffic, flow by flow.
 */
import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import { Rtf, Rtm } from "../abi/route";
import * as arena from "../sys/arena";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import { Ifaddr, Ifnet } from "./ifnet_t";
import * as route_event from "./route_event";
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
  lengths: u64; // bit n: there is a prefix of 32 - n bits
  first: Rtentry; // all routes
  last: Rtentry;
  places: usize; // of the table: first routes, 1 << bits of them
  marks: usize; // a byte for each place: bit n is set if there is a route whose hash ends in n
  bits: u32;
  cache: usize; // PLACES of Place
  generation: u32;
  sourced: u32; // routes for packets from some network only
  walk: Rtentry; // the route that a walk has reached, and which it was in that generation
  walked: u32;
  walk_generation: u32;
}

const S: RouteState = changetype<RouteState>(memory.data(offsetof<RouteState>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
/** How many prefixes there are of each length, 32 - n bits for place n. */
const COUNTS: usize = memory.data(33 * 4, 16);
/** A route that is about to be added. */
const NEW: Rtentry = changetype<Rtentry>(memory.data(offsetof<Rtentry>(), 16));

const PLACES_LOG2: u32 = 10;
const HASH: u32 = 0x9e3779b1;

/** Makes room for `limit` routes; false without memory. */
export function init(limit: u32): bool {
  S.generation = 1;
  S.bits = 32 - u32(clz(min<u32>(limit, 1 << 24) | 15));
  S.cache = arena.alloc(offsetof<Place>() << PLACES_LOG2, 64);
  S.places = arena.alloc(4 << S.bits, 64);
  S.marks = arena.alloc(1 << S.bits, 64);
  return pool.init(P, u32(offsetof<Rtentry>()), limit) && S.cache != 0 && S.marks != 0;
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

/** The hash of a prefix: the number of its place, and three bits more for the place's mark. */
function hashOf(dst: u32, mask: u32): u32 {
  return ((dst ^ (mask >> 9)) * HASH) >> (29 - S.bits);
}

/** Where the first route of a prefix's place is kept. */
function placeOf(dst: u32, mask: u32): usize {
  return S.places + (usize(hashOf(dst, mask) >> 3) << 2);
}

/** The route for an address, nil if there is none; valid while generation() is the same. */
export function lookup(dst: u32): Rtentry {
  const at = S.cache + usize((dst * HASH) >> (32 - PLACES_LOG2)) * offsetof<Place>();
  const c = changetype<Place>(at);
  if (c.dst == dst && c.generation == S.generation) return c.rt;
  c.dst = dst;
  c.generation = S.generation;
  c.rt = search(dst, 0, 0);
  return c.rt;
}

/**
 * The route that packets from `src` to `dst` take, where `rt` is what lookup answers for dst. Of
 * several that share the traffic it is one for all packets of a flow: `ports` leads to the 4 bytes
 * of ports, or is 0 for packets of which addresses alone tell the flow.
 */
export function select(rt: Rtentry, dst: u32, src: u32, ports: usize): Rtentry {
  if (S.sourced) rt = search(dst, src, 0);
  return rt && rt.paths > 1 ? share(rt, dst, src, ports ? load<u32>(ports) : 0) : rt;
}

/** The best route that leads somewhere and has none of the flags `avoid`; nil if there is none. */
function search(dst: u32, src: u32, avoid: u32): Rtentry {
  for (let left = S.lengths; left; left &= left - 1) {
    const mask = u32(u64(0xffffffff) << ctz(left));
    const net = dst & mask;
    const hash = hashOf(net, mask);
    // most lengths have no such prefix, and the marks, few bytes, say so of most of them
    if (!((load<u8>(S.marks + usize(hash >> 3)) >> u8(hash & 7)) & 1)) continue;
    for (let rt = load<Rtentry>(S.places + (usize(hash >> 3) << 2)); rt; rt = rt.next) {
      if (rt.dst != net || rt.mask != mask || rt.flags & avoid || !leads(rt)) continue;
      if ((src & rt.from_mask) == rt.from) return rt;
    }
  }
  return nil();
}

/**
 * Of the routes that share the traffic with `rt`, the first of them that leads, the one for a flow
 * (RFC 2992 3: hash threshold). An address of ours goes out where it belongs: the provider there
 * drops what comes from addresses of others (RFC 3704 4.3).
 */
function share(rt: Rtentry, dst: u32, src: u32, ports: u32): Rtentry {
  let all: u32 = 0;
  let own: u32 = 0;
  for (let at = rt; at; at = at.next) {
    if (!ranks(at, rt) || !leads(at)) continue;
    all += 1;
    if (at.ifa.addr == src) own += 1;
  }
  const hash = rand.hash3((u64(dst) << 32) | src, ports, 0) >> 32;
  let nth = u32((hash * u64(own ? own : all)) >> 32);
  for (let at = rt; at; at = at.next) {
    if (!ranks(at, rt) || !leads(at) || (own && at.ifa.addr != src)) continue;
    if (nth-- == 0) return at;
  }
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
  return search(dst, 0, Rtf.GATEWAY);
}

/** True if a packet from `src` may come in by `ifp`: packets to it would go out there. */
export function isReverse(rt: Rtentry, ifp: Ifnet): bool {
  // RFC 3704 2.3: any of the ways to the source will do, for traffic need not be symmetric
  for (let at = rt; at; at = at.next) {
    if (at.ifp == ifp && samePrefix(at, rt)) return true;
  }
  return false;
}

/** True if the bits of a mask are contiguous. */
export function isMask(mask: u32): bool {
  const host = ~mask;
  return (host & (host + 1)) == 0;
}

function samePrefix(a: Rtentry, b: Rtentry): bool {
  return a.dst == b.dst && a.mask == b.mask;
}

/** True if both are for the same packets and neither is better. */
function equals(a: Rtentry, b: Rtentry): bool {
  return samePrefix(a, b) && a.from == b.from && a.from_mask == b.from_mask && a.metric == b.metric;
}

/** Flags that tell kinds of routes apart. */
const KIND: u32 = Rtf.STATIC | Rtf.REJECT | Rtf.BLACKHOLE;

/** True if both are of one kind as well. */
export function ranks(a: Rtentry, b: Rtentry): bool {
  return ((a.flags ^ b.flags) & KIND) == 0 && equals(a, b);
}

/** Adds a route as it is given, without a source: for addresses of interfaces. EEXIST, ENOBUFS. */
export function insert(
  dst: u32,
  mask: u32,
  gateway: u32,
  flags: u32,
  ifp: Ifnet,
  ifa: Ifaddr,
): i32 {
  memory.fill(changetype<usize>(NEW), 0, offsetof<Rtentry>());
  NEW.dst = dst;
  NEW.mask = mask;
  NEW.gateway = gateway;
  NEW.flags = flags;
  NEW.ifp = ifp;
  NEW.ifa = ifa;
  return added(enter(NEW));
}

/** Adds a copy of a route behind those as good. EEXIST: one just like it is there; ENOBUFS. */
export function enter(given: Rtentry): i32 {
  const place = placeOf(given.dst, given.mask);
  let prev = nil();
  let at = load<Rtentry>(place);
  while (at && (!samePrefix(at, given) || !isBetter(given, at))) {
    if (equals(at, given) && at.ifp == given.ifp && at.gateway == given.gateway) {
      return -Errno.EEXIST;
    }
    prev = at;
    at = at.next;
  }
  const rt = changetype<Rtentry>(pool.getDirty(P));
  if (!rt) return -Errno.ENOBUFS;
  memory.copy(changetype<usize>(rt), changetype<usize>(given), offsetof<Rtentry>());
  rt.flags |= Rtf.UP | (rt.gateway ? Rtf.GATEWAY : 0) | (rt.mask == 0xffffffff ? Rtf.HOST : 0);
  rt.paths = 1;
  rt.next = at;
  if (prev) prev.next = rt;
  else store<Rtentry>(place, rt);
  rt.all_next = nil();
  rt.all_prev = S.last;
  if (S.last) S.last.all_next = rt;
  else S.first = rt;
  S.last = rt;
  count(rt, 1);
  return 0;
}

/** Tells of the route that was entered last, unless that failed; answers the result. */
export function added(result: i32): i32 {
  if (!result) route_event.tell(Rtm.ADD, changetype<usize>(S.last));
  return result;
}

/** The route that came last. */
export function newest(): Rtentry {
  return S.last;
}

/** Whether a new route is better than `at`, for the same prefix. */
function isBetter(rt: Rtentry, at: Rtentry): bool {
  if (rt.from_mask != at.from_mask) return rt.from_mask > at.from_mask;
  return rt.metric < at.metric;
}

/** Deletes a route, and tells. */
export function remove(rt: Rtentry): void {
  route_event.tell(Rtm.DELETE, changetype<usize>(rt));
  unlink(rt);
}

/** Takes a route out of the table. */
export function unlink(rt: Rtentry): void {
  let link = placeOf(rt.dst, rt.mask);
  while (load<Rtentry>(link) != rt) {
    link = changetype<usize>(load<Rtentry>(link)) + offsetof<Rtentry>("next");
  }
  store<Rtentry>(link, rt.next);
  if (rt.all_prev) rt.all_prev.all_next = rt.all_next;
  else S.first = rt.all_next;
  if (rt.all_next) rt.all_next.all_prev = rt.all_prev;
  else S.last = rt.all_prev;
  count(rt, -1);
  pool.put(P, changetype<usize>(rt));
}

/** A route has come (1), or goes (-1): keeps what search and select go by. */
function count(rt: Rtentry, by: i32): void {
  const n = ctz(u64(rt.mask) | 0x100000000);
  const place = COUNTS + (usize(n) << 2);
  const routes = load<u32>(place) + by;
  store<u32>(place, routes);
  const bit = u64(1) << n;
  mark(rt.dst, rt.mask);
  S.lengths = routes ? S.lengths | bit : S.lengths & ~bit;
  if (rt.from_mask) S.sourced += by;
  if ((rt.flags & KIND) == Rtf.STATIC) countEquals(rt);
  changed();
}

/** Marks of the routes that stand where those for a prefix do. */
function mark(dst: u32, mask: u32): void {
  let marks: u32 = 0;
  for (let at = firstOf(dst, mask); at; at = at.next) marks |= 1 << (hashOf(at.dst, at.mask) & 7);
  store<u8>(S.marks + usize(hashOf(dst, mask) >> 3), u8(marks));
}

/** Counts the routes that share the traffic with `rt`. */
function countEquals(rt: Rtentry): void {
  const first = firstOf(rt.dst, rt.mask);
  let n: u32 = 0;
  for (let at = first; at; at = at.next) n += u32(ranks(at, rt));
  for (let at = first; at; at = at.next) if (ranks(at, rt)) at.paths = n;
}

/** The first route that stands where those for a prefix do, and others may; nil if none does. */
export function firstOf(dst: u32, mask: u32): Rtentry {
  return load<Rtentry>(placeOf(dst, mask));
}

/** The route that came first; `all_next` leads to the others. */
export function first(): Rtentry {
  return S.first;
}

/** The `i`-th route in the order they came, nil behind the last. */
export function walk(i: u32): Rtentry {
  // one after the other is what is asked for: then each is found from the one before
  let rt = S.first;
  let n: u32 = 0;
  if (S.walked <= i && S.walk_generation == S.generation && S.walk) {
    rt = S.walk;
    n = S.walked;
  }
  for (; rt && n < i; n++) rt = rt.all_next;
  S.walk = rt;
  S.walked = i;
  S.walk_generation = S.generation;
  return rt;
}

/** Routes in the table. */
export function length(): u32 {
  return P.used;
}
