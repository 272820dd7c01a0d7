/**
 * Reassembly (RFC 791 3.2, RFC 815, RFC 1122 3.3.2). Fragments that overlap are an attack or a
 * broken router: the whole datagram is dropped, and what is still to come of it too (RFC 5722
 * applied to IPv4); an exact copy of a fragment is ignored. A datagram is given up after 30 s.
 */
import { Fate } from "../abi/fate";
import { Limits } from "../abi/limits";
import { Mf } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import { Icmp } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as icmp_error from "./icmp_error";
import { Ipq } from "./ip_reass_t";
import * as ipq from "./ipq";
import { PKT } from "./pkt_t";

/** Code of "fragment reassembly time exceeded". */
const REASSEMBLY: u32 = 1;

/** Bits of Ipq.ecn, one for each codepoint. */
const NOT_ECT: u8 = 1 << u8(ip4.NOT_ECT);
const CE: u8 = 1 << u8(ip4.CE);

/** Room for `limit` datagrams at a time; false without memory. */
export function init(limit: u32): bool {
  return ipq.init(limit, expire.index);
}

/** Frees all fragments: pr_drain. */
export function drain(): void {
  ipq.removeAll();
}

/**
 * Takes a fragment, at its IP header and described by PKT. Answers the datagram if this makes it
 * whole; else nil, and the frame's fate is counted.
 */
export function input(m: Mbuf): Mbuf {
  const field = ip4.fragment(m.data);
  const more = (field & ip4.MF) != 0;
  const off = (field & ip4.OFFSET_MASK) << 3;
  const len = PKT.len;
  // RFC 791 3.2: all but the last are multiples of 8 bytes; together at most 65,535 with a header
  const bad = len == 0 || (more && (len & 7) != 0) || off + len > ip4.MAXPACKET - PKT.hlen;
  if (bad) return drop(m, Fate.IP_FRAGMENT_INVALID);
  const q = ipq.forKey(PKT.src4, PKT.dst4, (ip4.id(m.data) << 8) | PKT.protocol);
  if (!q) return drop(m, Fate.IP_FRAGMENT_LIMIT);
  if (!timer.pending(q.timer)) timer.arm(q.timer, clock.now() + i64(N.reass_ms) * 1000);
  if (q.dead) return drop(m, Fate.IP_FRAGMENT_OVERLAP);
  m.aux = off;
  m.aux2 = len;
  if (!insert(q, m, more)) return changetype<Mbuf>(0);
  if (q.have != q.total) {
    stat.fate(Fate.IP_FRAGMENT_HELD);
    return changetype<Mbuf>(0);
  }
  return finish(q);
}

function drop(m: Mbuf, f: Fate): Mbuf {
  stat.fate(f);
  mbuf.freem(m);
  return changetype<Mbuf>(0);
}

/** The datagram is spoilt: frees what is there, and marks it so that nothing is added. */
function spoil(q: Ipq, m: Mbuf, f: Fate): bool {
  drop(m, f);
  ipq.freeFragments(q);
  q.dead = 1;
  return false;
}

/** Puts a fragment in its place; false if it was dropped. */
function insert(q: Ipq, m: Mbuf, more: bool): bool {
  const off = m.aux;
  const end = off + m.aux2;
  let prev = changetype<Mbuf>(0);
  let next = q.frags;
  while (next && next.aux < off) {
    prev = next;
    next = next.nextpkt;
  }
  if (next && isCopy(m, next)) {
    drop(m, Fate.IP_FRAGMENT_OVERLAP);
    return false;
  }
  const before = prev ? prev.aux + prev.aux2 : 0;
  const behind = next ? next.aux : u32.MAX_VALUE;
  if (before > off || behind < end) return spoil(q, m, Fate.IP_FRAGMENT_OVERLAP);
  // the last fragment is the last: nothing may lie behind it, nor a second one say otherwise
  const beyond = more ? q.total != 0 && end >= q.total : next != null || q.total != 0;
  if (beyond) return spoil(q, m, Fate.IP_FRAGMENT_INVALID);
  const storage = ipq.storageOf(m);
  if (q.count == Limits.FRAG_PER_DATAGRAM) return spoil(q, m, Fate.IP_FRAGMENT_LIMIT);
  if (!ipq.makeRoom(q, storage)) {
    drop(m, Fate.IP_FRAGMENT_LIMIT);
    return false;
  }
  m.nextpkt = next;
  if (prev) prev.nextpkt = m;
  else q.frags = m;
  ipq.charge(q, storage);
  q.count += 1;
  q.have += m.aux2;
  q.ecn |= u8(1) << u8(PKT.tos & 3);
  if (!more) q.total = end;
  return true;
}

