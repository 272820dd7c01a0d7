/**
 * IGMP version 3 (RFC 3376), the host's side: tells routers which groups are wanted on a link, and
 * of which sources. While routers of version 1 or 2 are heard, it speaks theirs (7.2.1): a member
 * whose timer runs is then a "delaying member" of RFC 2236 6, one without an "idle member".
 *
 * A change that concerns one source is told as such (5.1); more than one at a time are told as the
 * whole filter, which says the same. Each report has one record.
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
import { ALL_HOSTS, ALL_ROUTERS, Igmp, Igmp3, LENGTH, V3_ROUTERS } from "../wire/igmp";
import * as wire from "../wire/igmp";
import * as ip4 from "../wire/ip4";
import * as filter from "./in_mcast_filter";
import * as ip_output from "./ip_output";
import { HOOKS, IpOut, PKT } from "./pkt_t";

const TENTH_US: u32 = 100_000;
/** Unsolicited Report Interval, and the delay of a version 1 query, in tenths of a second. */
const TEN_SECONDS: u32 = 100;
/** Unsolicited Report Interval of version 3 (RFC 3376 8.11), in tenths of a second. */
const ONE_SECOND: u32 = 10;
/** Older Version Querier Present Timeout (RFC 3376 8.12) until a version 3 querier is heard. */
const OLDER_US: i64 = 260_000_000;
/** Sources of a query that are sure to be contiguous; see Pkt. */
const SOURCES_READ: u32 = 13;
/** Sources in a report; a filter with more is told as one that wants all, which is safe. */
const SOURCES_MAX: u32 = 256;
/** IP header with the Router Alert option (RFC 2113) that messages carry (section 2). */
const HLEN: u32 = 24;
const ROUTER_ALERT: u32 = 0x00000494; // 94 04 00 00

/** Takes the hooks of if_multi; called at boot. */
export function init(): void {
  if_multi.setHooks(joined.index, left.index, changed.index);
}

/** RFC 2236 6: no messages about the all-hosts group, nor on links that have no routers. */
function isReported(g: Ifmulti): bool {
  const flags = g.ifp.flags;
  if (g.group == ALL_HOSTS || flags & Iff.LOOPBACK) return false;
  return (flags & (Iff.UP | Iff.MULTICAST)) == (Iff.UP | Iff.MULTICAST);
}

/** Routers are to learn of a group: a report at once, and another in case that one was lost. */
function joined(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  timer.cancel(g.timer);
  timer.setup(g.timer, report.index, gp);
  if (!isReported(g)) return;
  g.exclude = u8(filter.excludes(g));
  tell(g, Igmp3.TO_IN + u32(g.exclude), 0);
}

/**
 * RFC 3376 5.1: a report of a change, sent [Robustness Variable] times in all, each within the
 * Unsolicited Report Interval of the one before.
 */
function tell(g: Ifmulti, record: u32, source: u32): void {
  // RFC 3376 5.1: a change while another is still to be repeated; the repetition tells of both
  if (version(g.ifp) == 3 && timer.pending(g.timer) && g.due && g.source != source) {
    record = Igmp3.TO_IN + u32(g.exclude);
    source = 0;
  }
  timer.cancel(g.timer);
  g.due = u8(record);
  g.source = source;
  const older = version(g.ifp) != 3;
  const robustness = g.ifp.igmp_robustness;
  g.repeats = u8(robustness ? robustness - 1 : 1);
  report(changetype<usize>(g));
  if (older) {
    g.due = 0;
    delay(g, TEN_SECONDS);
  }
}

/**
 * A member's filter has changed: as to one source, which was in the interface's list or not
 * `before`, or, if 0, by more.
 */
function changed(gp: usize, source: u32, before: bool): void {
  const g = changetype<Ifmulti>(gp);
  if (!g.timer.fn) return joined(gp); // the first member
  if (!isReported(g)) return;
  const exclude = u8(filter.excludes(g));
  const mode = exclude != g.exclude;
  g.exclude = exclude;
  if (version(g.ifp) != 3) return; // versions 1 and 2 know only members
  // RFC 3376 5.1 has a record for a change of mode, and others for changes of the list
  if (mode || (!source && filter.isSelective(g))) {
    tell(g, Igmp3.TO_IN + u32(exclude), 0);
  } else if (source && filter.listed(g, source) != before) {
    tell(g, filter.isWanted(g, source) ? Igmp3.ALLOW : Igmp3.BLOCK, source);
  }
}

/** The last member leaves: routers hear of it, in version 2 from whoever reported last. */
function left(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  timer.cancel(g.timer);
  if (!isReported(g)) return;
  const v = version(g.ifp);
  if (v == 3) {
    g.due = u8(Igmp3.TO_IN);
    g.repeats = 0; // the record ends here
    g.source = 0;
    report3(g);
  } else if (v == 2 && g.last_reporter) send(g.ifp, Igmp.LEAVE, g.group, ALL_ROUTERS);
}

/** Sends a report about a group; also the function of its timer. */
function report(gp: usize): void {
  const g = changetype<Ifmulti>(gp);
  if (!isReported(g)) return;
  const v = version(g.ifp);
  if (v == 3) return report3(g);
  g.last_reporter = 1;
  send(g.ifp, v == 1 ? Igmp.V1_REPORT : Igmp.V2_REPORT, g.group, g.group);
}

