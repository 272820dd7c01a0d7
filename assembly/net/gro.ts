/**
 * Receive batching (generic receive offload): segments of one TCP connection that stand one after
 * another in a batch become one packet, which goes up once. No data is moved: the mbufs are
 * chained, headers stay in front of each mbuf's data, and TCP can take the chain apart again.
 *
 * ```
 *   +-----------------+------+   +---------------+------+   +---------------+------+
 *   | IP | TCP | data | room |-->|(IP)(TCP)| data | .. |-->|(IP)(TCP)| data | .. |   Mf.MERGED
 *   +-----------------+------+   +---------------+------+   +---------------+------+
 *     total length of all          segs = 3, seg_size = data in the first
 * ```
 *
 * Put together is only what says the same but for its place: every check of every segment is made
 * here, checksums included, and what is unusual in any way goes up alone, as if this were not
 * there, and behind what came before it. Packets for others are not touched: a router sends on what
 * came.
 */
import { EtherType } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Rtf } from "../abi/route";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as tcp_options from "../wire/tcp_options";
import { Ifnet } from "./ifnet_t";
import * as input_type from "./input_type";
import * as route from "./route";

/** Connections that can be put together at a time. */
const FLOWS: u32 = 8;
/** The first segment of a packet has so much that its headers stay alone in the first mbuf. */
const FIRST_MIN: u32 = 128;
/** Header of TCP with timestamps, the only option allowed. */
const HEADER_TS: u32 = tcp.HEADER + tcp_options.PLAIN_TS;
/** Fragment field, as it lies in memory, without DF: 0 for a whole datagram. */
const FRAGMENT: u32 = 0xffbf;
/** The word of offset, control bits and window, as it lies in memory, without PSH. */
const BUT_PUSH: u32 = ~(u32(Th.PUSH) << 8);

/** What waits for more of its connection. */
@unmanaged
@final
export class GroFlow {
  addrs: u64; // source and destination, as they lie in memory
  head: Mbuf; // the packet, at its IP header; nil: this place is free
  tail: Mbuf; // last mbuf of its chain
  ports: u32; // both, as they lie in memory
  next: u32; // sequence number that follows
  segs: u32; // segments so far
  seg_size: u32; // bytes of data in each
  hlen: u32; // bytes of the TCP header
  pad: u32;
}

/** State of the module; empty between batches. */
@unmanaged
@final
export class GroState {
  held: u32; // places in use
  last: u32; // place that was used last
}

const S: GroState = changetype<GroState>(memory.data(offsetof<GroState>(), 16));
const TABLE: usize = memory.data(40 * 8, 16);

function flow(i: u32): GroFlow {
  return changetype<GroFlow>(TABLE + i * offsetof<GroFlow>());
}

/**
 * Takes a packet that came in by `ifp`, at its IP header, if it can be put together with others of
 * its connection; `more`: others of the batch follow. If not, false: it is the caller's to hand up,
 * and what came before it on its connection has gone up. The fate may be that of another frame
 * afterwards.
 */
export function take(ifp: Ifnet, m: Mbuf, more: bool): bool {
  if (S.held == 0 && !(more && N.gro)) return false;
  const p = m.data;
  if (m.len < ip4.HEADER + tcp.HEADER || ip4.protocol(p) != IpProto.TCP) return false;
  if (load<u8>(p) != ip4.VERSION_IHL || load<u16>(p, 6) & FRAGMENT) {
    flush(ifp); // whose segment it is cannot be seen here
    return false;
  }
  const f = find(p);
  const hlen = plain(m);
  if (hlen) {
    if (f && follows(f, p, hlen) && verified(m)) {
      append(ifp, f, m, hlen);
      return true;
    }
    if (f) up(ifp, f);
    return more && begins(ifp, m, hlen);
  }
  if (f) up(ifp, f);
  return false;
}

/** Sends up all that waits. */
export function flush(ifp: Ifnet): void {
  for (let i: u32 = 0; S.held; i++) {
    if (flow(i).head) up(ifp, flow(i));
  }
}

/** What waits of the connection of the segment at `p`, or nil. */
function find(p: usize): GroFlow {
  const addrs = load<u64>(p, 12);
  const ports = load<u32>(p, ip4.HEADER);
  if (S.held == 0) return changetype<GroFlow>(0);
  let f = flow(S.last);
  if (f.addrs == addrs && f.ports == ports && f.head) return f;
  for (let i: u32 = 0; i < FLOWS; i++) {
    f = flow(i);
    if (f.addrs == addrs && f.ports == ports && f.head) {
      S.last = i;
      return f;
    }
  }
  return changetype<GroFlow>(0);
}

/**
 * Bytes of the TCP header if the segment is nothing but data: ACK and perhaps PSH, no option but
 * timestamps in the usual form, to this station alone; else 0.
 */
function plain(m: Mbuf): u32 {
  const p = m.data;
  const th = p + ip4.HEADER;
  const hlen = tcp.offset(th);
  const total = ip4.total(p);
  if ((tcp.flags(th) & ~u32(Th.PUSH)) != Th.ACK || total > m.len) return 0;
  if (total <= ip4.HEADER + hlen) return 0; // no data, or none that is sound
  if (m.next || m.segs > 1 || m.flags & (Mf.BCAST | Mf.MCAST)) return 0;
  if (hlen == tcp.HEADER) return hlen;
  const ts = hlen == HEADER_TS && tcp_options.isPlainTs(th + tcp.HEADER, tcp_options.PLAIN_TS);
  return ts ? hlen : 0;
}

