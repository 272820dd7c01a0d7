/**
 * Groups joined on interfaces (RFC 1112). The all-hosts group is joined on every interface that has
 * Iff.MULTICAST without being in a list.
 */
import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { ALL_HOSTS } from "../wire/igmp";
import * as ip4 from "../wire/ip4";
import { Ifmulti, Ifnet } from "./ifnet_t";

/** State of the module. */
@unmanaged
@final
export class MultiState {
  joined: u32; // function: joined(multi: usize): void, when routers are to learn of a group
  left: u32; // function: left(multi: usize): void, before the last one goes
  changed: u32; // function: changed(multi: usize, source: u32, before: bool): void; see igmp
  pad: u32;
}

const S: MultiState = changetype<MultiState>(memory.data(offsetof<MultiState>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** Room for `limit` groups on all interfaces together; false without memory. */
export function init(limit: u32): bool {
  return pool.init(P, u32(offsetof<Ifmulti>()), limit);
}

/** Names the functions that tell the routers of groups joined and left (IGMP). */
export function setHooks(joined: u32, left: u32, changed: u32): void {
  S.joined = joined;
  S.left = left;
  S.changed = changed;
}

/** A member has come to a group, or its filter has changed; see IGMP. */
export function changed(g: Ifmulti, source: u32, before: bool): void {
  if (S.changed) call_indirect<void>(S.changed, g, source, before);
}

/** The record of a group joined on an interface, nil if it is not. */
export function find(ifp: Ifnet, group: u32): Ifmulti {
  let g = ifp.multis;
  while (g && g.group != group) g = g.next;
  return g;
}

/** True if packets for a group are to be taken from this interface. */
export function isMember(ifp: Ifnet, group: u32): bool {
  if (group == ALL_HOSTS) return (ifp.flags & Iff.MULTICAST) != 0;
  return find(ifp, group) != null;
}

/**
 * One more membership of a group; who asks for it tells IGMP. EINVAL if it is no group,
 * EADDRNOTAVAIL if the interface does not do multicast, ENOBUFS.
 */
export function joinGroup(ifp: Ifnet, group: u32): i32 {
  if (!ip4.isMulticast(group)) return -Errno.EINVAL;
  if (!(ifp.flags & Iff.MULTICAST)) return -Errno.EADDRNOTAVAIL;
  if (group == ALL_HOSTS) return 0;
  let g = find(ifp, group);
  if (g) {
    g.refs += 1;
    return 0;
  }
  g = changetype<Ifmulti>(pool.get(P));
  if (!g) return -Errno.ENOBUFS;
  g.group = group;
  g.refs = 1;
  g.ifp = ifp;
  g.next = ifp.multis;
  ifp.multis = g;
  return 0;
}

/** One membership less. EADDRNOTAVAIL if the group is not joined. */
export function leaveGroup(ifp: Ifnet, group: u32): i32 {
  if (group == ALL_HOSTS && ifp.flags & Iff.MULTICAST) return 0;
  const g = find(ifp, group);
  if (!g) return -Errno.EADDRNOTAVAIL;
  g.refs -= 1;
  if (g.refs == 0) remove(ifp, g);
  return 0;
}

function remove(ifp: Ifnet, g: Ifmulti): void {
  if (S.left) call_indirect<void>(S.left, g);
  if (ifp.multis == g) {
    ifp.multis = g.next;
  } else {
    let prev = ifp.multis;
    while (prev.next != g) prev = prev.next;
    prev.next = g.next;
  }
  pool.put(P, changetype<usize>(g));
}

/** The interface goes away: nobody is a member of anything there. */
export function removeAll(ifp: Ifnet): void {
  while (ifp.multis) remove(ifp, ifp.multis);
}

/** The interface came up: its routers learn of the groups again. */
export function rejoinAll(ifp: Ifnet): void {
  if (!S.joined) return;
  for (let g = ifp.multis; g; g = g.next) call_indirect<void>(S.joined, g);
}
