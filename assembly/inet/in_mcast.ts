/**
 * Multicast memberships of sockets (RFC 1112 7.1): IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP. The
 * interfaces count how many sockets share a group; here stands which socket has joined what.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import * as net_if from "../net/if";
import * as if_list from "../net/if_list";
import { Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { Inpcb } from "./in_pcb_t";

/** One socket's membership of a group on an interface. */
@unmanaged
@final
export class Membership {
  next: Membership;
  group: u32; // host order
  ifindex: u32;
  attachment: u32; // of the interface: the index may be another's later
}

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
  if (!sockaddr_ops.isGroup4(group)) return -Errno.EINVAL;
  const ifp = ifindex ? if_list.byIndex(ifindex) : defaultIfp(group);
  if (!ifp || !(ifp.flags & Iff.MULTICAST)) return -Errno.EADDRNOTAVAIL;
  if (find(inp, group, ifp)) return -Errno.EADDRINUSE;
  dropEnded(inp);
  const membership = changetype<Membership>(pool.get(memberships));
  if (!membership) return -Errno.ENOBUFS;
  const error = net_if.joinGroup(ifp, group);
  if (error < 0) {
    pool.put(memberships, changetype<usize>(membership));
    return error;
  }
  membership.group = group;
  membership.ifindex = ifp.index;
  membership.attachment = ifp.attached;
  membership.next = head(inp);
  inp.memberships = changetype<usize>(membership);
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
  if (ifp) net_if.leaveGroup(ifp, membership.group);
  pool.put(memberships, changetype<usize>(membership));
}

/** Whether a socket takes packets to a group that came in by an interface. */
export function accepts(inp: Inpcb, group: u32, ifp: Ifnet): bool {
  return group == ALL_HOSTS || changetype<usize>(find(inp, group, ifp)) != 0;
}
