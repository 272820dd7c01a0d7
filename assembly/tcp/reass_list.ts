/**
 * The queue of out-of-order segments, tp.segq, ascending by sequence number and without overlap.
 * Each segment is a packet whose `aux` is the sequence number of its first byte, `aux2` is 1 if a
 * FIN follows its last byte, and `pktlen` its length. Here is what reads the queue; reass.ts
 * changes it.
 */
import { Tcb } from "./tcb_t";
import * as seq from "./seq";

/** Blocks to report, filled by blocks(). */
const BLOCKS: usize = memory.data(8 * 4, 16);

/**
 * Collects at most `most` SACK blocks: contiguous runs of the queue, the run holding the segment
 * that came last first (RFC 2018 4), the others ascending.
 */
export function blocks(tp: Tcb, most: u32): u32 {
  let n: u32 = 0;
  let m = tp.segq;
  let recent: u32 = 0;
  // the first place is kept for the run that changed last
  let others: u32 = 1;
  while (m) {
    const start = m.aux;
    let end = start + m.pktlen;
    m = m.nextpkt;
    while (m && m.aux == end) {
      end += m.pktlen;
      m = m.nextpkt;
    }
    if (start == end) continue; // a FIN alone takes no room that a block could name
    if (seq.le(start, tp.sack_recent) && seq.lt(tp.sack_recent, end)) {
      put(0, start, end);
      recent = 1;
    } else if (others < most) {
      put(others++, start, end);
    }
  }
  n = others;
  if (recent) return n;
  // nothing changed last (its run was delivered): close the gap in front
  for (let i: u32 = 1; i < n; i++) put(i - 1, blockStart(i), blockEnd(i));
  return n - 1;
}

function put(i: u32, start: u32, end: u32): void {
  store<u32>(BLOCKS + i * 8, start);
  store<u32>(BLOCKS + i * 8 + 4, end);
}

/** Left edge of block `i` of the last call of blocks(). */
export function blockStart(i: u32): u32 {
  return load<u32>(BLOCKS + i * 8);
}

/** Right edge of block `i`. */
export function blockEnd(i: u32): u32 {
  return load<u32>(BLOCKS + i * 8 + 4);
}
