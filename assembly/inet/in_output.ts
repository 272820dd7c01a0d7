/**
 * Output of transport protocols, whatever the address family: takes the endpoint's addresses and
 * IP options and hands the packet to ip_output. The route toward a peer is kept in its control
 * block and used as long as the routing table has not changed.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto } from "../abi/proto";
import { Rtf, Rtm } from "../abi/route";
import { Pmtud, So } from "../abi/socket";
import { Ifnet } from "../net/ifnet_t";
import * as arp from "../net/arp";
import * as route from "../net/route";
import * as route_event from "../net/route_event";
import { Rtentry } from "../net/route_t";
import * as sockaddr_ops from "../socket/sockaddr_ops";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as ip4 from "../wire/ip4";
import { faddrOf, laddrOf } from "./in_pcb_hash";
import { Inpcb } from "./in_pcb_t";
import * as ip_output from "./ip_output";
import { IpOut } from "./pkt_t";

/** Where the ports of a block are. */
const PORTS: usize = offsetof<Inpcb>("lport");
/** The least MTU of IPv4 (RFC 791 3.1), for a peer that no route leads to. */
const MTU_MIN: u32 = 68;
/** Bytes of a TCP header without options. */
const TCP_HEADER: u32 = 20;
/** MSS for a peer that no route leads to. */
const MSS_NO_ROUTE: u32 = 536;

/** The route toward a block's peer, by the block's cache; nil if there is none. */
export function routeOf(inp: Inpcb): Rtentry {
  const generation = route.generation();
  if (inp.route && inp.route_gen == generation) return inp.route;
  const dst = sockaddr_ops.get4(faddrOf(inp));
  const src = sockaddr_ops.get4(laddrOf(inp));
  const rt = route.select(route.lookup(dst), dst, src, changetype<usize>(inp) + PORTS);
  inp.route = rt;
  inp.route_gen = generation;
  return rt;
}

/**
 * Sends a packet to the block's peer; owns m, whose data is the transport header with MAX_HDR less
 * its size of room in front. `flags` (IpOut) are added to what the socket's options say. 0 or what
 * ip_output answers.
 */
export function send(m: Mbuf, inp: Inpcb, flags: u32): i32 {
  return sendBy(m, inp, routeOf(inp), flags);
}

/** The same by a route that routeOf has just answered. */
export function sendBy(m: Mbuf, inp: Inpcb, rt: Rtentry, flags: u32): i32 {
  const faddr = faddrOf(inp);
  if (!sockaddr_ops.is4(faddr)) {
    mbuf.freem(m);
    return -Errno.EAFNOSUPPORT;
  }
  const dst = sockaddr_ops.get4(faddr);
  return send4(m, inp, sockaddr_ops.get4(laddrOf(inp)), dst, rt, flags);
}

/** Sends to any IPv4 destination with a block's options; rt nil has the route looked up. */
export function send4(
  m: Mbuf,
  inp: Inpcb,
  src: u32,
  dst: u32,
  rt: Rtentry,
  flags: u32,
): i32 {
  const options = inp.so ? inp.so.options : 0;
  let ttl: u32 = inp.ttl;
  if (options & (So.DONTROUTE | So.BROADCAST)) {
    if (options & So.DONTROUTE) flags |= IpOut.DONTROUTE;
    if (options & So.BROADCAST) flags |= IpOut.BROADCAST;
  }
  if (dst >= 0xe0000000) {
    flags |= <u32> inp.mcast_ifindex << IpOut.IFINDEX_SHIFT;
    if (sockaddr_ops.isGroup4(dst)) {
      ttl = inp.mcast_ttl;
      if (inp.mcast_loop) flags |= IpOut.MCAST_LOOP;
    }
  }
  if (inp.pmtud && !(flags & (IpOut.DF | IpOut.HDRINCL))) flags |= cutting(m, inp, dst, rt);
  // RFC 9293 SHLD-22, but for the bits that RFC 3168 gave to the connection
  const tos = flags & IpOut.ECT ? inp.tos | ip4.ECT_0 : u32(inp.tos);
  return ip_output.output(m, src, dst, inp.protocol, ttl, tos, flags, rt);
}

