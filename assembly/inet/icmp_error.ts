/**
 * Sends ICMP errors: to the source of a packet that cannot be delivered, quoting it. RFC 1122 3.2.2
 * says about which packets no error is sent; RFC 1812 4.3.2.8 limits their rate.
 */
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Rtf } from "../abi/route";
import { Stat } from "../abi/stat";
import * as route from "../net/route";
import { Rtentry } from "../net/route_t";
import * as mbuf from "../sys/mbuf";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as icmp4 from "../wire/icmp4";
import { Icmp, Unreach } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as ip_output from "./ip_output";
import * as limit from "./limit";
import { TokenBucket } from "./limit";

const L: TokenBucket = changetype<TokenBucket>(memory.data(offsetof<TokenBucket>(), 16));

/** Bytes of the packet that are quoted: the error is at most 576 long (RFC 1812 4.3.2.3). */
const QUOTE: u32 = 576 - 28;

/**
 * Sends an error about the packet `m`, which starts at its IP header, and frees it. `info`: for
 * code NEEDFRAG the MTU of the next hop, for PARAM_PROBLEM the offset of the wrong octet, else 0.
 */
export function error(m: Mbuf, type: u32, code: u32, info: u32): void {
  tell(m, type, code, info);
  mbuf.freem(m);
}

/** The same, but the packet goes on. For a redirect `info` is the gateway. */
export function tell(m: Mbuf, type: u32, code: u32, info: u32): void {
  if (!isAllowed(m)) stat.inc(Stat.ICMP_ERRORS_SUPPRESSED);
  else if (!limit.take(L, N.icmp_errors_per_s, N.icmp_errors_burst)) {
    stat.inc(Stat.ICMP_ERRORS_LIMITED);
  } else send(m, type, code, info);
}

/** RFC 1122 3.2.2: which packets no error is sent about. */
function isAllowed(m: Mbuf): bool {
  if (m.len < ip4.HEADER || m.flags & (Mf.BCAST | Mf.MCAST)) return false;
  const p = m.data;
  if (ip4.fragment(p) & ip4.OFFSET_MASK) return false;
  const src = ip4.src(p);
  if (src == 0 || ip4.isMulticast(src) || ip4.isReserved(src)) return false;
  if (ip4.isLoopback(src) && !(m.flags & Mf.LOOP)) return false;
  if (isBroadcast(src)) return false;
  const dst = ip4.dst(p);
  if (ip4.isMulticast(dst) || ip4.isReserved(dst) || isBroadcast(dst)) return false;
  if (ip4.protocol(p) != IpProto.ICMP) return true;
  const hlen = ip4.hlen(p);
  return m.len > hlen && !icmp4.isError(icmp4.type(p + hlen));
}

function isBroadcast(addr: u32): bool {
  const rt = route.lookup(addr);
  return rt ? (rt.flags & Rtf.BROADCAST) != 0 : false;
}

function send(m: Mbuf, type: u32, code: u32, info: u32): void {
  const n = min(m.pktlen, QUOTE);
  const out = mbuf.gethdr(icmp4.HEADER + n);
  if (!out) return;
  const p = out.data;
  let rest: u32 = 0;
  if (type == Icmp.UNREACH && code == Unreach.NEEDFRAG) rest = info & 0xffff;
  else if (type == Icmp.PARAM_PROBLEM) rest = info << 24;
  else if (type == Icmp.REDIRECT) rest = info;
  icmp4.put(p, type, code, rest);
  ops.copydata(m, 0, n, p + icmp4.HEADER);
  icmp4.setChecksum(p, u16(checksum.finish(checksum.sum(p, icmp4.HEADER + n, 0))));
  out.len = icmp4.HEADER + n;
  out.pktlen = out.len;
  stat.inc(Stat.ICMP_OUT);
  const to = ip4.src(m.data);
  ip_output.output(out, ownAddress(m), to, IpProto.ICMP, N.ttl, 0, 0, changetype<Rtentry>(0));
}

/** The address to answer from: the one the packet was for, if it is ours, else the route's. */
function ownAddress(m: Mbuf): u32 {
  const dst = ip4.dst(m.data);
  if (m.flags & Mf.LOOP && ip4.isLoopback(dst)) return dst;
  const rt = route.lookup(dst);
  return rt && rt.flags & Rtf.LOCAL ? dst : 0;
}
