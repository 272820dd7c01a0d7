/** What users ask of the routing table: checks it, finds out what it leaves open, and does it. */
import { Errno } from "../abi/errno";
import { Rtf, Rtm } from "../abi/route";
import * as netif from "./if";
import * as if_list from "./if_list";
import { RtReq } from "./ifreq_t";
import * as route from "./route";
import * as route_event from "./route_event";
import { Rtentry } from "./route_t";

/** The route that a request is about to make, or what becomes of one. */
const R: Rtentry = changetype<Rtentry>(memory.data(offsetof<Rtentry>(), 16));

/**
 * Finds the way of a route: R's interface, source address and gateway. `gateway` 0: the prefix is
 * on the link of interface `ifindex`. `ifindex` 0: the one that the gateway is on.
 */
function wayOf(r: RtReq): i32 {
  const refuses = (r.flags & (Rtf.REJECT | Rtf.BLACKHOLE)) != 0;
  let ifp = if_list.byIndex(r.ifindex);
  if (r.ifindex && !ifp) return -Errno.ENXIO;
  if (r.gateway) {
    const via = route.onLink(r.gateway);
    if (!via || (ifp && via.ifp != ifp)) return -Errno.ENETUNREACH;
    if (via.flags & (Rtf.LOCAL | Rtf.BROADCAST)) return -Errno.EINVAL;
    ifp = via.ifp;
  } else if (!ifp) {
    if (!refuses) return -Errno.EINVAL;
    ifp = if_list.loopback();
    if (!ifp) return -Errno.ENXIO;
  }
  R.ifa = if_list.sourceFor(ifp, r.gateway ? r.gateway : r.dst);
  if (!R.ifa && !refuses) return -Errno.EADDRNOTAVAIL;
  R.ifp = ifp;
  R.gateway = r.gateway;
  R.flags = r.flags & (Rtf.REJECT | Rtf.BLACKHOLE) | Rtf.STATIC;
  return 0;
}

function isPrefix(net: u32, mask: u32): bool {
  return route.isMask(mask) && (net & ~mask) == 0;
}

/**
 * Adds a route. Of flags REJECT and BLACKHOLE count; `mtu` and `mss` limit packets and TCP segments
 * along it.
 *
 * @returns 0; EINVAL for an impossible mask, prefix, gateway or MTU; ENXIO no such interface;
 * ENETUNREACH the gateway is on no link of ours; EADDRNOTAVAIL the interface has no address;
 * EEXIST; ENOBUFS.
 */
export function add(r: RtReq): i32 {
  // a source that is 0 is one that is not known
  const sourced = r.from_mask == 0 ? r.from == 0 : isPrefix(r.from, r.from_mask) && r.from != 0;
  if (!sourced || !isPrefix(r.dst, r.mask) || !isMtu(r)) return -Errno.EINVAL;
  const error = wayOf(r);
  if (error) return error;
  R.dst = r.dst;
  R.mask = r.mask;
  R.metric = r.metric;
  R.mtu = r.mtu;
  R.mss = r.mss;
  R.from = r.from;
  R.from_mask = r.from_mask;
  R.use = 0;
  return route.added(route.enter(R));
}

function isMtu(r: RtReq): bool {
  return r.mtu == 0 || (r.mtu >= netif.MTU_MIN && r.mtu <= netif.MTU_MAX);
}

/**
 * The best route of the user, or one learned by a redirect, for a prefix; of metric, source,
 * gateway and interface those count that are not 0. Nil if there is none.
 */
function find(r: RtReq, gateway: u32, ifindex: u32): Rtentry {
  let rt = route.firstOf(r.dst, r.mask);
  for (; rt; rt = rt.next) {
    if (rt.dst != r.dst || rt.mask != r.mask || !(rt.flags & (Rtf.STATIC | Rtf.DYNAMIC))) continue;
    if (r.metric && rt.metric != r.metric) continue;
    if (r.from_mask && (rt.from_mask != r.from_mask || rt.from != r.from)) continue;
    if ((!gateway || rt.gateway == gateway) && (!ifindex || rt.ifp.index == ifindex)) break;
  }
  return rt;
}

/** Deletes a route; those of interface addresses go with their address. ESRCH. */
export function del(r: RtReq): i32 {
  const rt = find(r, r.gateway, r.ifindex);
  if (!rt) return -Errno.ESRCH;
  route.remove(rt);
  return 0;
}

/**
 * Gives a route another way, if the request names one or refuses, and other limits, if they are not
 * 0; what it has counted stays. ESRCH; else as for add.
 */
export function change(r: RtReq): i32 {
  let rt = find(r, 0, 0);
  if (!rt) return -Errno.ESRCH;
  if (!isMtu(r)) return -Errno.EINVAL;
  if (r.gateway || r.ifindex || r.flags & (Rtf.REJECT | Rtf.BLACKHOLE)) {
    memory.copy(changetype<usize>(R), changetype<usize>(rt), offsetof<Rtentry>());
    const error = wayOf(r);
    if (error) return error;
    if (R.ifp != rt.ifp || R.gateway != rt.gateway || !route.ranks(R, rt)) {
      const failed = route.enter(R);
      if (failed) return failed;
      route.unlink(rt);
      rt = route.newest();
    }
  }
  if (r.mtu) rt.mtu = r.mtu;
  if (r.mss) rt.mss = r.mss;
  route.changed();
  route_event.tell(Rtm.CHANGE, changetype<usize>(rt));
  return 0;
}
