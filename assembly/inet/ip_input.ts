/**
 * IPv4 input: validates a packet (RFC 791, RFC 1122 3.2.1), decides whether it is for this host,
 * puts fragments together and hands the datagram to the row of its protocol.
 */
import { Iff } from "../abi/ifnet";
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Rtf } from "../abi/route";
import { Stat } from "../abi/stat";
import * as if_multi from "../net/if_multi";
import { Ifnet } from "../net/ifnet_t";
import * as route from "../net/route";
import * as domain from "../protocol/domain";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import { Icmp, Unreach } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as icmp_error from "./icmp_error";
import * as ip_forward from "./ip_forward";
import * as ip_options from "./ip_options";
import * as ip_reass from "./ip_reass";
import { HOOKS, PKT, PktFlag } from "./pkt_t";

/** Bytes behind the IP header that are contiguous when a row gets the packet. */
const CONTIGUOUS: u32 = 64;
/** Bytes 8 to 11 of a mapped address, as they are loaded. */
const MAPPED: u64 = 0xffff0000;

/** Input type 0x0800: a packet that came in by `ifpp`, at its IP header. Owns mp. */
export function input(ifpp: usize, mp: usize): void {
  const ifp = changetype<Ifnet>(ifpp);
  let m = changetype<Mbuf>(mp);
  stat.add(Stat.IP_IN, m.segs > 1 ? u64(m.segs) : 1);
  m = validate(m);
  if (!m) return;
  describe(ifp, m);
  if (!isSourceValid(m)) return drop(m, Fate.IP_SOURCE_INVALID);
  if (isForUs(ifp, m) && checkOptions(m)) toHost(m);
}

function drop(m: Mbuf, f: Fate): void {
  stat.fate(f);
  mbuf.freem(m);
}

function refuse(m: Mbuf, f: Fate): Mbuf {
  drop(m, f);
  return changetype<Mbuf>(0);
}

/** Checks the header and cuts off what lies behind the packet; nil if it was dropped. */
function validate(m: Mbuf): Mbuf {
  if (m.next) {
    m = ops.pullup(m, min(m.pktlen, 60 + CONTIGUOUS));
    if (!m) return lost();
  }
  if (m.len < ip4.HEADER) return refuse(m, Fate.IP_SHORT);
  const p = m.data;
  if (ip4.version(p) != 4) return refuse(m, Fate.IP_VERSION);
  const hlen = ip4.hlen(p);
  if (hlen < ip4.HEADER || hlen > m.len) return refuse(m, Fate.IP_HEADER_LENGTH);
  if (!(m.flags & Mf.CSUM_IP_OK) && ip4.sum(p, hlen) != 0xffff) {
    return refuse(m, Fate.IP_CHECKSUM);
  }
  const total = ip4.total(p);
  if (total < hlen || total > m.pktlen) return refuse(m, Fate.IP_SHORT);
  if (total < m.pktlen) {
    if (m.next) {
      ops.adj(m, -i32(m.pktlen - total));
    } else {
      m.len = total;
      m.pktlen = total;
    }
  }
  return m;
}

function lost(): Mbuf {
  stat.fate(Fate.NO_BUFFERS);
  return changetype<Mbuf>(0);
}

/** Fills in PKT. */
function describe(ifp: Ifnet, m: Mbuf): void {
  const p = m.data;
  const src = load<u32>(p, 12);
  const dst = load<u32>(p, 16);
  PKT.src_hi = 0;
  PKT.src_lo = src ? (u64(src) << 32) | MAPPED : 0;
  PKT.dst_hi = 0;
  PKT.dst_lo = dst ? (u64(dst) << 32) | MAPPED : 0;
  PKT.src4 = bswap(src);
  PKT.dst4 = bswap(dst);
  PKT.ifp = ifp;
  PKT.hlen = ip4.hlen(p);
  PKT.len = m.pktlen - PKT.hlen;
  PKT.ttl = ip4.ttl(p);
  PKT.tos = ip4.tos(p);
  PKT.protocol = ip4.protocol(p);
  PKT.flags = 0;
}

/**
 * RFC 1122 3.2.1.3, RFC 9293 MUST-63: the source is one host; 127/8 and our own addresses do not
 * come from outside. 0.0.0.0 is a host that does not know its address yet, and asks everybody.
 */
