/**
 * Socket buffers: queues of mbufs with limits on the bytes of data and on the storage they hold.
 * A stream is one chain of mbufs; messages are records, each a chain, linked by `nextpkt`. See
 * `Sockbuf` in socket_t for the shape of a record.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Limits } from "../abi/limits";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { SockAddr } from "./sockaddr";
import { Sockbuf } from "./socket_t";

/** How much more storage than data a buffer may hold: small segments waste most of a cluster. */
const STORAGE_FACTOR: u32 = 4;
/** Data up to this many bytes is copied into the room behind the last mbuf. */
const COMPACT_MAX: u32 = 1024;

/** What seek found beside the mbuf. */
@unmanaged
@final
export class SeekState {
  off: u32; // offset of the byte inside the mbuf
}

const S: SeekState = changetype<SeekState>(memory.data(offsetof<SeekState>(), 16));

/**
 * Sets the limits of a buffer. EINVAL for less than one byte, ENOBUFS for more than
 * Limits.SB_MAX.
 */
export function reserve(sb: Sockbuf, hiwat: i32): i32 {
  if (hiwat <= 0) return -Errno.EINVAL;
  if (hiwat > Limits.SB_MAX) return -Errno.ENOBUFS;
  sb.hiwat = hiwat;
  sb.mbmax = max<u32>(hiwat * STORAGE_FACTOR, 2 * MbufSize.MCLSIZE);
  if (sb.lowat > sb.hiwat) sb.lowat = sb.hiwat;
  return 0;
}

/** Bytes that may still be put in; below zero when the limits were lowered or exceeded. */
export function space(sb: Sockbuf): i32 {
  return min<i32>(<i32> (sb.hiwat - sb.cc), <i32> (sb.mbmax - sb.mbcnt));
}

/** Storage an mbuf occupies, header included. */
function storage(m: Mbuf): u32 {
  return m.cap + MbufSize.HEADER;
}

/**
 * Appends a chain to a stream; owns m. Empty mbufs are freed, and up to COMPACT_MAX bytes are
 * copied behind the last mbuf where they fit and it does not end a record (BSD's sbcompress). The
 * limits are the caller's to keep: a protocol appends what it has acknowledged.
 */
export function append(sb: Sockbuf, m: Mbuf): void {
  let tail = sb.mbtail;
  while (m) {
    const len = m.len;
    if (len == 0) {
      m = mbuf.free(m);
      continue;
    }
    sb.cc += len;
    if (tail && len <= COMPACT_MAX && len <= mbuf.trailing(tail) && joins(tail, m)) {
      memory.copy(tail.data + tail.len, m.data, len);
      tail.len += len;
      tail.flags |= m.flags & u16(Mf.EOR);
      m = mbuf.free(m);
      continue;
    }
    sb.mbcnt += storage(m);
    if (tail) tail.next = m;
    else {
      sb.mb = m;
      sb.lastrecord = m;
    }
    m.nextpkt = changetype<Mbuf>(0);
    tail = m;
    m = m.next;
  }
  // Mbufs that were copied and freed may have stood between the tail and the end of m.
  if (tail) tail.next = changetype<Mbuf>(0);
  sb.mbtail = tail;
}

/** True if what `m` holds may stand in `tail` as well. */
function joins(tail: Mbuf, m: Mbuf): bool {
  return tail.type == m.type && !(tail.flags & Mf.EOR);
}

/** Appends a chain as a record of its own; owns m. */
export function appendRecord(sb: Sockbuf, m: Mbuf): void {
  if (!m) return;
  if (sb.lastrecord) sb.lastrecord.nextpkt = m;
  else sb.mb = m;
  sb.lastrecord = m;
  m.nextpkt = changetype<Mbuf>(0);
  for (;;) {
    sb.mbcnt += storage(m);
    if (m.type != Mt.SONAME && m.type != Mt.CONTROL) sb.cc += m.len;
    const next = m.next;
    if (!next) break;
    m = next;
  }
  sb.mbtail = m;
}

/**
 * Appends a message as a record: the sender's address, control information (nil for none) and the
 * data m (nil for an empty message). False, with m and control still the caller's, when it does
 * not fit, when mbufs are scarce and the user has not read what came before, or when there is none
 * for the address.
 */
export function appendAddr(sb: Sockbuf, from: SockAddr, m: Mbuf, control: Mbuf): bool {
  let len: u32 = 0;
  let used: u32 = MbufSize.MSIZE;
  for (let n = m; n; n = n.next) {
    len += n.len;
    used += storage(n);
  }
  for (let n = control; n; n = n.next) used += storage(n);
  if (sb.cc + len > sb.hiwat || sb.mbcnt + used > sb.mbmax) return false;
  if (sb.mb && mbuf.scarce()) return false;
  const name = mbuf.get(Mt.SONAME);
  if (!name) return false;
  memory.copy(name.data, changetype<usize>(from), offsetof<SockAddr>());
  name.len = <u32> offsetof<SockAddr>();
  name.next = m;
  if (control) {
    name.next = control;
    let last = control;
    while (last.next) last = last.next;
    last.next = m;
  }
  appendRecord(sb, name);
  return true;
}

