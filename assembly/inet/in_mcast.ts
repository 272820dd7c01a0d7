/**
 * Multicast memberships of sockets (RFC 1112 7.1) and their source filters (RFC 3678 4.1). The
 * interfaces count how many sockets share a group; here stands which socket has joined what, and
 * what an interface wants of a group: the filters of its members together (RFC 3376 3.2).
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import { IpOpt } from "../abi/socket";
import * as net_if from "../net/if";
import * as if_list from "../net/if_list";
import * as if_multi from "../net/if_multi";
import { Ifmulti, Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { has, listed, members, Membership } from "./in_mcast_filter";
import { Inpcb } from "./in_pcb_t";
import { PKT } from "./pkt_t";

/** Sources in the filter of one socket at most: IP_MAX_SOCK_SRC_FILTER of FreeBSD. */
const SOURCES_MAX: u32 = 128;

/** All systems on this network: every host is a member (RFC 1112 4). */
const ALL_HOSTS: u32 = 0xe0000001;

const memberships: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** Makes room for `limit` memberships. False without memory. */
export function init(limit: u32): bool {
  return pool.init(memberships, <u32> offsetof<Membership>(), limit);
}

/**
 * The interface for a group, or for the limited broadcast address, when the program named none: by
 * the routing table, else the first that is up and can, the loopback interface last; or nil.
 */
export function defaultIfp(dst: u32): Ifnet {
  const rt = route.lookup(dst);
  if (rt) return rt.ifp;
  const can: u32 = Iff.UP | (dst == 0xffffffff ? Iff.BROADCAST : Iff.MULTICAST);
  let last = changetype<Ifnet>(0);
  for (let ifp = if_list.first(); ifp; ifp = if_list.next(ifp)) {
    if ((ifp.flags & can) != can) continue;
    if (!(ifp.flags & Iff.LOOPBACK)) return ifp;
    last = ifp;
  }
  return last;
}

function head(inp: Inpcb): Membership {
  return changetype<Membership>(inp.memberships);
}

/** The interface of a membership; nil if it has been detached, and so the membership ended. */
function ifpOf(membership: Membership): Ifnet {
  const ifp = if_list.byIndex(membership.ifindex);
  return ifp && ifp.attached == membership.attachment ? ifp : changetype<Ifnet>(0);
}

/** The socket's membership of a group on an interface (nil: on any), or nil. */
function find(inp: Inpcb, group: u32, ifp: Ifnet): Membership {
  for (let at = head(inp); at; at = at.next) {
    if (at.group != group) continue;
    const by = ifpOf(at);
    if (by && (!ifp || by == ifp)) return at;
  }
  return changetype<Membership>(0);
}

/** Takes a membership off the socket's list and gives it back. */
function drop(inp: Inpcb, membership: Membership): void {
  if (head(inp) == membership) inp.memberships = changetype<usize>(membership.next);
  else {
    let before = head(inp);
    while (before.next != membership) before = before.next;
    before.next = membership.next;
  }
  release(membership);
}

/** Gives back the memberships that ended with their interfaces. */
function dropEnded(inp: Inpcb): void {
  let at = head(inp);
  while (at) {
    const next = at.next;
    if (!ifpOf(at)) drop(inp, at);
    at = next;
  }
}

/**
 * Joins a group on an interface, 0 for the one that routing gives. EINVAL: not a group address;
 * EADDRNOTAVAIL: no such interface, or it has no multicast; EADDRINUSE: joined already; ENOBUFS.
 */
export function join(inp: Inpcb, group: u32, ifindex: u32): i32 {
  return joinFor(inp, group, ifindex, 0);
}

/** Joins a group, for all sources or, unless it is 0, for one. */
function joinFor(inp: Inpcb, group: u32, ifindex: u32, source: u32): i32 {
  if (!sockaddr_ops.isGroup4(group)) return -Errno.EINVAL;
  const ifp = ifindex ? if_list.byIndex(ifindex) : defaultIfp(group);
  if (!ifp || !(ifp.flags & Iff.MULTICAST)) return -Errno.EADDRNOTAVAIL;
  if (find(inp, group, ifp)) return -Errno.EADDRINUSE;
  dropEnded(inp);
  const membership = changetype<Membership>(pool.get(memberships));
  if (!membership) return -Errno.ENOBUFS;
  let error = source ? list(membership, source) : 0;
  if (error == 0) error = net_if.joinGroup(ifp, group);
  if (error < 0) {
    putAll(membership);
    return error;
  }
  membership.include = u32(source != 0);
  membership.group = group;
  membership.ifindex = ifp.index;
  membership.attachment = ifp.attached;
  membership.next = head(inp);
  inp.memberships = changetype<usize>(membership);
  const g = if_multi.find(ifp, group);
  if (!g) return 0; // the all-hosts group
  const before = listed(g, source);
  membership.peer = members(g);
  g.members = changetype<usize>(membership);
  if_multi.changed(g, source, before);
  return 0;
}