/** A report of version 3 with the record that is due (RFC 3376 4.2). */
function report3(g: Ifmulti): void {
  let record: u32 = g.due;
  if (record && g.repeats) {
    g.repeats -= 1;
    delay(g, ONE_SECOND);
  } else g.due = 0;
  if (!record) record = Igmp3.IS_IN + u32(filter.excludes(g));
  const m = mbuf.gethdr(HLEN + wire.REPORT3 + ((SOURCES_MAX + 1) << 2));
  if (!m) return;
  const p = m.data + HLEN;
  let count: u32 = 1;
  if (record >= u32(Igmp3.ALLOW)) store<u32>(p, bswap(g.source), wire.REPORT3);
  else count = filter.writeSources(g, p + wire.REPORT3, SOURCES_MAX + 1);
  if (count > SOURCES_MAX) {
    count = 0;
    record = record <= u32(Igmp3.IS_EX) ? Igmp3.IS_EX : Igmp3.TO_EX;
  }
  const length = wire.REPORT3 + (count << 2);
  wire.putReport(p, record, g.group, count);
  emit(g.ifp, m, length, V3_ROUTERS);
}

/** Arms the report timer to a random time within `tenths`. */
function delay(g: Ifmulti, tenths: u32): void {
  timer.arm(g.timer, clock.now() + 1 + i64(rand.below(tenths * TENTH_US)));
}

/** The version to speak: that of the oldest router that is about (RFC 3376 7.2.1). */
function version(ifp: Ifnet): u32 {
  const now = clock.now();
  const v: u32 = now < ifp.igmp_v1_until ? 1 : now < ifp.igmp_v2_until ? 2 : 3;
  if (ifp.igmp_version && ifp.igmp_version != v) {
    // RFC 3376 7.2.1: what is pending was meant for others
    for (let g = ifp.multis; g; g = g.next) {
      timer.cancel(g.timer);
      g.due = 0;
    }
  }
  ifp.igmp_version = v;
  return v;
}

/** Sends a message of version 1 or 2. */
function send(ifp: Ifnet, type: u32, group: u32, dst: u32): void {
  const m = mbuf.gethdr(HLEN + LENGTH);
  if (!m) return;
  wire.put(m.data + HLEN, type, group);
  emit(ifp, m, LENGTH, dst);
}

/** Sends `length` bytes behind room for the IP header: TTL 1, Router Alert (RFC 3376 4). */
function emit(ifp: Ifnet, m: Mbuf, length: u32, dst: u32): void {
  const p = m.data;
  const src = ifp.addrs ? ifp.addrs.addr : 0;
  const total = HLEN + length;
  ip4.put(p, 0xc0, total, 0, 0, 1, IpProto.IGMP, src, dst);
  store<u8>(p, u8(0x40 | (HLEN >> 2)));
  store<u32>(p, ROUTER_ALERT, 20);
  m.len = total;
  m.pktlen = total;
  store<u16>(p, 0, HLEN + 2);
  store<u16>(p, <u16> checksum.finish(checksum.chain(m, HLEN, length, 0)), HLEN + 2);
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
    if (type == Igmp.QUERY) valid = query(PKT.ifp, p);
    else if (type == Igmp.V1_REPORT || type == Igmp.V2_REPORT) heard(PKT.ifp, wire.group(p));
    else valid = type == Igmp.LEAVE || type == Igmp.V3_REPORT;
    if (HOOKS.raw) call_indirect<Fate>(HOOKS.raw, m);
  }
  stat.fate(valid ? Fate.IGMP_ACCEPTED : Fate.IGMP_INVALID);
  mbuf.freem(m);
}

/**
 * A router asks for one group, or all (group 0): each answer comes at a random time. False for a
 * query of no known version (RFC 3376 7.1: it is ignored) or that is shorter than its sources.
 */
function query(ifp: Ifnet, p: usize): bool {
  const group = wire.group(p);
  const len = PKT.len;
  let tenths = wire.maxResponse(p);
  let sources: u32 = 0;
  if (len == LENGTH) {
    const older = ifp.igmp_older_us;
    const until = clock.now() + (older ? older : OLDER_US);
    if (tenths) ifp.igmp_v2_until = until;
    else {
      ifp.igmp_v1_until = until;
      tenths = TEN_SECONDS;
    }
  } else {
    if (len < wire.QUERY3) return false;
    sources = wire.sources(p);
    if (len < wire.QUERY3 + (sources << 2)) return false;
    tenths = max<u32>(wire.codeValue(tenths), 1);
    ifp.igmp_robustness = wire.robustness(p);
    // RFC 3376 8.12; the response time of a general query alone is the Query Response Interval
    const interval = wire.codeValue(wire.interval(p)) * ifp.igmp_robustness;
    if (!group && interval) ifp.igmp_older_us = i64(interval * 10 + tenths) * TENTH_US;
  }
  version(ifp);
  const latest = clock.now() + i64(tenths * TENTH_US);
  for (let g = ifp.multis; g; g = g.next) {
    if (!isReported(g) || (group != 0 && g.group != group)) continue;
    if (sources && !asksFor(g, p, sources)) continue;
    if (timer.pending(g.timer) && (g.due || g.timer.when <= latest)) continue;
    timer.cancel(g.timer);
    g.due = 0;
    delay(g, tenths);
  }
  return true;
}

/**
 * Whether a query that names sources asks for one that is wanted (RFC 3376 5.2): if so the answer
 * is the whole filter. Those beyond the first few may be wanted.
 */
function asksFor(g: Ifmulti, p: usize, count: u32): bool {
  if (count > SOURCES_READ) return true;
  for (let i: u32 = 0; i < count; i++) if (filter.isWanted(g, wire.source(p, i))) return true;
  return false;
}

/** Another member has reported the group: ours is not needed. */
function heard(ifp: Ifnet, group: u32): void {
  const g = if_multi.find(ifp, group);
  if (!g || PKT.src4 == (ifp.addrs ? ifp.addrs.addr : 0)) return;
  timer.cancel(g.timer);
  g.last_reporter = 0;
}
