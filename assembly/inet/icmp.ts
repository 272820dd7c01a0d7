/**
 * ICMP input (RFC 792, RFC 1122 3.2.2): answers echo requests, tells protocols of errors about what
 * they sent, and offers every message to raw sockets.
 */
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import { IpProto, Prc } from "../abi/proto";
import { Stat } from "../abi/stat";
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
import * as ctl_quote from "./ctl_quote";
import * as icmp_redirect from "./icmp_redirect";
import * as ip_output from "./ip_output";
import * as limit from "./limit";
import { TokenBucket } from "./limit";
import { HOOKS, PKT } from "./pkt_t";

export { error } from "./icmp_error";

const L: TokenBucket = changetype<TokenBucket>(memory.data(offsetof<TokenBucket>(), 16));

/** Echo replies at once. */
const ECHO_BURST: u32 = 1000;
/** What a message is about but no protocol is told of. */
const NO_COMMAND: i32 = -1;

/** pr_input: a message `off` bytes into `mp`, described by PKT. */
export function input(mp: usize, off: u32): void {
  stat.inc(Stat.ICMP_IN);
  let m = changetype<Mbuf>(mp);
  if (PKT.len < icmp4.HEADER) return drop(m, Fate.ICMP_SHORT);
  if (!(m.flags & Mf.CSUM_L4_OK)) {
    const sum = checksum.finish(checksum.chain(m, off, PKT.len, 0));
    if (sum != 0) return drop(m, Fate.ICMP_CHECKSUM);
  }
  const type = icmp4.type(m.data + off);
  if (type == Icmp.ECHO) {
    toRaw(m);
    return echo(m, off);
  }
  if (icmp4.isError(type)) {
    // the quoted packet may have an IP header with options
    m = ops.pullup(m, off + min(PKT.len, icmp4.HEADER + 60 + icmp4.HEADER));
    if (m) errorAbout(m, off);
    else stat.fate(Fate.NO_BUFFERS);
    return;
  }
  const raw = toRaw(m);
  if (raw > Fate.RAW_DELIVERED) return drop(m, raw);
  drop(m, raw ? Fate.ICMP_DELIVERED : Fate.ICMP_TYPE_UNKNOWN);
}

function drop(m: Mbuf, f: Fate): void {
  stat.fate(f);
  mbuf.freem(m);
}

/** Offers a message to raw sockets; what became of it there. */
function toRaw(m: Mbuf): Fate {
  return HOOKS.raw ? call_indirect<Fate>(HOOKS.raw, m) : Fate.NONE;
}

/** Answers an echo request with the mbufs that brought it (RFC 1122 3.2.2.6). */
function echo(m: Mbuf, off: u32): void {
  if (PKT.flags) return drop(m, Fate.ICMP_BROADCAST);
  if (!limit.take(L, N.icmp_echo_per_s, ECHO_BURST)) return drop(m, Fate.ICMP_RATE_LIMITED);
  m.data += off;
  m.len -= off;
  m.pktlen -= off;
  m.flags &= u16(Mf.EXT | Mf.PKTHDR);
  icmp4.echoToReply(m.data);
  stat.fate(Fate.ICMP_ECHO_ANSWERED);
  stat.inc(Stat.ICMP_OUT);
  const no = changetype<Rtentry>(0);
  const tos = PKT.tos & ~ip4.ECN_MASK; // nobody would notice that a reply was marked (RFC 3168 5.2)
  ip_output.output(m, PKT.dst4, PKT.src4, IpProto.ICMP, N.ttl, tos, 0, no);
}

/** An error: the packet that it quotes tells who must hear of it. */
function errorAbout(m: Mbuf, off: u32): void {
  // an error for a group or a broadcast address is forged (RFC 5927 4.1)
  if (PKT.flags) return drop(m, Fate.ICMP_BROADCAST);
  const p = m.data + off;
  const type = icmp4.type(p);
  const code = icmp4.code(p);
  const quoted = p + icmp4.HEADER;
  if (!ctl_quote.read(quoted, m.len - off - icmp4.HEADER)) {
    return drop(m, Fate.ICMP_QUOTE_INVALID);
  }
  const cmd = command(type, code);
  let taken = type == Icmp.REDIRECT &&
    icmp_redirect.input(ip4.dst(quoted), icmp4.gateway(p), code);
  if (cmd != NO_COMMAND) {
    const mtu = cmd == Prc.MSGSIZE ? nextMtu(icmp4.mtu(p), ip4.total(quoted)) : 0;
    taken = ctl_quote.deliver(cmd, type, code, mtu);
  }
  const raw = toRaw(m);
  drop(m, taken || raw ? Fate.ICMP_DELIVERED : Fate.ICMP_TYPE_UNKNOWN);
}

/** What protocols are told; NO_COMMAND for redirects, source quench (MUST-55), and nonsense. */
function command(type: u32, code: u32): i32 {
  if (type == Icmp.UNREACH) return unreachableCommand(code);
  if (type == Icmp.TIME_EXCEEDED && code <= 1) return Prc.TIMXCEED_INTRANS + i32(code);
  if (type == Icmp.PARAM_PROBLEM) return Prc.PARAMPROB;
  return NO_COMMAND;
}

function unreachableCommand(code: u32): i32 {
  switch (code) {
    case Unreach.NET:
    case Unreach.NET_UNKNOWN:
    case Unreach.NET_PROHIB:
    case Unreach.TOSNET:
      return Prc.UNREACH_NET;
    case Unreach.PROTOCOL:
      return Prc.UNREACH_PROTOCOL;
    case Unreach.PORT:
      return Prc.UNREACH_PORT;
    case Unreach.NEEDFRAG:
      return Prc.MSGSIZE;
    case Unreach.SRCFAIL:
      return Prc.SRCFAIL;
    default:
      return code <= u32(Unreach.PRECEDENCE_CUTOFF) ? Prc.UNREACH_HOST : NO_COMMAND;
  }
}

/**
 * The path's MTU by "fragmentation needed". An old router gives none: then the next size below that
 * of the quoted packet that links are known to have (RFC 1191 7.1).
 */
function nextMtu(given: u32, quotedTotal: u32): u32 {
  if (given >= 68) return given;
  if (given != 0) return 68; // RFC 791 3.2: no link is smaller
  if (quotedTotal > 4352) return 4352;
  if (quotedTotal > 2002) return 2002;
  if (quotedTotal > 1492) return 1492;
  if (quotedTotal > 1006) return 1006;
  if (quotedTotal > 508) return 508;
  return quotedTotal > 296 ? 296 : 68;
}