/** True if two fragments are the same: place, length, and all bytes of the data. */
function isCopy(a: Mbuf, b: Mbuf): bool {
  if (a.aux != b.aux || a.aux2 != b.aux2 || a.next || b.next) return false;
  const pa = a.data;
  const pb = b.data;
  if ((ip4.fragment(pa) ^ ip4.fragment(pb)) & ip4.MF) return false;
  return memory.compare(pa + ip4.hlen(pa), pb + ip4.hlen(pb), a.aux2) == 0;
}

/** All is there: joins the fragments behind the header of the first. */
function finish(q: Ipq): Mbuf {
  const m = q.frags;
  const hlen = ip4.hlen(m.data);
  const total = hlen + q.total;
  const ecn = q.ecn;
  // RFC 3168 5.3: CE on some fragments is CE on the datagram, but not if others cannot be marked;
  // one that can beside one that cannot is no work of the sender's either
  const mixed = (ecn & NOT_ECT) != 0 && ecn != NOT_ECT;
  if (total > ip4.MAXPACKET || mixed) {
    ipq.remove(q);
    stat.fate(Fate.IP_FRAGMENT_INVALID);
    return changetype<Mbuf>(0);
  }
  join(m);
  ipq.release(q);
  ipq.remove(q);
  const p = m.data;
  m.pktlen = total;
  if (ecn & CE) ip4.setTos(p, ip4.tos(p) | 3);
  ip4.setTotal(p, total);
  ip4.setFragment(p, 0);
  ip4.setChecksum(p, hlen);
  PKT.hlen = hlen;
  PKT.len = total - hlen;
  PKT.tos = ip4.tos(p);
  stat.inc(Stat.IP_REASSEMBLED);
  return m;
}

/** Makes one chain of the fragments: headers and padding of all but the first go. */
function join(m: Mbuf): void {
  let last = m;
  let f = m.nextpkt;
  m.nextpkt = changetype<Mbuf>(0);
  m.aux = 0;
  m.aux2 = 0;
  // a device verifies the checksum of whole datagrams only
  if (!(m.flags & Mf.LOOP)) m.flags &= ~u16(Mf.CSUM_L4_OK);
  while (f) {
    const next = f.nextpkt;
    const hlen = ip4.hlen(f.data);
    f.data += hlen;
    f.len -= hlen;
    f.flags &= u16(Mf.EXT);
    f.nextpkt = changetype<Mbuf>(0);
    while (last.next) last = last.next;
    last.next = f;
    f = next;
  }
}

/** The time is up. The sender is told, if it is known what of: RFC 792, RFC 1122 3.3.2. */
function expire(arg: usize): void {
  const q = changetype<Ipq>(arg);
  let m = q.frags;
  if (m && m.aux == 0 && !q.dead) {
    q.frags = m.nextpkt;
    m.nextpkt = changetype<Mbuf>(0);
  } else {
    m = changetype<Mbuf>(0);
  }
  // before anything is sent: that may find no mbufs, and drain the table
  ipq.giveUp(q);
  if (m) icmp_error.error(m, Icmp.TIME_EXCEEDED, REASSEMBLY, 0);
}
