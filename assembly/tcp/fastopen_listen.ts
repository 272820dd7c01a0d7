/** What a listener does with Fast Open in a SYN (RFC 7413 4.2.2). */
import { Stat } from "../abi/stat";
import * as mbuf from "../sys/mbuf";
import * as stat from "../sys/stat";
import * as key from "./fastopen_key";
import * as queue from "./fastopen_queue";
import { Fo, Tfop } from "./fastopen_t";
import { G } from "./seg";
import { Opt } from "./seg_t";
import { T } from "./settings";
import { HalfFo } from "./syncache_t";
import { Tcb } from "./tcb_t";

/** What becomes of a SYN. */
export const enum Verdict {
  ORDINARY = 0, // a handshake as ever; the data, if any, comes again
  COOKIE = 1, // the same, and the SYN-ACK brings a cookie
  TAKE = 2, // the data is taken at once
  TAKE_ANEW = 3, // the same, and the SYN-ACK brings a cookie of the newer key
}

/** Judges the SYN in G for the listener `tp`. */
export function judge(tp: Tcb): Verdict {
  const option = (G.opts & Opt.FASTOPEN) != 0;
  if (!(T.fastopen & Fo.SERVER) || (!option && G.len == 0)) return Verdict.ORDINARY;
  const q = tp.fo_queue;
  if (!q || q.limit == 0) return Verdict.ORDINARY;
  if (!queue.hasRoom(q)) {
    stat.inc(Stat.TCP_FASTOPEN_OVERFLOWS);
    return Verdict.ORDINARY;
  }
  const open = T.fastopen & Fo.SERVER_NO_COOKIE || tp.tfo_option & Tfop.NO_COOKIE;
  if (open) return mbuf.low() ? Verdict.ORDINARY : Verdict.TAKE;
  if (!option) return Verdict.ORDINARY;
  if (G.cookie_len == 0) return Verdict.COOKIE;
  const good = key.check(q);
  if (good && !mbuf.low()) return good == 1 ? Verdict.TAKE : Verdict.TAKE_ANEW;
  if (!good) stat.inc(Stat.TCP_FASTOPEN_FAILED);
  return Verdict.COOKIE; // 4.1.2: the peer has an old cookie, or somebody guesses
}

/** The form in which the SYN in G speaks of Fast Open, and its answer. */
export function form(): u8 {
  return u8(G.opts & Opt.FASTOPEN_EXP ? HalfFo.EXP : HalfFo.COOKIE);
}
