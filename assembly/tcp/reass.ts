/** Keeps segments (SHLD-31) until they are in order (RFC 9293 3.10.7.4), in reass_list's queue. */
import { Fate } from "../abi/fate";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import * as copy from "../sys/mbuf_copy";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as dsack from "./dsack";
import * as list from "./reass_list";
import { Seg } from "./seg_t";
import * as seq from "./seq";
import { Tcb } from "./tcb_t";
import * as urgent from "./urgent";

/**
 * Runs that one connection may hold back. Each takes a whole mbuf however little it carries, so
 * this and not the window bounds the memory that a hostile peer can pin with tiny segments that do
 * not adjoin; those that do are put together.
 */
const RUNS_MAX: u32 = 1024;
/** Storage that one connection may hold back, if its receive buffer's limit is smaller. */
const STORAGE_MIN: u32 = 131_072;
/** Data up to this many bytes is copied into the room behind the mbuf before it. */
const COMPACT_MAX: u32 = 1024;

/**
 * Queues the data of `g`, whose mbuf has been trimmed to the payload that lies in the window. Where
 * it overlaps what is there already the bytes that came first stay (RFC 9293 3.10.7.4 leaves the
 * choice), and the overlap is reported as received twice. What is next in order is never refused:
 * it empties the queue.
 *
 * @returns false if it was refused: too much is waiting. Frees the mbuf on every path.
 */
export function insert(tp: Tcb, g: Seg, m: Mbuf, fin: u32): bool {
  let start = g.seq;
  if (start != tp.rcv_nxt) {
    stat.add(Stat.TCP_OUT_OF_ORDER, g.segs);
    tp.ooo_segments += g.segs;
  }
  let prev = changetype<Mbuf>(0);
  for (let m = tp.segq; m && seq.le(m.aux, start); m = m.nextpkt) prev = m;
  if (prev) {
    const covered = i32(list.end(prev) - start);
    if (covered >= 0 && u32(covered) >= m.pktlen) return within(tp, prev, m, start, fin);
    if (covered >= 0 && list.hasFin(prev)) { // RFC 9293 3.10.7.4: nothing follows a FIN
      ops.adj(m, covered - i32(m.pktlen));
      return within(tp, prev, m, start, 0);
    }
    if (covered > 0) {
      stat.inc(Stat.TCP_DUPLICATE);
      dsack.report(tp, start, list.end(prev));
      ops.adj(m, covered);
      start += u32(covered);
    }
  }
  const adjoins: bool = prev ? list.end(prev) == start : false;
  if (start != tp.rcv_nxt && full(tp, m, adjoins)) {
    stat.fate(Fate.TCP_REASSEMBLY_LIMIT);
    mbuf.freem(m);
    return false;
  }
  pieces(tp, prev, m, start, fin);
  return true;
}

/** All bytes of the segment are in `run` already; its FIN may be news. */
function within(tp: Tcb, run: Mbuf, m: Mbuf, start: u32, fin: u32): bool {
  const end = start + m.pktlen;
  if (fin && end == list.end(run)) run.aux2 |= 1;
  if (m.pktlen) {
    stat.inc(Stat.TCP_DUPLICATE);
    dsack.report(tp, start, end);
    list.touch(tp, run); // RFC 2883 4, rule 4: the block that contains it comes second
  }
  mbuf.freem(m);
  return true;
}

/** True if the queue has no room for `m`, which is not next in order; `adjoins`: but to a run. */
function full(tp: Tcb, m: Mbuf, adjoins: bool): bool {
  if (mbuf.low() || (tp.segq_count >= RUNS_MAX && !adjoins)) return true;
  const takes = m.pktlen <= u32(MbufSize.MLEN) ? u32(MbufSize.MSIZE) : storage(m);
  return tp.segq_mbcnt + takes > max<u32>(tp.inp.so.rcv.mbmax, STORAGE_MIN);
}

/** Storage that a chain occupies, headers included. */
function storage(m: Mbuf): u32 {
  let n: u32 = 0;
  for (; m; m = m.next) n += m.cap + MbufSize.HEADER;
  return n;
}

/**
 * Puts what of `m`, whose first byte is `start`, does not lie in a run into the gaps behind `prev`
 * (nil: before all runs), which ends at or before `start`.
 */
