/**
 * Operations on chains of mbufs. The `pktlen` of a packet is kept right by all of them. Bytes are
 * counted from the start of the chain's data.
 */
import { MbufSize, Mf } from "../abi/mbuf";
import * as mbuf from "./mbuf";
import { length } from "./mbuf_copy";
import { Mbuf } from "./mbuf_t";

export { copyback, copydata, copym, devget, length } from "./mbuf_copy";

/** Most bytes that are copied to spare an mbuf when two chains are joined. */
const COMPACT: u32 = 512;
/** Flags that belong to the whole packet, and so to its first mbuf. */
const MOVED: u16 = ~u16(Mf.EXT | Mf.EOR);
/** Flags that both parts of a packet cut in two have. */
const SHARED: u16 = u16(Mf.PKTHDR | Mf.BCAST | Mf.MCAST | Mf.LOOP);
/** The flag that belongs to the last mbuf of a record. */
const EOR: u16 = u16(Mf.EOR);

function nil(): Mbuf {
  return changetype<Mbuf>(0);
}

/** Makes `n` the first mbuf of what `m` was the first of. */
function moveHeader(n: Mbuf, m: Mbuf): void {
  n.flags |= m.flags & MOVED;
  n.nextpkt = m.nextpkt;
  n.pktlen = m.pktlen;
  n.rcvif = m.rcvif;
  n.l3off = m.l3off;
  n.aux = m.aux;
  n.aux2 = m.aux2;
  n.segs = m.segs;
  n.seg_size = m.seg_size;
  n.tstamp = m.tstamp;
  m.flags &= u16(Mf.EXT | Mf.EOR);
  m.nextpkt = nil();
  m.pktlen = 0;
}

/** An mbuf with room for `len` bytes, small if they fit; nil if not even a cluster holds them. */
function sized(len: u32, type: u32): Mbuf {
  if (len <= u32(MbufSize.MLEN)) return mbuf.get(type);
  return len <= u32(MbufSize.MCLBYTES) ? mbuf.getcl(type) : nil();
}

/**
 * Room for `len` more bytes, at most MCLBYTES, in front of the data: answers the first mbuf, whose
 * data now starts with those bytes, to be filled in. Frees the chain and answers nil if it cannot.
 */
export function prepend(m: Mbuf, len: u32): Mbuf {
  let head = m;
  if (mbuf.leading(m) >= len) {
    m.data -= len;
    m.len += len;
  } else {
    head = sized(len, m.type);
    if (!head) {
      mbuf.freem(m);
      return head;
    }
    moveHeader(head, m);
    head.next = m;
    head.len = len;
    // The bytes stand at the end, so that more headers find room in front.
    head.data += (head.cap - len) & ~7;
  }
  if (head.flags & Mf.PKTHDR) head.pktlen += len;
  return head;
}

/**
 * Makes the first `len` bytes, at most MCLBYTES, contiguous: answers the first mbuf. Frees the
 * chain and answers nil if it is shorter than that or there is no memory.
 */
export function pullup(m: Mbuf, len: u32): Mbuf {
  if (m.len >= len) return m;
  if (m.cap < len) {
    const head = sized(len, m.type);
    if (!head) {
      mbuf.freem(m);
      return head;
    }
    head.data += min(head.cap - len, mbuf.leading(m)) & ~7;
    moveHeader(head, m);
    head.next = m;
    m = head;
  } else if (m.len + mbuf.trailing(m) < len) {
    const to = m.buf + (m.cap - len);
    memory.copy(to, m.data, m.len);
    m.data = to;
  }
  // Here m has room for what is missing, behind its data.
  let next = m.next;
  while (next && m.len < len) {
    const n = min(next.len, len - m.len);
    memory.copy(m.data + m.len, next.data, n);
    m.len += n;
    next.data += n;
    next.len -= n;
    if (next.len == 0) next = absorb(m, next);
  }
  m.next = next;
  if (m.len >= len) return m;
  mbuf.freem(m);
  return nil();
}

