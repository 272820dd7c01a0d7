/** Copies between chains of mbufs and plain memory. Import them through mbuf_ops. */
import { Errno } from "../abi/errno";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import * as clock from "./clock";
import * as mbuf from "./mbuf";
import { Mbuf } from "./mbuf_t";

/** Flags that a copy of a whole packet keeps. */
const KEPT: u16 = u16(Mf.BCAST | Mf.MCAST | Mf.LOOP | Mf.CSUM_IP_OK | Mf.CSUM_L4_OK);
/** Flags that a copy of a part of a packet keeps. */
const KEPT_PART: u16 = u16(Mf.BCAST | Mf.MCAST | Mf.LOOP);

/**
 * Copies `len` bytes that start `off` into the chain to `dst`; answers how many there were, fewer
 * than `len` if the chain ends before. The chain is not changed.
 */
export function copydata(m: Mbuf, off: u32, len: u32, dst: usize): u32 {
  while (m && off >= m.len) {
    off -= m.len;
    m = m.next;
  }
  let done: u32 = 0;
  while (m && done < len) {
    const n = min(m.len - off, len - done);
    memory.copy(dst + done, m.data + off, n);
    done += n;
    off = 0;
    m = m.next;
  }
  return done;
}

/**
 * Copies `len` bytes from `src` into the chain from its byte `off` on, making it longer if need be;
 * a gap between the old end and `off` becomes zeros. 0, or -ENOBUFS or -EINVAL (the end would lie
 * beyond 2^31) with the chain unchanged.
 */
export function copyback(m: Mbuf, off: u32, len: u32, src: usize): i32 {
  if (u64(off) + u64(len) > 0x7fffffff) return -Errno.EINVAL;
  const end = off + len;
  const old = length(m);
  if (end > old && !extend(m, end - old)) return -Errno.ENOBUFS;
  if (off > old) write(m, old, off - old, 0);
  write(m, off, len, src);
  return 0;
}

/** Bytes of data in the chain; nil has none. */
export function length(m: Mbuf): u32 {
  let sum: u32 = 0;
  for (; m; m = m.next) sum += m.len;
  return sum;
}

/** Writes over `len` bytes from byte `off` on, which are there; zeros if `src` is 0. */
function write(m: Mbuf, off: u32, len: u32, src: usize): void {
  while (len) {
    if (off >= m.len) {
      off -= m.len;
    } else {
      const n = min(m.len - off, len);
      if (src) {
        memory.copy(m.data + off, src, n);
        src += n;
      } else {
        memory.fill(m.data + off, 0, n);
      }
      len -= n;
      off = 0;
    }
    m = m.next;
  }
}

/** Adds `n` bytes with anything in them at the end; false, and nothing is changed, if it cannot. */
function extend(m: Mbuf, n: u32): bool {
  let last = m;
  while (last.next) last = last.next;
  const here = min(n, mbuf.trailing(last));
  if (n > here) {
    const more = bare(n - here, m.type);
    if (!more) return false;
    last.next = more;
  }
  last.len += here;
  if (m.flags & Mf.PKTHDR) m.pktlen += n;
  return true;
}

/** A chain with `len` bytes with anything in them, at least one mbuf; or nil. */
function bare(len: u32, type: u32): Mbuf {
  let first = changetype<Mbuf>(0);
  let last = first;
  do {
    const m = len <= u32(MbufSize.MLEN) ? mbuf.get(type) : mbuf.getcl(type);
    if (!m) {
      mbuf.freem(first);
      return m;
    }
    m.len = min(len, m.cap);
    len -= m.len;
    if (last) last.next = m;
    else first = m;
    last = m;
  } while (len);
  return first;
}

/**
 * A packet of `len` bytes with anything in them, of type `type` (Mt), the first mbuf with `lead`
 * bytes free in front of its data; nil without memory.
 */
export function packet(len: u32, lead: u32, type: u32): Mbuf {
  const m = bare(len + lead, type);
  if (!m) return m;
  m.data += lead;
  m.len -= lead;
  m.flags |= u16(Mf.PKTHDR);
  m.pktlen = len;
  return m;
}

/**
 * A new chain with a copy of `len` bytes that start `off` into the chain, or of as many as there
 * are. Of a packet the copy is a packet too, with MAX_HDR bytes of room in front. Nil without
 * memory, or if `off` lies beyond the end; `m` is kept and not changed.
 */
export function copym(m: Mbuf, off: u32, len: u32): Mbuf {
  const total = length(m);
  if (off > total) return changetype<Mbuf>(0);
  if (len > total - off) len = total - off;
  const head = (m.flags & Mf.PKTHDR) != 0;
  const n = head ? packet(len, MbufSize.MAX_HDR, m.type) : bare(len, m.type);
  if (!n) return n;
  if (head) {
    n.flags |= m.flags & (len == total ? KEPT : KEPT_PART);
    n.rcvif = m.rcvif;
    n.l3off = m.l3off;
    n.aux = m.aux;
    n.aux2 = m.aux2;
    n.segs = m.segs;
    n.seg_size = m.seg_size;
    n.tstamp = m.tstamp;
  } else {
    n.flags |= m.flags & KEPT_PART;
  }
  for (let to = n; to; to = to.next) {
    copydata(m, off, to.len, to.data);
    off += to.len;
  }
  return n;
}

/**
 * A packet with a copy of `len` bytes of plain memory, MAX_LINKHDR bytes of room in front, and the
 * present time; nil without memory.
 */
export function devget(src: usize, len: u32, rcvif: u32): Mbuf {
  const m = packet(len, MbufSize.MAX_LINKHDR, Mt.DATA);
  if (!m) return m;
  m.rcvif = u16(rcvif);
  m.tstamp = clock.now();
  for (let to = m; to; to = to.next) {
    memory.copy(to.data, src, to.len);
    src += to.len;
  }
  return m;
}
