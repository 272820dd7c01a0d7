/**
 * Telling the sender what came twice (RFC 2883): one D-SACK block, the first of the SACK option,
 * in the ACK that the duplicate calls for, and in no other.
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import { G } from "./seg";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb, Tf } from "./tcb_t";

/** True if a block waits to be reported. */
export function pending(tp: Tcb): bool {
  return tp.dsack_start != tp.dsack_end;
}

/** Forgets what the last segment had twice: a block tells of the most recent one (4, rule 1). */
export function clear(tp: Tcb): void {
  tp.dsack_end = tp.dsack_start;
}

/**
 * Bytes `start` to `end` of the present segment were here before. Of several such sequences in one
 * segment the first is reported (4.2.3); what adjoins it belongs to it (4, rule 3).
 */
export function report(tp: Tcb, start: u32, end: u32): void {
  if (!(tp.flags & Tf.SACK) || !T.dsack || !seq.lt(start, end)) return;
  if (!pending(tp)) tp.dsack_start = start;
  else if (start != tp.dsack_end) return;
  tp.dsack_end = end;
}

/** The segment in G has bytes left of RCV.NXT: they came twice (4.1, 4.2). */
export function reportOld(tp: Tcb): void {
  if (seq.lt(G.seq, tp.rcv_nxt)) report(tp, G.seq, seq.min(G.seq + G.len, tp.rcv_nxt));
}

/** An ACK with the block has left: it is not reported again (4, rule 2). */
export function sent(tp: Tcb): void {
  if (!pending(tp)) return;
  stat.inc(Stat.TCP_DSACK_OUT);
  clear(tp);
}