/** True if the plain segment at `p` says what `f` says, and is next: all but its checksums. */
function follows(f: GroFlow, p: usize, hlen: u32): bool {
  const q = f.head.data;
  const th = p + ip4.HEADER;
  const first = q + ip4.HEADER;
  const len = ip4.total(p) - ip4.HEADER - hlen;
  if (tcp.seq(th) != f.next || len > f.seg_size || hlen != f.hlen) return false;
  // version and TOS with its ECN field; DF; TTL and protocol
  if (load<u16>(p) != load<u16>(q) || load<u16>(p, 6) != load<u16>(q, 6)) return false;
  if (load<u16>(p, 8) != load<u16>(q, 8)) return false;
  // ACK number; offset, control bits and window
  if (load<u32>(th, 8) != load<u32>(first, 8)) return false;
  if ((load<u32>(th, 12) ^ load<u32>(first, 12)) & BUT_PUSH) return false;
  return hlen == tcp.HEADER || load<u64>(th, 24) == load<u64>(first, 24);
}

/** True if both checksums are right, or vouched for; the packet says so then. */
function verified(m: Mbuf): bool {
  const p = m.data;
  if (!(m.flags & Mf.CSUM_IP_OK) && ip4.sum(p, ip4.HEADER) != 0xffff) return false;
  if (!(m.flags & Mf.CSUM_L4_OK)) {
    const len = ip4.total(p) - ip4.HEADER;
    const pseudo = ip4.pseudo(p, len);
    if (checksum.finish(checksum.sum(p + ip4.HEADER, len, pseudo)) != 0) return false; // MUST-3
  }
  m.flags |= u16(Mf.CSUM_IP_OK | Mf.CSUM_L4_OK);
  return true;
}

/** Puts the segment behind what waits. */
function append(ifp: Ifnet, f: GroFlow, m: Mbuf, hlen: u32): void {
  const p = m.data;
  const head = f.head;
  const len = ip4.total(p) - ip4.HEADER - hlen;
  const push = tcp.flags(p + ip4.HEADER) & Th.PUSH;
  m.flags &= ~u16(Mf.PKTHDR);
  m.data = p + ip4.HEADER + hlen;
  m.len = len;
  f.tail.next = m;
  f.tail = m;
  f.next += len;
  f.segs += 1;
  head.pktlen += len;
  if (push) tcp.setFlags(head.data + ip4.HEADER, Th.ACK | Th.PUSH);
  const full = head.pktlen + f.seg_size > ip4.MAXPACKET;
  if (push || len < f.seg_size || full) up(ifp, f);
}

/** Keeps the segment for others that may follow it; false if none can. */
function begins(ifp: Ifnet, m: Mbuf, hlen: u32): bool {
  const p = m.data;
  const total = ip4.total(p);
  if (!N.gro || total < FIRST_MIN || tcp.flags(p + ip4.HEADER) & Th.PUSH) return false;
  const rt = route.lookup(ip4.dst(p));
  if (!rt || !(rt.flags & Rtf.LOCAL) || !verified(m)) return false;
  const f = place(ifp);
  f.addrs = load<u64>(p, 12);
  f.ports = load<u32>(p, ip4.HEADER);
  f.head = m;
  f.tail = m;
  f.segs = 1;
  f.hlen = hlen;
  f.seg_size = total - ip4.HEADER - hlen;
  f.next = tcp.seq(p + ip4.HEADER) + f.seg_size;
  m.len = total;
  m.pktlen = total;
  S.held += 1;
  return true;
}

/** A free place; if there is none, the one behind the last used becomes free. */
function place(ifp: Ifnet): GroFlow {
  for (let i: u32 = 0; i < FLOWS; i++) {
    S.last = (S.last + 1) & (FLOWS - 1);
    if (!flow(S.last).head) return flow(S.last);
  }
  S.last = (S.last + 1) & (FLOWS - 1);
  up(ifp, flow(S.last));
  return flow(S.last);
}

/** Sends up what waits in `f`. Its frames share one fate, unless TCP takes them apart. */
function up(ifp: Ifnet, f: GroFlow): void {
  const m = f.head;
  f.head = changetype<Mbuf>(0);
  S.held -= 1;
  if (f.segs > 1) {
    stat.add(Stat.TCP_MERGED, f.segs - 1);
    m.segs = u16(f.segs);
    m.seg_size = u16(f.seg_size);
    m.flags |= u16(Mf.MERGED);
    ip4.setTotal(m.data, m.pktlen);
    ip4.setChecksum(m.data, ip4.HEADER);
  }
  stat.clearFate();
  stat.standFor(f.segs);
  input_type.dispatch(ifp, m, EtherType.IP);
  stat.endFrame();
}

/**
 * Takes the first segment off a packet that was put together: m is that segment alone, as it came,
 * and the others are answered, as such a packet again; nil if m was the last.
 */
export function part(m: Mbuf): Mbuf {
  const rest = m.next;
  const headers = ip4.HEADER + tcp.offset(m.data + ip4.HEADER);
  m.flags &= ~u16(Mf.MERGED);
  m.segs = 0;
  m.seg_size = 0;
  m.pktlen = m.len;
  m.next = changetype<Mbuf>(0);
  if (!rest) return rest;
  tcp.setFlags(m.data + ip4.HEADER, Th.ACK);
  ip4.setTotal(m.data, m.len);
  ip4.setChecksum(m.data, ip4.HEADER);
  rest.data -= headers;
  rest.len += headers;
  rest.flags |= u16(Mf.PKTHDR | Mf.MERGED);
  return rest;
}