/** What IP_MTU_DISCOVER says of a packet `m`; TCP asks `discovers` instead. */
function cutting(m: Mbuf, inp: Inpcb, dst: u32, rt: Rtentry): u32 {
  if (inp.protocol == IpProto.TCP) return 0;
  if (inp.pmtud == Pmtud.PROBE) return IpOut.DF | IpOut.PROBE;
  if (inp.pmtud == Pmtud.DO) return IpOut.DF;
  if (!rt) rt = route.select(route.lookup(dst), dst, sockaddr_ops.get4(laddrOf(inp)), 0);
  return rt && m.pktlen + ip4.HEADER <= ip_output.mtuFor(dst, rt) ? u32(IpOut.DF) : 0;
}

/** The flags with which packets discover the path MTU (RFC 1191 3), unless the user forbids it. */
export function discovers(inp: Inpcb): u32 {
  if (inp.pmtud == Pmtud.DONT) return 0;
  return inp.pmtud == Pmtud.PROBE ? IpOut.DF | IpOut.PROBE : u32(IpOut.DF);
}

/** Sends a packet between two addresses (16 bytes each) that no control block stands for. */
export function sendTo(
  m: Mbuf,
  laddr: usize,
  faddr: usize,
  protocol: u32,
  ttl: u32,
  tos: u32,
  flags: u32,
): i32 {
  if (!sockaddr_ops.is4(laddr) || !sockaddr_ops.is4(faddr)) {
    mbuf.freem(m);
    return -Errno.EAFNOSUPPORT;
  }
  const src = sockaddr_ops.get4(laddr);
  const dst = sockaddr_ops.get4(faddr);
  return ip_output.output(m, src, dst, protocol, ttl, tos, flags, changetype<Rtentry>(0));
}

/** The interface that packets to the block's peer leave by; nil if no route leads there. */
export function ifpFor(inp: Inpcb): Ifnet {
  const rt = routeOf(inp);
  return rt ? rt.ifp : changetype<Ifnet>(0);
}

/** `n` more packets have left by the route toward the block's peer. */
export function used(inp: Inpcb, n: u32): void {
  const rt = routeOf(inp);
  if (rt) rt.use += n;
}

/** The MSS to ask a peer for (RFC 9293 MUST-67): what the way to it, if there is one, carries. */
export function mssFor(rt: Rtentry): u32 {
  if (!rt) return MSS_NO_ROUTE;
  const most = rt.ifp.mtu - ip4.HEADER - TCP_HEADER;
  return min<u32>(rt.mss ? min<u32>(most, rt.mss) : most, 0xffff);
}

/** Negative advice: the way to the block's peer may be dead (RFC 9293 3.8.3, RFC 1122 3.3.1.4). */
export function doubt(inp: Inpcb): void {
  const rt = routeOf(inp);
  if (!rt) return;
  arp.doubt(rt.ifp, rt.gateway ? rt.gateway : sockaddr_ops.get4(faddrOf(inp)));
  route_event.tell(Rtm.LOSING, changetype<usize>(rt));
  // RFC 1122 3.3.1.4: another gateway is tried in place of one that another host told us of
  if (rt.flags & Rtf.DYNAMIC) route.remove(rt);
}

/** Largest IP packet that the path to the block's peer takes, as far as we know. */
export function mtu(inp: Inpcb): u32 {
  return mtuBy(inp, routeOf(inp));
}

/** The same by a route that routeOf has just answered. */
export function mtuBy(inp: Inpcb, rt: Rtentry): u32 {
  if (!rt) return MTU_MIN;
  if (inp.pmtud == Pmtud.PROBE) return ip_output.mtuOf(rt);
  return ip_output.mtuFor(sockaddr_ops.get4(faddrOf(inp)), rt);
}