function pieces(tp: Tcb, prev: Mbuf, m: Mbuf, start: u32, fin: u32): void {
  let run = prev;
  while (m) {
    const next = run ? run.nextpkt : tp.segq;
    const end = start + m.pktlen;
    if (!next || seq.ge(next.aux, end)) {
      // a FIN with bytes behind it, which are here, is none
      run = place(tp, run, m, start, next && next.aux == end ? 0 : fin);
      break;
    }
    const had = seq.min(list.end(next), end);
    stat.inc(Stat.TCP_DUPLICATE);
    dsack.report(tp, next.aux, had);
    const more = end - had; // bytes beyond `next`
    let rest = changetype<Mbuf>(0);
    if (more && !list.hasFin(next)) {
      rest = ops.split(m, had - start); // nil if memory is short: the peer sends them again
    }
    ops.adj(m, -i32(m.pktlen - (next.aux - start)));
    // the gap is filled: what was put in joins `next`
    run = place(tp, run, m, start, fin && end == list.end(next) ? 1 : 0);
    start = had;
    m = rest;
  }
  if (run.aux != tp.rcv_nxt && run.pktlen) list.touch(tp, run);
}

/**
 * Puts `m`, whose first byte is `start` and which overlaps nothing, behind `prev`; joins it to its
 * neighbours if it adjoins them.
 *
 * @returns the run that it is in now.
 */
function place(tp: Tcb, prev: Mbuf, m: Mbuf, start: u32, fin: u32): Mbuf {
  m = compact(m);
  let last = m;
  while (last.next) last = last.next;
  m.aux = start;
  m.aux2 = u32(changetype<usize>(last)) | fin;
  tp.segq_bytes += m.pktlen;
  tp.segq_mbcnt += storage(m);
  let run = m;
  if (prev && list.end(prev) == start) {
    join(tp, prev, m);
    run = prev;
  } else {
    m.nextpkt = prev ? prev.nextpkt : tp.segq;
    if (prev) prev.nextpkt = m;
    else tp.segq = m;
    tp.segq_count++;
  }
  const next = run.nextpkt;
  if (next && next.aux == list.end(run)) {
    run.nextpkt = next.nextpkt;
    tp.segq_count--;
    join(tp, run, next);
  }
  return run;
}

/** Joins `n`, a run or a segment that is none yet, to the end of `run`. */
function join(tp: Tcb, run: Mbuf, n: Mbuf): void {
  const into = list.tail(run);
  const fin = n.aux2 & 1;
  let last = list.tail(n);
  run.pktlen += n.pktlen;
  n.flags &= ~u16(Mf.PKTHDR);
  n.pktlen = 0;
  n.nextpkt = changetype<Mbuf>(0);
  // so that many tiny segments do not each pin an mbuf
  while (n && n.len <= COMPACT_MAX && n.len <= mbuf.trailing(into)) {
    memory.copy(into.data + into.len, n.data, n.len);
    into.len += n.len;
    tp.segq_mbcnt -= n.cap + MbufSize.HEADER;
    if (n == last) last = into;
    n = mbuf.free(n);
  }
  into.next = n;
  run.aux2 = u32(changetype<usize>(last)) | (run.aux2 & 1) | fin;
}

/** Moves a payload that fits out of a frame's cluster into a small mbuf. */
function compact(m: Mbuf): Mbuf {
  const len = m.pktlen;
  if (len > u32(MbufSize.MLEN) || m.cls == 0) return m;
  const small = mbuf.get(Mt.DATA);
  if (!small) return m;
  copy.copydata(m, 0, len, small.data);
  small.len = len;
  small.pktlen = len;
  small.flags |= u16(Mf.PKTHDR);
  small.rcvif = m.rcvif;
  small.tstamp = m.tstamp;
  mbuf.freem(m);
  return small;
}

/**
 * Moves what has become contiguous with rcv_nxt into so_rcv.
 *
 * @returns true if the FIN was reached.
 */
export function deliver(tp: Tcb): bool {
  const so = tp.inp.so;
  const m = tp.segq;
  if (!m || m.aux != tp.rcv_nxt) return false;
  const fin = list.hasFin(m);
  const start = tp.rcv_nxt;
  tp.segq = m.nextpkt;
  m.nextpkt = changetype<Mbuf>(0);
  tp.segq_bytes -= m.pktlen;
  tp.segq_mbcnt -= storage(m);
  tp.segq_count--;
  tp.rcv_nxt += m.pktlen;
  tp.bytes_received += m.pktlen;
  stat.add(Stat.TCP_BYTES_IN, m.pktlen);
  const rest = urgent.pull(tp, m, start);
  if (so.state & Ss.CANTRCVMORE) mbuf.freem(rest);
  else if (rest) sockbuf.append(so.rcv, rest);
  return fin;
}

/** Throws the queue away. */
export function flush(tp: Tcb): void {
  for (let m = tp.segq; m; m = tp.segq) {
    tp.segq = m.nextpkt;
    m.nextpkt = changetype<Mbuf>(0);
    mbuf.freem(m);
  }
  tp.segq_bytes = 0;
  tp.segq_mbcnt = 0;
  tp.segq_count = 0;
}