/**
 * Leaves a group, on an interface or, for 0, on the one joined last. EINVAL: not a group address;
 * EADDRNOTAVAIL: not a member.
 */
export function leave(inp: Inpcb, group: u32, ifindex: u32): i32 {
  if (!sockaddr_ops.isGroup4(group)) return -Errno.EINVAL;
  const ifp = if_list.byIndex(ifindex);
  if (ifindex && !ifp) return -Errno.EADDRNOTAVAIL;
  const found = find(inp, group, ifp);
  if (!found) return -Errno.EADDRNOTAVAIL;
  drop(inp, found);
  return 0;
}

/** Leaves every group: the socket goes away. */
export function leaveAll(inp: Inpcb): void {
  let at = head(inp);
  inp.memberships = 0;
  while (at) {
    const next = at.next;
    release(at);
    at = next;
  }
}

/** Gives back a membership and tells its interface, unless that has been detached. */
function release(membership: Membership): void {
  const ifp = ifpOf(membership);
  const g = ifp ? if_multi.find(ifp, membership.group) : changetype<Ifmulti>(0);
  if (g) {
    const first = membership.sources;
    const source = first && !first.next ? first.group : 0;
    const before = listed(g, source);
    if (members(g) == membership) g.members = changetype<usize>(membership.peer);
    else {
      let at = members(g);
      while (at.peer != membership) at = at.peer;
      at.peer = membership.peer;
    }
    if (g.members) if_multi.changed(g, source, before);
    net_if.leaveGroup(ifp, membership.group);
  }
  putAll(membership);
}

/** Gives back a membership with its list of sources. */
function putAll(membership: Membership): void {
  let at = membership.sources;
  while (at) {
    const next = at.next;
    pool.put(memberships, changetype<usize>(at));
    at = next;
  }
  pool.put(memberships, changetype<usize>(membership));
}

/** Adds a source to a filter's list. ENOBUFS: it is full, or there is no memory. */
function list(membership: Membership, source: u32): i32 {
  let n: u32 = 0;
  for (let at = membership.sources; at; at = at.next) n++;
  if (n >= SOURCES_MAX) return -Errno.ENOBUFS;
  const entry = changetype<Membership>(pool.get(memberships));
  if (!entry) return -Errno.ENOBUFS;
  entry.group = source;
  entry.next = membership.sources;
  membership.sources = entry;
  return 0;
}

/** Takes a source off a filter's list; false if it is not there. */
function unlist(membership: Membership, source: u32): bool {
  let before = changetype<Membership>(0);
  for (let at = membership.sources; at; at = at.next) {
    if (at.group == source) {
      if (before) before.next = at.next;
      else membership.sources = at.next;
      pool.put(memberships, changetype<usize>(at));
      return true;
    }
    before = at;
  }
  return false;
}

/**
 * IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and IP_UNBLOCK_SOURCE (RFC
 * 3678 4.1.2, 4.1.3). EINVAL: the option is for the other filter mode, or no group is joined that
 * could be blocked; EADDRNOTAVAIL: the source is there already, or is not; ENOBUFS.
 */
export function source(inp: Inpcb, name: i32, group: u32, ifindex: u32, address: u32): i32 {
  if (!sockaddr_ops.isGroup4(group) || !address) return -Errno.EINVAL;
  const ifp = ifindex ? if_list.byIndex(ifindex) : defaultIfp(group);
  if (!ifp) return -Errno.EADDRNOTAVAIL;
  const at = find(inp, group, ifp);
  const include = u32(name <= IpOpt.DROP_SOURCE_MEMBERSHIP);
  if (!at) {
    if (name == IpOpt.ADD_SOURCE_MEMBERSHIP) return joinFor(inp, group, ifindex, address);
    return include ? -Errno.EADDRNOTAVAIL : -Errno.EINVAL;
  }
  if (at.include != include) return -Errno.EINVAL;
  const add = name == IpOpt.ADD_SOURCE_MEMBERSHIP || name == IpOpt.BLOCK_SOURCE;
  if (has(at, address) == add) return -Errno.EADDRNOTAVAIL;
  if (name == IpOpt.DROP_SOURCE_MEMBERSHIP && !at.sources.next) {
    drop(inp, at); // RFC 3678 4.1.2: without its last source a membership ends
    return 0;
  }
  const g = if_multi.find(ifp, group);
  const before = g ? listed(g, address) : false;
  if (add) {
    const error = list(at, address);
    if (error < 0) return error;
  } else unlist(at, address);
  if (g) if_multi.changed(g, address, before);
  return 0;
}

/** Whether a socket takes packets to a group that came in by an interface, of PKT's sender. */
export function accepts(inp: Inpcb, group: u32, ifp: Ifnet): bool {
  return allows(inp, group, ifp, false);
}

/** The same for a socket that takes them, if `bound` to the group, without being a member. */
export function allows(inp: Inpcb, group: u32, ifp: Ifnet, bound: bool): bool {
  const at = find(inp, group, ifp);
  if (!at) return bound || group == ALL_HOSTS;
  return has(at, PKT.src4) == (at.include != 0);
}