/**
 * Trims `n` bytes from the front, or -n from the end if `n` is negative; all, if there are not so
 * many. The first mbuf stays, perhaps empty; others that become empty are freed.
 */
export function adj(m: Mbuf, n: i32): void {
  const total = m.flags & Mf.PKTHDR ? m.pktlen : length(m);
  const cut = min(n < 0 ? u32(0) - u32(n) : u32(n), total);
  if (n < 0) truncate(m, total - cut);
  else trimFront(m, cut);
  if (m.flags & Mf.PKTHDR) m.pktlen = total - cut;
}

function trimFront(m: Mbuf, n: u32): void {
  const here = min(n, m.len);
  m.data += here;
  m.len -= here;
  n -= here;
  let next = m.next;
  while (n) {
    const cut = min(n, next.len);
    next.data += cut;
    next.len -= cut;
    n -= cut;
    if (next.len == 0) next = absorb(m, next);
  }
  m.next = next;
}

/** Keeps the first `keep` bytes, which are there. */
function truncate(m: Mbuf, keep: u32): void {
  while (keep > m.len) {
    keep -= m.len;
    m = m.next;
  }
  m.len = keep;
  dropRest(m);
}

/** Frees `n`, an empty mbuf behind `m`, and answers the next. */
function absorb(m: Mbuf, n: Mbuf): Mbuf {
  m.flags |= n.flags & EOR;
  return mbuf.free(n);
}

/** Frees all behind `m`. */
function dropRest(m: Mbuf): void {
  let next = m.next;
  while (next) next = absorb(m, next);
  m.next = next;
}

/**
 * Joins `n`, which may be nil, to the end of `m`. Short pieces are copied into room at the end of
 * `m` and their mbufs freed.
 */
export function cat(m: Mbuf, n: Mbuf): void {
  if (!n) return;
  if (m.flags & Mf.PKTHDR) m.pktlen += length(n);
  n.flags &= ~u16(Mf.PKTHDR);
  n.pktlen = 0;
  let last = m;
  while (last.next) last = last.next;
  while (n && n.len <= COMPACT && n.len <= mbuf.trailing(last)) {
    memory.copy(last.data + last.len, n.data, n.len);
    last.len += n.len;
    n = absorb(last, n);
  }
  last.next = n;
}

/**
 * Cuts the chain in two: `m` keeps the first `at` bytes and the rest is answered, as a packet if
 * `m` is one. Nil, and `m` is unchanged, if nothing lies behind `at` or there is no memory.
 */
export function split(m: Mbuf, at: u32): Mbuf {
  const total = m.flags & Mf.PKTHDR ? m.pktlen : length(m);
  if (at >= total) return nil();
  let p = m;
  let off = at;
  while (off > p.len) {
    off -= p.len;
    p = p.next;
  }
  let tail = p.next;
  if (off < p.len) {
    const rest = p.len - off;
    tail = sized(rest, p.type);
    if (!tail) return tail;
    tail.data += min(tail.cap - rest, MbufSize.MAX_HDR) & ~7;
    memory.copy(tail.data, p.data + off, rest);
    tail.len = rest;
    tail.next = p.next;
    tail.flags |= p.flags & EOR;
    p.flags &= ~EOR;
    p.len = off;
  }
  p.next = nil();
  if (m.flags & Mf.PKTHDR) {
    tail.flags |= m.flags & SHARED;
    tail.rcvif = m.rcvif;
    tail.aux = m.aux;
    tail.aux2 = m.aux2;
    tail.tstamp = m.tstamp;
    tail.pktlen = total - at;
    m.pktlen = at;
  }
  return tail;
}

/** One contiguous mbuf with all of the chain's data, or nil: then the chain is freed. */
export function linear(m: Mbuf): Mbuf {
  if (!m.next) return m;
  m = pullup(m, length(m));
  if (m) dropRest(m);
  return m;
}
