/**
 * ICMP redirects: a router tells a host on its link of a router there that is nearer (RFC 1812
 * 5.2.7.2), and a host takes the advice (RFC 1122 3.2.2.2). Both are off unless switched on, for
 * every station on the link can forge such messages.
 */
import { Rtf, Rtm } from "../abi/route";
import { Stat } from "../abi/stat";
import { Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import * as route_event from "../net/route_event";
import { Rtentry } from "../net/route_t";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import { Icmp } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as icmp_error from "./icmp_error";
import { PKT } from "./pkt_t";

/** Code: for this host alone. Those for networks are not sent (RFC 1812 5.2.7.2). */
const HOST: u32 = 1;
/** Codes for networks and hosts, whatever the type of service; all mean the host (RFC 1122). */
const CODES: u32 = 3;

/**
 * The packet `m`, described by PKT, goes out by `rt` where it came in: tells its source of the next
 * hop, if both are of one subnet and no option chose the way.
 */
export function send(m: Mbuf, rt: Rtentry, nexthop: u32): void {
  if (!(N.send_redirects | rt.ifp.send_redirects) || PKT.hlen != ip4.HEADER) return;
  const back = route.lookup(PKT.src4);
  if (!back || back.flags & Rtf.GATEWAY || back.ifa != rt.ifa) return;
  stat.inc(Stat.ICMP_REDIRECTS_OUT);
  icmp_error.tell(m, Icmp.REDIRECT, HOST, nexthop);
}

/** From PKT's source: packets to `dst` are to go to `gateway`. True if that is done. */
export function input(dst: u32, gateway: u32, code: u32): bool {
  const ifp: Ifnet = PKT.ifp;
  // a router finds its ways itself (RFC 1812 5.2.7.2)
  if (!(N.accept_redirects | ifp.accept_redirects) || N.forwarding || code > CODES) return false;
  const rt = route.lookup(dst);
  // only from the gateway in use, and to one on the same link (RFC 1122 3.2.2.2)
  if (!rt || rt.ifp != ifp || rt.gateway != PKT.src4) return false;
  const via = route.onLink(gateway);
  if (!via || via.ifp != ifp || via.flags & (Rtf.LOCAL | Rtf.BROADCAST)) return false;
  const ifa = rt.ifa;
  if (rt.flags & Rtf.DYNAMIC) route.unlink(rt);
  if (route.insert(dst, 0xffffffff, gateway, Rtf.DYNAMIC, ifp, ifa) < 0) return false;
  route_event.tell(Rtm.REDIRECT, changetype<usize>(route.newest()));
  return true;
}
