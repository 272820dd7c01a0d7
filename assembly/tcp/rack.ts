/**
 * RACK (RFC 8985 6): a segment is lost if one sent later has been delivered and a reordering
 * window has gone by. It needs SACK and the sending time of each segment.
 */
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import { A } from "./ack_t";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Ca, Tcb, Tf } from "./tcb_t";

/** Recoveries for which a widened window is kept (RFC 8985 6.2, step 4). */
const PERSIST: u8 = 16;

/** RACK_sent_after(): the order of sending; of those sent at once, the order of their data. */
function sentAfter(at1: i64, end1: u32, at2: i64, end2: u32): bool {
  return at1 > at2 || (at1 == at2 && seq.gt(end1, end2));
}

/** The connection is established: nothing has been delivered yet. */
export function start(tp: Tcb): void {
  tp.rack_at = -1;
  tp.rack_fack = tp.snd_una;
  tp.rack_mult = 1;
}

/** Steps 2 and 3: `r` is newly acknowledged or reported. */
export function delivered(tp: Tcb, r: Sent): void {
  overtaken(tp, r);
  const rtt = clock.now() - r.at;
  if (r.flags & Sf.EVER) {
    // which of the sendings was it? An older timestamp, or too short a time, says: not the last
    if (tp.flags & Tf.TS && G.opts & Opt.TS && seq.lt(G.ts_ecr, tcb.tsAt(tp, r.at))) return;
    if (rtt < i64(tp.rtt_min_us)) return;
  }
  tp.rack_rtt_us = u32(min<i64>(max<i64>(rtt, 1), i64(0x3fffffff))); // 1: within one turn
  if (sentAfter(r.at, r.end, tp.rack_at, tp.rack_end)) {
    tp.rack_at = r.at;
    tp.rack_end = r.end;
  }
}

/** Step 3: data below what was delivered already, and sent only once, was overtaken. */
function overtaken(tp: Tcb, r: Sent): void {
  if (seq.gt(r.end, tp.rack_fack)) {
    tp.rack_fack = r.end;
    return;
  }
  if (r.end == tp.rack_fack || r.flags & Sf.EVER) return;
  if (!tp.reordering) stat.inc(Stat.TCP_REORDER_SEEN);
  tp.reordering = 1;
  const by = (tp.rack_fack - r.start) / max<u32>(tp.snd_mss, 1);
  if (by > u32(tp.reord_degree)) tp.reord_degree = u8(min<u32>(by, 255));
}

/** Step 4, the part that DSACKs drive: the reordering window was too short. */
export function adapt(tp: Tcb): void {
  if (tp.rack_in_round && seq.ge(tp.snd_una, tp.rack_round)) tp.rack_in_round = 0;
  if (A.dsack == 0 || tp.rack_in_round) return;
  tp.rack_in_round = 1;
  tp.rack_round = tp.snd_nxt;
  if (tp.rack_mult < 255) tp.rack_mult++;
  tp.rack_persist = PERSIST;
}

/** Step 4: a recovery has ended without a sign that it was wrong. */
export function recovered(tp: Tcb): void {
  if (tp.rack_persist > 0 && --tp.rack_persist > 0) return;
  tp.rack_mult = 1;
}

/** RACK_update_reo_wnd(): how long a segment may be late, microseconds. */
function reorderingWindow(tp: Tcb): i64 {
  if (!tp.reordering) {
    if (tp.ca_state >= Ca.RECOVERY || tp.sacked_segments >= T.reordering) return 0;
  }
  const wnd = (i64(tp.rtt_min_us) >> 2) * i64(max<u8>(tp.rack_mult, 1));
  return min<i64>(wnd, i64(tp.srtt_us));
}

/**
 * RACK_detect_loss(), step 5: takes as lost what was sent before the last delivered segment and
 * has been missing for longer than the window.
 *
 * @returns microseconds until the next could be, 0 if none.
 */
export function detect(tp: Tcb): i64 {
  if (tp.rack_at < 0) return 0;
  const now = clock.now();
  const late = i64(tp.rack_rtt_us) + reorderingWindow(tp);
  let wait: i64 = 0;
  let r = tp.rack_first;
  while (r && sentAfter(tp.rack_at, tp.rack_end, r.at, r.end)) {
    const later = r.later;
    const left = r.at + late - now;
    if (left <= 0) {
      A.lost = 1;
      if (r.flags & Sf.RESENT) A.lost_resent = 1;
      sent.lose(tp, r);
    } else {
      wait = max<i64>(wait, left);
    }
    r = later;
  }
  return wait;
}

/** RACK_mark_losses_on_RTO() (RFC 8985 6.3): the first, and what is older than the window. */
export function timeout(tp: Tcb): void {
  const now = clock.now();
  const late = i64(tp.rack_rtt_us) + reorderingWindow(tp);
  for (let r = tp.sent_first; r; r = r.next) {
    if (r.flags & Sf.SACKED) continue;
    if (r == tp.sent_first || r.at + late - now <= 0) sent.lose(tp, r);
  }
}
