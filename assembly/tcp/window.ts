/** The receive window: how much room we tell the peer of (RFC 9293 3.8.6). */
import { Sb } from "../abi/socket";
import * as sockbuf from "../socket/sockbuf";
import * as mbuf from "../sys/mbuf";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** Segments to offer while mbufs are short. */
const LOW_SEGMENTS: u32 = 4;
/** Largest shift of the window scale option (RFC 7323 2.3). */
const SCALE_MAX: u8 = 14;

/**
 * The scale we offer: enough for the largest window that the connection may come to offer, with the
 * buffer it has or, as long as that is sized by the stack, with the largest.
 */
export function requestScale(tp: Tcb): u8 {
  const sb = tp.inp.so.rcv;
  let all = sb.flags & Sb.AUTOSIZE ? max<u32>(sb.hiwat, T.rcvbuf_max) : sb.hiwat;
  if (tp.window_clamp) all = min<u32>(all, tp.window_clamp);
  let scale: u8 = 0;
  while (scale < SCALE_MAX && u32(0xffff) << u32(scale) < all) scale++;
  return scale;
}

/** The window of a SYN, which is never scaled (RFC 7323 2.2). */
export function ofSyn(tp: Tcb): u32 {
  return min<u32>(most(tp), 0xffff);
}

/** The largest window: so_rcv, or less with TCP_WINDOW_CLAMP. */
function most(tp: Tcb): u32 {
  const hiwat = tp.inp.so.rcv.hiwat;
  return tp.window_clamp ? min<u32>(hiwat, tp.window_clamp) : hiwat;
}

/**
 * Bytes to advertise: the room in so_rcv, nothing rather than a silly sliver (RFC 9293 MUST-39,
 * RFC 1122 4.2.3.3), and never a right edge further left than before (SHLD-14).
 */
export function toAdvertise(tp: Tcb): u32 {
  const sb = tp.inp.so.rcv;
  const room = sockbuf.space(sb);
  const all = most(tp);
  let win: u32 = room > 0 ? min<u32>(room, all) : 0;
  // short of mbufs most of it would be refused; what was promised before stays
  if (mbuf.low()) win = min<u32>(win, LOW_SEGMENTS * tp.rcv_mss);
  const sliver = min<u32>(all >> 2, tp.rcv_mss);
  if (win < sliver) win = 0;
  const scale: u32 = tp.rcv_scale;
  // Rounded down: rounded up, the edge would move with every small segment and never come to rest.
  // What was promised beyond it is still taken (RFC 7323 2.4).
  win = max<u32>(win, offered(tp)) >> scale << scale;
  // a buffer smaller than the unit of the field must not stay shut for ever
  if (win == 0 && sb.cc == 0) win = 1 << scale;
  return min<u32>(win, u32(0xffff) << scale);
}

/** Bytes of the window that was advertised and is not used up. */
export function offered(tp: Tcb): u32 {
  return seq.gt(tp.rcv_adv, tp.rcv_nxt) ? tp.rcv_adv - tp.rcv_nxt : 0;
}

/**
 * True if a window update is worth a segment: the edge would move by two segments, or by half of
 * the buffer (RFC 1122 4.2.3.3). That the window of a SYN could not say more than 65,535 is worth
 * none: the next ACK tells.
 */
export function updateDue(tp: Tcb): bool {
  let have = offered(tp);
  if (have == 0xffff && tp.rcv_nxt - tp.irs == 1) return false; // all of that SYN's window
  have = have >> u32(tp.rcv_scale) << u32(tp.rcv_scale); // as the peer saw it
  const all = most(tp);
  // all of the room would not do
  if (i32(all - have) < i32(min<u32>(2 * u32(tp.rcv_mss), all >> 1))) return false;
  const win = min<u32>(toAdvertise(tp), max<u32>(tp.max_rcvwnd, 2 * u32(tp.rcv_mss)));
  if (win <= have) return false;
  const grows: u32 = win - have;
  if (grows >= 2 * u32(tp.rcv_mss) && (have < (all >> 1) || grows >= all >> 2)) return true;
  return grows >= all >> 1;
}
