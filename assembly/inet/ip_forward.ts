/** Forwarding (RFC 1812 5.2): sends packets for other hosts on. Off unless it is switched on. */
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Rtf, Rtm } from "../abi/route";
import { Stat } from "../abi/stat";
import * as route from "../net/route";
import * as route_event from "../net/route_event";
import { Rtentry } from "../net/route_t";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import { Icmp, Unreach } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as icmp_error from "./icmp_error";
import * as icmp_redirect from "./icmp_redirect";
import * as ip_output from "./ip_output";
import { PKT } from "./pkt_t";

/** Switches forwarding on or off. */
export function setEnabled(on: bool): void {
  N.forwarding = u32(on);
}

/** True if this host forwards. */
export function isEnabled(): bool {
  return N.forwarding != 0;
}

/**
 * Sends on a packet, described by PKT, for a host that we are not; to be called if forwarding is
 * on. `rt` is what route.lookup answers for its destination. Owns m; decides its fate.
 */
export function forward(m: Mbuf, rt: Rtentry): void {
  const dst = PKT.dst4;
  // RFC 1812 5.3.4: nothing that came as a link-layer broadcast; 5.3.7: no martian destinations
  const stays = m.flags & (Mf.BCAST | Mf.MCAST | Mf.LOOP) || ip4.isReserved(dst) || dst >> 24 == 0;
  // RFC 3927 7: link-local addresses mean something on their own link only
  if (stays || ip4.isLinkLocal(dst) || ip4.isLinkLocal(PKT.src4)) {
    return drop(m, Fate.IP_NOT_OURS);
  }
  if (PKT.ttl <= 1) {
    stat.fate(Fate.IP_TTL_EXCEEDED);
    return icmp_error.error(m, Icmp.TIME_EXCEEDED, 0, 0);
  }
  rt = route.select(rt, dst, PKT.src4, portsOf(m));
  if (!rt || rt.flags & (Rtf.REJECT | Rtf.BLACKHOLE)) {
    stat.fate(Fate.IP_NO_ROUTE);
    if (!rt) route_event.tell(Rtm.MISS, dst);
    if (rt && rt.flags & Rtf.BLACKHOLE) mbuf.freem(m);
    else icmp_error.error(m, Icmp.UNREACH, rt ? Unreach.HOST : Unreach.NET, 0);
    return;
  }
  // RFC 2644: directed broadcasts are not sent on
  if (rt.flags & Rtf.BROADCAST) return drop(m, Fate.IP_NOT_OURS);
  const mtu = ip_output.mtuFor(dst, rt);
  if (m.pktlen > mtu && ip4.fragment(m.data) & ip4.DF) {
    stat.fate(Fate.IP_MUST_FRAGMENT);
    return icmp_error.error(m, Icmp.UNREACH, Unreach.NEEDFRAG, mtu);
  }
  const nexthop = rt.gateway ? rt.gateway : dst;
  if (rt.ifp == PKT.ifp) icmp_redirect.send(m, rt, nexthop);
  ip4.decrementTtl(m.data);
  m.flags &= ~u16(Mf.CSUM_IP_OK | Mf.CSUM_L4_OK);
  rt.use += 1;
  stat.fate(Fate.IP_FORWARDED);
  stat.inc(Stat.IP_FORWARDED);
  ip_output.emit(rt.ifp, m, nexthop, mtu);
}

/** Where the 4 bytes of ports are; 0 if the packet has none, or is a fragment, as others are. */
function portsOf(m: Mbuf): usize {
  const has = PKT.protocol == IpProto.TCP || PKT.protocol == IpProto.UDP;
  if (!has || PKT.len < 4 || ip4.fragment(m.data) & (ip4.MF | ip4.OFFSET_MASK)) return 0;
  return m.data + PKT.hlen;
}

function drop(m: Mbuf, f: Fate): void {
  stat.fate(f);
  mbuf.freem(m);
}