/**
 * Takes n bytes off the front of a stream and frees what they stood in. n beyond the data empties
 * the buffer.
 */
export function drop(sb: Sockbuf, n: u32): void {
  if (n > sb.cc) n = sb.cc;
  if (n == 0) return;
  sb.cc -= n;
  let left = n;
  let m = sb.mb;
  while (m && left >= m.len) {
    if (m == sb.sndptr) sb.sndptr = changetype<Mbuf>(0);
    left -= m.len;
    sb.mbcnt -= storage(m);
    m = mbuf.free(m);
  }
  sb.mb = m;
  if (m) {
    m.data += left;
    m.len -= left;
    sb.lastrecord = m;
  } else {
    sb.mbtail = changetype<Mbuf>(0);
    sb.lastrecord = changetype<Mbuf>(0);
  }
  // Offsets count from the first byte, which has moved on. If sndptr is still there and began
  // before that byte, it is now the first mbuf.
  sb.sndoff = sb.sndptr && sb.sndoff > n ? sb.sndoff - n : 0;
}

/** Frees the first record. */
export function dropRecord(sb: Sockbuf): void {
  let m = sb.mb;
  if (!m) return;
  const next = m.nextpkt;
  sb.mb = next;
  if (!next) {
    sb.mbtail = changetype<Mbuf>(0);
    sb.lastrecord = changetype<Mbuf>(0);
  }
  sb.sndptr = changetype<Mbuf>(0);
  sb.sndoff = 0;
  while (m) {
    sb.mbcnt -= storage(m);
    if (m.type != Mt.SONAME && m.type != Mt.CONTROL) sb.cc -= m.len;
    m = mbuf.free(m);
  }
}

/** Frees everything in the buffer; the limits stay. */
export function flush(sb: Sockbuf): void {
  while (sb.mb) dropRecord(sb);
}

/** Bytes of data in the first record; of the whole buffer for a stream. */
export function recordLength(sb: Sockbuf): u32 {
  let len: u32 = 0;
  for (let m = sb.mb; m; m = m.next) {
    if (m.type != Mt.SONAME && m.type != Mt.CONTROL) len += m.len;
  }
  return len;
}

/**
 * The mbuf of a stream that holds the byte at offset off; nil beyond the data. {@link seekOff}
 * then tells where in it. Remembers the mbuf, so that reading a stream in order never walks it
 * from the front.
 */
export function seek(sb: Sockbuf, off: u32): Mbuf {
  if (off >= sb.cc) return changetype<Mbuf>(0);
  let m = sb.sndptr;
  let base = sb.sndoff;
  if (!m || off < base) {
    m = sb.mb;
    base = 0;
  }
  while (off - base >= m.len) {
    base += m.len;
    m = m.next;
  }
  sb.sndptr = m;
  sb.sndoff = base;
  S.off = off - base;
  return m;
}

/** Of `len` bytes of a stream from offset `off` on, those before the next mark of MSG_EOR. */
export function recordRoom(sb: Sockbuf, off: u32, len: u32): u32 {
  let m = seek(sb, off);
  if (!m) return len;
  let n = m.len - S.off;
  while (n < len) {
    const next = m.next;
    if (!next) return len;
    if (m.flags & Mf.EOR) return n;
    n += next.len;
    m = next;
  }
  return len;
}

/** Offset, in the mbuf that seek answered, of the byte it was asked for. */
export function seekOff(): u32 {
  return S.off;
}

/** Whether counts agree with the chains; for tests and the checked build. */
export function consistent(sb: Sockbuf): bool {
  let cc: u32 = 0;
  let mbcnt: u32 = 0;
  let last = changetype<Mbuf>(0);
  let lastRecord = changetype<Mbuf>(0);
  let cached = !sb.sndptr;
  for (let record = sb.mb; record; record = record.nextpkt) {
    lastRecord = record;
    for (let m = record; m; m = m.next) {
      last = m;
      if (m == sb.sndptr && sb.sndoff == cc) cached = true;
      mbcnt += storage(m);
      if (m.type != Mt.SONAME && m.type != Mt.CONTROL) cc += m.len;
    }
  }
  return cached && cc == sb.cc && mbcnt == sb.mbcnt && last == sb.mbtail &&
    lastRecord == sb.lastrecord;
}
