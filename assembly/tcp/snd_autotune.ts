/**
 * How large so_snd has to be: what is in flight stays in it until it is acknowledged, and another
 * window must wait behind it, or the user could not refill it within the round trip.
 */
import { Sb } from "../abi/socket";
import * as rcv_autotune from "./rcv_autotune";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** The congestion window may have grown: so does so_snd, unless SO_SNDBUF has fixed it. */
export function grow(tp: Tcb): void {
  const sb = tp.inp.so.snd;
  if (!T.moderate_sndbuf || !(sb.flags & Sb.AUTOSIZE) || tp.cwnd <= sb.hiwat >> 1) return;
  rcv_autotune.enlarge(sb, u32(min<u64>(2 * u64(tp.cwnd), u64(T.sndbuf_max))));
}
