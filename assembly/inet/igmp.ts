/**
 * IGMP version 2 (RFC 2236), the host's side: tells routers which groups are wanted on a link. A
 * member whose timer runs is a "delaying member" of section 6; one without is an "idle member".
 */
import { Iff } from "../abi/ifnet";
import { Fate } from "../abi/fate";
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Stat } from "../abi/stat";
import * as if_multi from "../net/if_multi";
import { Ifmulti, Ifnet } from "../net/ifnet_t";
import { Rtentry } from "../net/route_t";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import * as checksum from "../wire/checksum";
import { ALL_HOSTS, ALL_ROUTERS, Igmp, LENGTH } from "../wire/igmp";
import * as wire from "../wire/igmp";
import * as ip4 from "../wire/ip4";
import * as ip_output from "./ip_output";
import { HOOKS, IpOut, PKT } from "./pkt_t";

const TENTH_US: u32 = 100_000;
/** Unsolicited Report Interval, and the delay of a version 1 query, in tenths of a second. */
const TEN_SECONDS: u32 = 100;
/** Version 1 Router Present Timeout (8.11). */
const V1_US: i64 = 400_000_000;
/** IP header with the Router Alert option (RFC 2113) that messages carry (section 2). */
const HLEN: u32 = 24;
const ROUTER_ALERT: u32 = 0x00000494; // 94 04 00 00

/** Takes the hooks of if_multi; called at boot. */
export function init(): void {
  if_multi.setHooks(joined.index, left.index);
}

/** RFC 2236 6: no messages about the all-hosts group, nor on links that have no routers. */
function isReported(g: Ifmulti): bool {
  const flags = g.ifp.flags;
  if (g.group == ALL_HOSTS || flags & Iff.LOOPBACK) return false;
  return (flags & (Iff.UP | Iff.MULTICAST)) == (Iff.UP | Iff.MULTICAST);
}

/** A group was joined: a report at once, and another in case that one was lost (section 3). */
function joined(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  timer.setup(g.timer, report.index, gp);
  if (!isReported(g)) return;
  report(gp);
  delay(g, TEN_SECONDS);
}

/** The last member leaves: routers hear of it from whoever reported last (section 3). */
function left(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  timer.cancel(g.timer);
  if (!isReported(g) || !g.last_reporter || hearsV1(g.ifp)) return;
  send(g.ifp, Igmp.LEAVE, g.group, ALL_ROUTERS);
}

/** Sends a report about a group; also the function of its timer. */
function report(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  if (!isReported(g)) return;
  g.last_reporter = 1;
  send(g.ifp, hearsV1(g.ifp) ? Igmp.V1_REPORT : Igmp.V2_REPORT, g.group, g.group);
}

/** Arms the report timer to a random time within `tenths`. */
function delay(g: Ifmulti, tenths: u32): void {
  timer.arm(g.timer, clock.now() + 1 + i64(rand.below(tenths * TENTH_US)));
}

/** True while a router of version 1 is about (section 4): it needs its own kind of report. */
function hearsV1(ifp: Ifnet): bool {
  if (ifp.igmp_v1 && clock.now() >= ifp.igmp_v1_until) ifp.igmp_v1 = 0;
  return ifp.igmp_v1 != 0;
}

/** Sends a message with TTL 1 and the Router Alert option. */
function send(ifp: Ifnet, type: u32, group: u32, dst: u32): void {
  const m = mbuf.gethdr(HLEN + LENGTH);
  if (!m) return;
  const p = m.data;
  const src = ifp.addrs ? ifp.addrs.addr : 0;
  ip4.put(p, 0xc0, HLEN + LENGTH, 0, 0, 1, IpProto.IGMP, src, dst);
  store<u8>(p, u8(0x40 | (HLEN >> 2)));
  store<u32>(p, ROUTER_ALERT, 20);
  wire.put(p + HLEN, type, group);
  m.len = HLEN + LENGTH;
  m.pktlen = m.len;
  const flags = IpOut.HDRINCL | (ifp.index << IpOut.IFINDEX_SHIFT);
  const no = changetype<Rtentry>(0);
  if (ip_output.output(m, src, dst, IpProto.IGMP, 1, 0, flags, no) == 0) stat.inc(Stat.IGMP_OUT);
}

/** pr_input: a message `off` bytes into `mp`, described by PKT. */
export function input(mp: usize, off: u32): void {
  const m = changetype<Mbuf>(mp);
  const p = m.data + off;
  let valid = PKT.len >= LENGTH;
  if (valid && !(m.flags & Mf.CSUM_L4_OK)) {
    valid = checksum.finish(checksum.chain(m, off, PKT.len, 0)) == 0;
  }
  if (valid) {
    const type = wire.type(p);
    if (type == Igmp.QUERY) query(PKT.ifp, wire.group(p), wire.maxResponse(p));
    else if (type == Igmp.V1_REPORT || type == Igmp.V2_REPORT) heard(PKT.ifp, wire.group(p));
    else valid = type == Igmp.LEAVE || type == Igmp.V3_REPORT;
    if (HOOKS.raw) call_indirect<Fate>(HOOKS.raw, m);
  }
  stat.fate(valid ? Fate.IGMP_ACCEPTED : Fate.IGMP_INVALID);
  mbuf.freem(m);
}

/** A router asks for one group, or all (group 0): each answer comes at a random time. */
function query(ifp: Ifnet, group: u32, tenths: u32): void {
  if (tenths == 0) {
    ifp.igmp_v1 = 1;
    ifp.igmp_v1_until = clock.now() + V1_US;
    tenths = TEN_SECONDS;
  }
  const latest = clock.now() + i64(tenths * TENTH_US);
  for (let g = ifp.multis; g; g = g.next) {
    if (!isReported(g) || (group != 0 && g.group != group)) continue;
    if (timer.pending(g.timer) && g.timer.when <= latest) continue;
    timer.cancel(g.timer);
    delay(g, tenths);
  }
}

/** Another member has reported the group: ours is not needed. */
function heard(ifp: Ifnet, group: u32): void {
  const g = if_multi.find(ifp, group);
  if (!g || PKT.src4 == (ifp.addrs ? ifp.addrs.addr : 0)) return;
  timer.cancel(g.timer);
  g.last_reporter = 0;
}
