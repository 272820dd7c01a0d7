/**
 * The way out of an interface, one function for each kind: `output(ifp: usize, m: usize, nexthop:
 * u32): i32`. m is a packet at its IP header; nexthop, in host order, is a neighbour, a group or a
 * broadcast address. They own m.
 */
import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as ether from "../wire/ether";
import * as ip4 from "../wire/ip4";
import * as arp from "./arp";
import * as send from "./arp_send";
import * as if_queue from "./if_queue";
import { Ifnet } from "./ifnet_t";

/**
 * Ethernet: groups and broadcasts have hardware addresses of their own, neighbours are found by
 * ARP. Mf.BCAST in m says that nexthop is a broadcast address.
 *
 * @returns 0; ENETDOWN; ENOBUFS; EHOSTDOWN if the neighbour did not answer lately; EHOSTUNREACH if
 * the interface has no ARP and no static entry.
 */
export function etherOutput(ifpp: usize, mp: usize, nexthop: u32): i32 {
  const ifp = changetype<Ifnet>(ifpp);
  const m = changetype<Mbuf>(mp);
  if (!(ifp.flags & Iff.UP)) return refuse(m, -Errno.ENETDOWN);
  if (m.flags & Mf.BCAST) return send.ip(ifp, m, ether.BROADCAST_HI, ether.BROADCAST_LO);
  if (ip4.isMulticast(nexthop)) {
    m.flags |= u16(Mf.MCAST);
    return send.ip(ifp, m, ether.groupHi(nexthop), ether.groupLo(nexthop));
  }
  if (ifp.flags & Iff.NOARP && !arp.get(ifp, nexthop)) return refuse(m, -Errno.EHOSTUNREACH);
  return arp.resolve(ifp, m, nexthop);
}

/** Bare IP: the packet is the frame. ENETDOWN, ENOBUFS. */
export function ipOutput(ifpp: usize, mp: usize, _nexthop: u32): i32 {
  const ifp = changetype<Ifnet>(ifpp);
  let m = changetype<Mbuf>(mp);
  if (m.next && !ifp.slots) {
    m = ops.linear(m);
    if (!m) {
      ifp.oerrors += 1;
      return -Errno.ENOBUFS;
    }
  }
  return if_queue.enqueue(ifp, m);
}

/**
 * Loopback: the packet waits in the queue until loop.run takes it in again, so sending never enters
 * the input side. It may be a chain. ENETDOWN, ENOBUFS.
 */
export function loopOutput(ifpp: usize, mp: usize, _nexthop: u32): i32 {
  return if_queue.enqueue(changetype<Ifnet>(ifpp), changetype<Mbuf>(mp));
}

function refuse(m: Mbuf, error: i32): i32 {
  mbuf.freem(m);
  return error;
}
