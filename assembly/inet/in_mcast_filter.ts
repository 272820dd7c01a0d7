/**
 * Source filters of multicast memberships (RFC 3678 2), and what the filters of all members of a
 * group on an interface come to (RFC 3376 3.2).
 *
 * @module
 */

import { Ifmulti } from "../net/ifnet_t";

/** One socket's membership of a group on an interface. */
@unmanaged
@final
export class Membership {
  next: Membership;
  group: u32; // host order
  ifindex: u32;
  attachment: u32; // of the interface: the index may be another's later
  sources: Membership; // the filter's list: their addresses stand in `group`
  include: u32; // 1: only packets of those sources are taken; 0: all but those
  peer: Membership; // the next member of the group on the interface
  pad: u32;
}

/** Whether a source is in the list of a filter. */
export function has(membership: Membership, address: u32): bool {
  for (let at = membership.sources; at; at = at.next) if (at.group == address) return true;
  return false;
}

/** The first member of a group on an interface. */
export function members(g: Ifmulti): Membership {
  return changetype<Membership>(g.members);
}

/** Whether a member of a group asks for all sources but some (RFC 3376 3.2). */
export function excludes(g: Ifmulti): bool {
  for (let at = members(g); at; at = at.peer) if (!at.include) return true;
  return false;
}

/** Whether a member of a group names sources. */
export function isSelective(g: Ifmulti): bool {
  for (let at = members(g); at; at = at.peer) if (at.sources) return true;
  return false;
}

/** Whether a member of a group wants packets of a source. */
export function isWanted(g: Ifmulti, address: u32): bool {
  for (let at = members(g); at; at = at.peer) {
    if (has(at, address) == (at.include != 0)) return true;
  }
  return false;
}

/** Whether a source is in the interface's list: wanted though not all are, or the reverse. */
export function listed(g: Ifmulti, address: u32): bool {
  return isWanted(g, address) != excludes(g);
}

/** Writes the interface's list of sources to p in network order, `max` at most; how many. */
export function writeSources(g: Ifmulti, p: usize, max: u32): u32 {
  let n: u32 = 0;
  for (let at = members(g); at; at = at.peer) {
    for (let s = at.sources; s; s = s.next) {
      const be = bswap(s.group);
      let i: u32 = 0;
      while (i < n && load<u32>(p + (i << 2)) != be) i++;
      if (i < n || !listed(g, s.group)) continue;
      if (n == max) return n;
      store<u32>(p + (n << 2), be);
      n++;
    }
  }
  return n;
}
