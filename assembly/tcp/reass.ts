/** Puts segments back into order (RFC 9293 3.10.7.4, seventh step), in the queue of reass_list. */
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
import { Seg } from "./seg_t";
import * as seq from "./seq";
import { Tcb } from "./tcb_t";
import * as urgent from "./urgent";

/**
 * Segments one connection may hold back. Each takes a whole mbuf however little it carries, so this
 * and not the window bounds the memory that a hostile peer can pin.
 */
const SEGMENTS_MAX: u32 = 1024;

/**
 * Queues the data of `g`, whose mbuf has been trimmed to the payload that lies in the window.
 * Bytes that are already there are not taken again, unless it covers a whole segment of the queue.
 * What is next in order is never refused: it empties the queue.
 *
 * @returns false if it was refused: too much is waiting. Frees the mbuf on every path.
 */
export function insert(tp: Tcb, g: Seg, m: Mbuf, fin: u32): bool {
  stat.inc(Stat.TCP_OUT_OF_ORDER);
  tp.ooo_segments++;
  let start = g.seq;
  let prev = changetype<Mbuf>(0);
  let next = tp.segq;
  while (next && seq.le(next.aux, start)) {
    prev = next;
    next = next.nextpkt;
  }
  if (prev) {
    const covered = i32(prev.aux + prev.pktlen - start);
    if (covered > 0) {
      if (u32(covered) >= m.pktlen && !(fin && u32(covered) == m.pktlen)) {
        stat.inc(Stat.TCP_DUPLICATE);
        tp.sack_recent = g.seq;
        mbuf.freem(m);
        return true;
      }
      ops.adj(m, covered);
      start += u32(covered);
    } else if (m.pktlen == 0 && prev.aux == start && prev.pktlen == 0) {
      mbuf.freem(m); // the same FIN once more
      return true;
    }
  }
  if (start != tp.rcv_nxt && (tp.segq_count >= SEGMENTS_MAX || mbuf.low())) {
    stat.fate(Fate.TCP_REASSEMBLY_LIMIT);
    mbuf.freem(m);
    return false;
  }
  const end = start + m.pktlen;
  next = dropCovered(tp, end, next);
  if (next && seq.lt(next.aux, end)) {
    ops.adj(m, -i32(end - next.aux));
    fin = 0;
  }
  link(tp, compact(m), prev, next, start, fin);
  tp.sack_recent = start;
  return true;
}

/** Drops the queued segments, from `next` on, that end at or before `end`. */
function dropCovered(tp: Tcb, end: u32, next: Mbuf): Mbuf {
  while (next && seq.lt(next.aux, end) && seq.le(next.aux + next.pktlen, end)) {
    // a FIN of the swallowed segment is told again by its sender
    const gone = next;
    next = next.nextpkt;
    tp.segq_bytes -= gone.pktlen;
    tp.segq_count--;
    mbuf.freem(gone);
  }
  return next;
}

function link(tp: Tcb, m: Mbuf, prev: Mbuf, next: Mbuf, start: u32, fin: u32): void {
  m.aux = start;
  m.aux2 = fin;
  m.nextpkt = next;
  if (prev) prev.nextpkt = m;
  else tp.segq = m;
  tp.segq_bytes += m.pktlen;
  tp.segq_count++;
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
  let fin = false;
  for (let m = tp.segq; m && seq.le(m.aux, tp.rcv_nxt); m = tp.segq) {
    tp.segq = m.nextpkt;
    m.nextpkt = changetype<Mbuf>(0);
    tp.segq_bytes -= m.pktlen;
    tp.segq_count--;
    const old = tp.rcv_nxt - m.aux;
    fin = fin || (m.aux2 != 0 && old <= m.pktlen);
    if (old >= m.pktlen) {
      mbuf.freem(m);
      continue;
    }
    if (old) ops.adj(m, i32(old));
    const start = tp.rcv_nxt;
    tp.rcv_nxt += m.pktlen;
    stat.add(Stat.TCP_BYTES_IN, m.pktlen);
    const rest = urgent.pull(tp, m, start);
    if (so.state & Ss.CANTRCVMORE) mbuf.freem(rest);
    else if (rest) sockbuf.append(so.rcv, rest);
  }
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
  tp.segq_count = 0;
}
