/**
 * Fast Open as the one who connects (RFC 7413 4.2.1): the first SYN carries data and the cookie
 * that the peer gave out before, or asks for one. What the peer does not take of the data is sent
 * again once the connection stands.
 *
 * ```
 *   connect    way() says NONE, ASK:  an ordinary SYN, with the option that asks
 *              COOKIE, BARE:          nothing is sent, the connection is DEFERRED
 *   send       the SYN leaves with as much as fits beside all options
 *   timeout    a SYN without data and option
 * ```
 */
import { Ss } from "../abi/socket";
import { Stat } from "../abi/stat";
import { Th } from "../abi/tcp";
import * as in_pcb from "../inet/in_pcb";
import * as stat from "../sys/stat";
import * as opt from "../wire/tcp_options";
import * as cache from "./fastopen_cache";
import { Way } from "./fastopen_cache";
import * as key from "./fastopen_key";
import { Tfo, Tfop } from "./fastopen_t";
import * as tcb from "./tcb";
import { Tcb } from "./tcb_t";

/** Room left for options in a SYN with data: all there can be, since boxes on the way add some. */
const OPTIONS_MAX: u32 = 40;

/**
 * `tp`, whose addresses stand, connects; `asked` by a call that brings data.
 *
 * @returns true if its SYN waits for data.
 */
export function begin(tp: Tcb, asked: bool): bool {
  tp.tfo = 0;
  if (!asked && !(tp.tfo_option & Tfop.CONNECT)) return false;
  const way = cache.way(tp);
  if (way == Way.ASK) tp.tfo |= Tfo.OPTION;
  if (way < Way.COOKIE) return false;
  tp.tfo |= Tfo.DEFERRED;
  tp.inp.so.state |= Ss.DEFERRED;
  return true;
}

/**
 * The SYN of `tp` leaves now, with data if that is still possible.
 *
 * @returns how many bytes it takes.
 */
export function go(tp: Tcb): u32 {
  cancel(tp);
  const way = cache.way(tp);
  if (way == Way.ASK || way == Way.COOKIE) tp.tfo |= Tfo.OPTION;
  if (way < Way.COOKIE) return 0;
  tp.tfo |= Tfo.DATA;
  return space(tp);
}

/** The SYN waits for data no more. */
export function cancel(tp: Tcb): void {
  tp.tfo &= ~Tfo.DEFERRED;
  tp.inp.so.state &= ~Ss.DEFERRED;
}

/** Bytes of data in a SYN: by the MSS that is remembered, the path's, and the user's. */
function space(tp: Tcb): u32 {
  const m = cache.recall(tp);
  let mss: u32 = m && m.mss ? m.mss : tp.rcv_mss;
  if (tp.user_mss) mss = min<u32>(mss, tp.user_mss);
  mss = min<u32>(mss, tcb.pathMss(tp.inp));
  return mss > OPTIONS_MAX + 8 ? mss - OPTIONS_MAX : 8;
}

/** Bytes of data that the first SYN carries. */
export function synData(tp: Tcb): u32 {
  return tp.tfo & Tfo.DATA ? min<u32>(tp.inp.so.snd.cc, space(tp)) : 0;
}

/** Writes the option of a SYN or SYN-ACK with control bits `flags`, if it is to have one. */
export function write(tp: Tcb, flags: u32, p: usize): u32 {
  if (!(tp.tfo & Tfo.OPTION)) return 0;
  const inp = tp.inp;
  if (flags & Th.ACK) {
    const cookie = key.cookieFor(tp.fo_queue, in_pcb.laddrOf(inp), in_pcb.faddrOf(inp));
    stat.inc(Stat.TCP_FASTOPEN_COOKIES);
    return opt.putFastOpen(p, (tp.tfo & Tfo.EXP) != 0, cookie, key.COOKIE_LEN);
  }
  const m = cache.recall(tp);
  const len: u32 = m ? m.cookie_len : 0;
  const exp = m ? (len ? m.cookie_exp == 1 : m.try_exp == 1) : false;
  if (exp) tp.tfo |= Tfo.EXP;
  return opt.putFastOpen(p, exp, m ? m.cookie : 0, len);
}

/** The first SYN has left with `len` bytes of data; what is sent again carries neither. */
export function synSent(tp: Tcb, len: u32): void {
  if (tp.tfo & Tfo.OPTION) tp.tfo |= Tfo.ASKED;
  tp.tfo &= ~Tfo.OPTION;
  tp.syn_data = len;
  if (len == 0) tp.tfo &= ~Tfo.DATA;
}

/**
 * A timeout after `times` others: the third in a row, or the last, looks like a box that swallows
 * what Fast Open sends, even after the handshake (RFC 7413 7.3).
 */
export function timedOut(tp: Tcb, times: u32, last: bool): void {
  if (!(tp.tfo & (Tfo.ASKED | Tfo.DATA))) return;
  if (times == 2 || (times < 2 && last)) cache.rest();
  if (last) cache.attemptFailed(tp);
}

/** RST came out of order on an open connection before any data: a box may have made it up. */
export function strangeReset(tp: Tcb): void {
  if (tp.tfo & (Tfo.ASKED | Tfo.DATA) && tp.data_segs_in == 0) cache.rest();
}

/** `tp` ends. */
export function end(tp: Tcb): void {
  if (!(tp.tfo & (Tfo.ASKED | Tfo.DATA))) return;
  const first = tp.segq;
  cache.judge(tp, first ? first.aux2 != 0 && !first.nextpkt : false);
}
