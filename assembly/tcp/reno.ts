/**
 * Loss recovery of a connection without SACK (RFC 6582). Each duplicate ACK says that a segment has
 * arrived, not which: so sacked_segments counts them, and sacked_bytes what they stand for.
 */
import * as ecn from "./ecn";
import * as sent from "./sent";
import { Sf } from "./sent_t";
import { A } from "./ack_t";
import { T } from "./settings";
import { Ca, Tcb } from "./tcb_t";

/** A duplicate ACK: one segment beyond the missing one has arrived. */
export function dupack(tp: Tcb): void {
  set(tp, tp.sacked_segments + 1);
  A.delivered += tp.snd_mss;
  A.sacked += tp.snd_mss;
  ecn.delivered(tp);
}

/** As many segments as can be there beside the one that is missing. */
function set(tp: Tcb, segments: u32): void {
  const most = tp.sent_count > 1 ? tp.sent_count - 1 : 0;
  tp.sacked_segments = min<u32>(segments, most);
  const flight = tp.snd_nxt - tp.snd_una;
  const room = flight > tp.lost_bytes ? flight - tp.lost_bytes : 0;
  tp.sacked_bytes = min<u32>(tp.sacked_segments * tp.snd_mss, room);
}

/** snd_una has moved: the missing one was filled, the others it covers were counted already. */
export function acked(tp: Tcb): void {
  const n = tp.sacked_segments;
  if (n == 0) return;
  const eaten = A.segments > 1 ? A.segments - 1 : 0;
  const counted = min<u32>(eaten, n) * tp.snd_mss;
  A.delivered = A.delivered > counted ? A.delivered - counted : u32(tp.snd_mss);
  set(tp, eaten >= n ? 0 : n - eaten);
}

/** Nothing is inferred any more. */
export function reset(tp: Tcb): void {
  tp.sacked_segments = 0;
  tp.sacked_bytes = 0;
}

/**
 * The third duplicate ACK (RFC 5681 3.2-3), and every partial ACK in recovery, takes the head as
 * lost: it is sent again at once (RFC 5681 3.2-9).
 */
export function detect(tp: Tcb): void {
  const first = tp.ca_state < Ca.RECOVERY && tp.sacked_segments >= T.reordering;
  const partial = tp.ca_state == Ca.RECOVERY && A.acked > 0;
  const head = tp.sent_first;
  if (!(first || partial) || !head || head.flags & Sf.LOST) return;
  A.lost = 1;
  sent.lose(tp, head);
  set(tp, tp.sacked_segments);
}
