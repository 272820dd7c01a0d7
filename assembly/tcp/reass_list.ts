/**
 * The queue of out-of-order data, tp.segq: runs of contiguous bytes, ascending and apart from each
 * other. A run is a packet linked by `nextpkt`; `aux` is the sequence number of its first byte,
 * `pktlen` its length, and `aux2` the address of its last mbuf, plus one if a FIN follows its last
 * byte. A FIN whose data has not come is a run without bytes. Here is what reads the queue, and the
 * order in which its runs are reported; reass.ts changes it.
 */
import { Mbuf } from "../sys/mbuf_t";
import { Tcb } from "./tcb_t";
import * as seq from "./seq";

/** Blocks to report, filled by blocks(). */
const BLOCKS: usize = memory.data(8 * 4, 16);
/** How many runs are remembered as reported first: more than fit, since runs join and leave. */
const RECENT: u32 = 6;

/** The last mbuf of a run. */
export function tail(run: Mbuf): Mbuf {
  return changetype<Mbuf>(usize(run.aux2 & ~1));
}

/** True if a FIN follows the run. */
export function hasFin(run: Mbuf): bool {
  return (run.aux2 & 1) != 0;
}

/** The sequence number behind the run's last byte. */
export function end(run: Mbuf): u32 {
  return run.aux + run.pktlen;
}

function recentAt(tp: Tcb, i: u32): usize {
  return changetype<usize>(tp) + offsetof<Tcb>("sack_recent") + (usize(i) << 2);
}

/**
 * The segment that came last lies in `run`: its block is to be the first (RFC 2018 4), before those
 * that were first in the ACKs before. Forgotten are numbers that this run has taken in, or that
 * were delivered.
 */
export function touch(tp: Tcb, run: Mbuf): void {
  let n: u32 = 1;
  let had = load<u32>(recentAt(tp, 0));
  store<u32>(recentAt(tp, 0), run.aux);
  for (let i: u32 = 1; i <= RECENT; i++) {
    const next = i < RECENT ? load<u32>(recentAt(tp, i)) : 0;
    const gone = seq.le(had, tp.rcv_nxt) || (seq.le(run.aux, had) && seq.lt(had, end(run)));
    if (!gone && n < RECENT) store<u32>(recentAt(tp, n++), had);
    had = next;
  }
  while (n < RECENT) store<u32>(recentAt(tp, n++), tp.rcv_nxt); // nothing begins there
}

/**
 * Collects at most `most` SACK blocks (RFC 2018 4): the run holding the segment that came last,
 * then those that were reported first most recently, then any others, ascending.
 */
export function blocks(tp: Tcb, most: u32): u32 {
  let n: u32 = 0;
  for (let i: u32 = 0; i < RECENT; i++) {
    const s = load<u32>(recentAt(tp, i));
    let m = tp.segq;
    while (m && seq.le(end(m), s)) m = m.nextpkt;
    if (m && seq.le(m.aux, s)) n = put(m, n, most);
  }
  for (let m = tp.segq; m && n < most; m = m.nextpkt) n = put(m, n, most);
  return n;
}

/** How many blocks there are to report, at most `most`. */
export function count(tp: Tcb, most: u32): u32 {
  let n: u32 = 0;
  for (let m = tp.segq; m && n < most; m = m.nextpkt) if (m.pktlen) n++;
  return n;
}

/** Adds a run to the `n` blocks that were collected; answers how many there are now. */
function put(m: Mbuf, n: u32, most: u32): u32 {
  if (n >= most || m.pktlen == 0) return n; // a FIN alone takes no room that a block could name
  for (let i: u32 = 0; i < n; i++) if (blockStart(i) == m.aux) return n;
  store<u32>(BLOCKS + n * 8, m.aux);
  store<u32>(BLOCKS + n * 8 + 4, end(m));
  return n + 1;
}

/** Left edge of block `i` of the last call of blocks(). */
export function blockStart(i: u32): u32 {
  return load<u32>(BLOCKS + i * 8);
}

/** Right edge of block `i`. */
export function blockEnd(i: u32): u32 {
  return load<u32>(BLOCKS + i * 8 + 4);
}
