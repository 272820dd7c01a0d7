/**
 * IPv4 output: finds the way to the destination, puts the header in front and hands the packet to
 * the interface, in fragments if it must be.
 */
import { Errno } from "../abi/errno";
import { Iff } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { Rtf, Rtm } from "../abi/route";
import { Stat } from "../abi/stat";
import * as if_list from "../net/if_list";
import * as if_multi from "../net/if_multi";
import * as if_vnet from "../net/if_vnet";
import { Ifaddr, Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import * as route_event from "../net/route_event";
import { Rtentry } from "../net/route_t";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as ip4 from "../wire/ip4";
import * as ip_fragment from "./ip_fragment";
import * as ip_mtu from "./ip_mtu";
import * as ip_options from "./ip_options";
import { IpOut } from "./pkt_t";

export { mtuFor, mtuOf } from "./ip_mtu";

/** Where the packet being sent goes. */
@unmanaged
@final
export class Way {
  ifp: Ifnet;
  ifa: Ifaddr; // gives the source address; nil if the interface has none
  nexthop: u32;
  mtu: u32;
  flags: u32; // Mf.BCAST or MCAST
  swallow: u32; // 1: a black hole
}

const W: Way = changetype<Way>(memory.data(offsetof<Way>(), 16));

/**
 * Sends `m`, whose data is a transport header with 36 bytes of room in front, from `src` (0: the
 * route's address) to `dst`, both in host order. `flags` are IpOut. `rt` is a route for dst that is
 * valid now, or nil to look it up. Owns m.
 *
 * @returns 0; EMSGSIZE longer than 65,535 bytes, or than the path takes and DF is set; EACCES a
 * broadcast without permission; ENETUNREACH no route; EHOSTUNREACH a route that refuses;
 * EADDRNOTAVAIL an address that may not appear on a link (RFC 1122 3.2.1.3); EINVAL a header of the
 * user's that makes no sense; ENOBUFS; ENETDOWN and EHOSTDOWN from the interface.
 */
export function output(
  m: Mbuf,
  src: u32,
  dst: u32,
  proto: u32,
  ttl: u32,
  tos: u32,
  flags: u32,
  rt: Rtentry,
): i32 {
  m.rcvif = 0;
  const error = find(src, dst, flags, rt);
  if (error) return fail(m, error);
  if (W.swallow) return fail(m, 0);
  if (src == 0 && W.ifa) src = W.ifa.addr;
  if (ip4.isLoopback(src) && !(W.ifp.flags & Iff.LOOPBACK)) return fail(m, -Errno.EADDRNOTAVAIL);
  m.flags |= u16(W.flags);
  if (flags & IpOut.HDRINCL) {
    const given = complete(m, src);
    if (!given) return -Errno.EINVAL;
    return leave(given, dst, flags);
  }
  const total = m.pktlen + ip4.HEADER;
  if (total > ip4.MAXPACKET) return fail(m, -Errno.EMSGSIZE);
  if (mbuf.leading(m) >= ip4.HEADER) {
    m.data -= ip4.HEADER;
    m.len += ip4.HEADER;
    m.pktlen = total;
  } else {
    m = ops.prepend(m, ip4.HEADER);
    if (!m) return noBuffers();
  }
  const field = flags & IpOut.DF ? ip4.DF : 0;
  ip4.put(m.data, tos, total, rand.public32(), field, ttl, proto, src, dst);
  return leave(m, dst, flags);
}

/** The packet is whole: gives copies to this host's own members, and sends it. */
function leave(m: Mbuf, dst: u32, flags: u32): i32 {
  stat.inc(Stat.IP_OUT);
  const ifp = W.ifp;
  const nexthop = W.nexthop;
  const mtu = W.mtu;
  if (W.flags && !(ifp.flags & Iff.LOOPBACK)) {
    const wanted = W.flags == Mf.BCAST ||
      (flags & IpOut.MCAST_LOOP && if_multi.isMember(ifp, dst));
    if (wanted) copyToSelf(m, ifp);
    if (W.flags == Mf.MCAST && ip4.ttl(m.data) == 0) return fail(m, 0); // RFC 1112 6.1
  }
  const error = emit(ifp, m, nexthop, mtu);
  if (error == -Errno.ENOBUFS) stat.inc(Stat.IP_OUT_NO_BUFFERS);
  return error;
}

/** Sends a packet that has its header by `ifp`, in pieces of at most `mtu` bytes. Owns m. */
export function emit(ifp: Ifnet, m: Mbuf, nexthop: u32, mtu: u32): i32 {
  // what crosses the loopback interface stays in this memory: it is neither cut nor summed
  if (ifp.flags & Iff.LOOPBACK) return call_indirect<i32>(ifp.output, ifp, m, nexthop);
  if (m.flags & Mf.CSUM_PARTIAL && (m.pktlen > mtu || !if_vnet.isLeftTo(ifp))) if_vnet.complete(m);
  if (m.pktlen > mtu) {
    if (ip4.fragment(m.data) & ip4.DF) return fail(m, -Errno.EMSGSIZE);
    return ip_fragment.send(ifp, m, nexthop, mtu);
  }
  return call_indirect<i32>(ifp.output, ifp, m, nexthop);
}

/** A copy of a multicast or broadcast for this host itself, as if it had come in by `ifp`. */
function copyToSelf(m: Mbuf, ifp: Ifnet): void {
  const lo = if_list.loopback();
  if (!lo) return;
  const copy = ops.copym(m, 0, m.pktlen);
  if (!copy) return;
  copy.flags |= m.flags & u16(Mf.BCAST | Mf.MCAST);
  copy.rcvif = u16(ifp.index);
  call_indirect<i32>(lo.output, lo, copy, 0);
}

/** Fills in W; 0 or an error. */
function find(src: u32, dst: u32, flags: u32, rt: Rtentry): i32 {
  W.swallow = 0;
  W.flags = 0;
  W.nexthop = dst;
  if (ip4.isMulticast(dst)) return findGroup(dst, flags);
  if (dst == ip4.LIMITED_BROADCAST) return findBroadcast(flags);
  if (dst == 0) return -Errno.EADDRNOTAVAIL;
  if (flags & IpOut.DONTROUTE) rt = route.onLink(dst);
  else if (!rt) rt = route.select(route.lookup(dst), dst, src, 0);
  if (!rt) {
    stat.inc(Stat.IP_OUT_NO_ROUTE);
    route_event.tell(Rtm.MISS, dst);
    return -Errno.ENETUNREACH;
  }
  rt.use += 1;
  if (rt.flags & (Rtf.REJECT | Rtf.BLACKHOLE | Rtf.BROADCAST)) {
    if (rt.flags & Rtf.REJECT) return -Errno.EHOSTUNREACH;
    if (rt.flags & Rtf.BLACKHOLE) W.swallow = 1;
    else if (!(flags & IpOut.BROADCAST)) return -Errno.EACCES;
    else W.flags = Mf.BCAST;
  }
  W.ifp = rt.ifp;
  W.ifa = rt.ifa;
  if (rt.flags & Rtf.GATEWAY) W.nexthop = rt.gateway;
  W.mtu = flags & IpOut.PROBE ? ip_mtu.mtuOf(rt) : ip_mtu.mtuFor(dst, rt);
  return 0;
}

function findGroup(dst: u32, flags: u32): i32 {
  let ifp = if_list.byIndex(flags >> IpOut.IFINDEX_SHIFT);
  if (!ifp) {
    const rt = route.lookup(dst);
    ifp = rt ? rt.ifp : firstWith(Iff.MULTICAST);
  }
  if (!ifp || !(ifp.flags & Iff.MULTICAST)) {
    stat.inc(Stat.IP_OUT_NO_ROUTE);
    return -Errno.ENETUNREACH;
  }
  W.flags = Mf.MCAST;
  direct(ifp);
  return 0;
}

function findBroadcast(flags: u32): i32 {
  if (!(flags & IpOut.BROADCAST)) return -Errno.EACCES;
  let ifp = if_list.byIndex(flags >> IpOut.IFINDEX_SHIFT);
  if (!ifp) ifp = firstWith(Iff.BROADCAST);
  if (!ifp || !(ifp.flags & Iff.BROADCAST)) {
    stat.inc(Stat.IP_OUT_NO_ROUTE);
    return -Errno.ENETUNREACH;
  }
  W.flags = Mf.BCAST;
  direct(ifp);
  return 0;
}

function direct(ifp: Ifnet): void {
  W.ifp = ifp;
  W.ifa = ifp.addrs;
  W.mtu = ifp.mtu;
}

/** The first interface with a flag that is up, one with an address if there is one; or nil. */
function firstWith(flag: u32): Ifnet {
  let found = changetype<Ifnet>(0);
  for (let ifp = if_list.first(); ifp; ifp = if_list.next(ifp)) {
    const fits = (ifp.flags & (flag | Iff.UP)) == (flag | Iff.UP);
    if (!fits || ifp.flags & Iff.LOOPBACK) continue;
    if (ifp.addrs) return ifp;
    if (!found) found = ifp;
  }
  return found;
}

/** Completes a header that the user made: length, checksum and, if they are 0, id and source. */
function complete(m: Mbuf, src: u32): Mbuf {
  if (m.pktlen < ip4.HEADER || m.pktlen > ip4.MAXPACKET) return discard(m);
  m = ops.pullup(m, ip4.HEADER);
  if (!m) return m;
  const hlen = ip4.hlen(m.data);
  if (ip4.version(m.data) != 4 || hlen < ip4.HEADER || hlen > m.pktlen) return discard(m);
  m = ops.pullup(m, hlen);
  if (!m) return m;
  const p = m.data;
  if (ip_options.check(p, hlen) > 0) return discard(m);
  ip4.setTotal(p, m.pktlen);
  if (ip4.id(p) == 0) ip4.setId(p, rand.public32());
  if (ip4.src(p) == 0) ip4.setSrc(p, src);
  ip4.setChecksum(p, hlen);
  return m;
}

function discard(m: Mbuf): Mbuf {
  mbuf.freem(m);
  return changetype<Mbuf>(0);
}

function fail(m: Mbuf, error: i32): i32 {
  mbuf.freem(m);
  return error;
}

function noBuffers(): i32 {
  stat.inc(Stat.IP_OUT_NO_BUFFERS);
  return -Errno.ENOBUFS;
}
