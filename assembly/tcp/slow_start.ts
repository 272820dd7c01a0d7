/** What the algorithms have in common: slow start, the restart window, parts of a window. */
import * as hystart from "./hystart";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Ca, Tcb, Tf } from "./tcb_t";

/** Most that cwnd may reach, bytes: well inside the largest scaled window. */
export const CWND_MAX: u32 = 1 << 30;

/**
 * Grows cwnd by what an ACK covers (RFC 5681 3.1, RFC 3465 2.2), up to ssthresh.
 *
 * @returns bytes left over for congestion avoidance
 */
export function acked(tp: Tcb, bytes: u32): u32 {
  const n = hystart.growth(tp, min<u32>(bytes, most(tp)));
  const room = tp.ssthresh - tp.cwnd;
  const used = min<u32>(n, room);
  tp.cwnd = min<u32>(tp.cwnd + used, CWND_MAX);
  hystart.acked(tp);
  return n - used;
}

/**
 * L, the most that one ACK adds, in bytes. RFC 5681 3.1 has one segment and RFC 3465 2.2 two, to
 * keep bursts short; RFC 9406 4.2 found eight to be right for receivers that acknowledge more than
 * every second segment, as nearly all now do, and no limit if the sender paces.
 */
function most(tp: Tcb): u32 {
  // RFC 3465 2.3: after a timeout an ACK may cover what had arrived long before; with SACK that has
  // been counted when it was reported
  if (tp.ca_state == Ca.LOSS && !(tp.flags & Tf.SACK)) return tp.snd_mss;
  if (T.abc_l == 0 || tp.pacing_rate != 0) return u32.MAX_VALUE;
  return min<u32>(T.abc_l, 0xffff) * u32(tp.snd_mss);
}

/**
 * RFC 5681 4.1: after an idle RTO the window restarts from the initial one. ssthresh remembers how
 * large it was (RFC 2861 3.2), so that slow start gets back there.
 */
export function restart(tp: Tcb): void {
  tp.ssthresh = max<u32>(tp.ssthresh, tp.cwnd - (tp.cwnd >> 2));
  tp.cwnd = min<u32>(tp.cwnd, tcb.initialCwnd(tp));
  hystart.begin(tp);
}

/** So many per cent of a window, at least two segments (RFC 5681 equation 4). */
export function part(tp: Tcb, bytes: u32, percent: u32): u32 {
  return max<u32>(u32(u64(bytes) * percent / 100), 2 * u32(tp.snd_mss));
}

/** Per cent that a CE mark leaves; a loss leaves `loss`, RFC 8511 says `abe`. */
export function afterMark(loss: u32, abe: u32): u32 {
  if (T.ecn_beta == 0) return loss;
  return T.ecn_beta == 1 ? abe : min<u32>(T.ecn_beta, 100);
}