function isSourceValid(m: Mbuf): bool {
  const src = PKT.src4;
  if (ip4.isMulticast(src) || ip4.isReserved(src)) return false;
  const inside = (m.flags & Mf.LOOP) != 0;
  if (src >> 24 == 0) {
    return src == 0 && (PKT.dst4 == ip4.LIMITED_BROADCAST || ip4.isMulticast(PKT.dst4));
  }
  if (ip4.isLoopback(src)) return inside;
  const rt = route.lookup(src);
  // RFC 1812 5.3.8, by RFC 3704 2.2 (1, strict) or 2.4 (2, loose): the higher of both settings
  const mode = max<u32>(N.rp_filter, PKT.ifp.rp_filter);
  if (mode && !inside && (!rt || (mode == 1 && !route.isReverse(rt, PKT.ifp)))) {
    stat.inc(Stat.IP_REVERSE_PATH);
    return false;
  }
  if (!rt) return true;
  return !(rt.flags & (inside ? Rtf.BROADCAST : Rtf.BROADCAST | Rtf.LOCAL));
}

/** True if the options are in order; else the packet is gone. */
function checkOptions(m: Mbuf): bool {
  if (PKT.hlen == ip4.HEADER) return true;
  const wrong = ip_options.check(m.data, PKT.hlen);
  if (wrong == 0) return true;
  stat.fate(Fate.IP_OPTIONS);
  // RFC 1122 3.2.2.5 for what is malformed; a source route is refused silently (RFC 7126)
  if (wrong > 0) icmp_error.error(m, Icmp.PARAM_PROBLEM, 0, u32(wrong));
  else mbuf.freem(m);
  return false;
}

/** True if this host takes the packet; else it is gone, perhaps on to where it belongs. */
function isForUs(ifp: Ifnet, m: Mbuf): bool {
  const dst = PKT.dst4;
  const inside = (m.flags & Mf.LOOP) != 0;
  if (ip4.isMulticast(dst)) return isMember(ifp, m);
  if (dst == ip4.LIMITED_BROADCAST) return broadcast(m);
  if (ip4.isLoopback(dst)) {
    if (!inside) drop(m, Fate.IP_LOOPBACK_OUTSIDE);
    return inside;
  }
  const rt = route.lookup(dst);
  if (rt && rt.flags & Rtf.LOCAL) {
    // RFC 1122 3.3.6: a link-layer broadcast for one host is somebody's mistake
    if (!(m.flags & (Mf.BCAST | Mf.MCAST))) return true;
    drop(m, Fate.IP_NOT_OURS);
    return false;
  }
  if (rt && rt.flags & Rtf.BROADCAST && rt.ifp == ifp) return broadcast(m);
  // RFC 1122 3.2.1.3: a host that does not forward is silent about packets for others
  if (!ip_forward.isEnabled()) drop(m, Fate.IP_NOT_OURS);
  else if (checkOptions(m)) ip_forward.forward(m, rt);
  return false;
}

function isMember(ifp: Ifnet, m: Mbuf): bool {
  PKT.flags = PktFlag.MCAST;
  m.flags |= u16(Mf.MCAST);
  if (if_multi.isMember(ifp, PKT.dst4) || ifp.flags & Iff.ALLMULTI) return true;
  drop(m, Fate.IP_MULTICAST_NOT_MEMBER);
  return false;
}

function broadcast(m: Mbuf): bool {
  PKT.flags = PktFlag.BCAST;
  m.flags |= u16(Mf.BCAST);
  return true;
}

/** The packet is for this host: makes the datagram whole and hands it to its protocol. */
function toHost(m: Mbuf): void {
  if (ip4.fragment(m.data) & (ip4.MF | ip4.OFFSET_MASK)) {
    m = ip_reass.input(m);
    if (!m) return;
    m = ops.pullup(m, PKT.hlen + min(PKT.len, CONTIGUOUS));
    if (!m) {
      lost();
      return;
    }
  }
  const row = domain.inputRow(PKT.protocol);
  const raw = HOOKS.raw ? toRaw(m, row != null) : Fate.NONE;
  if (row) {
    call_indirect<void>(row.input, m, PKT.hlen);
    return;
  }
  if (raw != Fate.NONE) return drop(m, raw);
  stat.fate(Fate.IP_PROTOCOL_UNKNOWN);
  icmp_error.error(m, Icmp.UNREACH, Unreach.PROTOCOL, 0);
}

/** Gives raw sockets their copies; the rows of ICMP and IGMP do so when they have checked it. */
function toRaw(m: Mbuf, taken: bool): Fate {
  if (taken && (PKT.protocol == IpProto.ICMP || PKT.protocol == IpProto.IGMP)) return Fate.NONE;
  return call_indirect<Fate>(HOOKS.raw, m);
}
