/**
 * What a client knows of Fast Open: cookies by destination (RFC 7413 4.1.3), and where it does not
 * work (4.1.3.1). Some boxes on the way swallow SYNs with data, or what follows them; when three
 * timeouts in a row, or an end without any data, look like that, Fast Open rests everywhere.
 */
import { Stat } from "../abi/stat";
import * as in_output from "../inet/in_output";
import * as in_pcb from "../inet/in_pcb";
import { Iff } from "../abi/ifnet";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import { Fo, Tfo, Tfop } from "./fastopen_t";
import * as metrics from "./metrics";
import { Metric } from "./metrics_t";
import { G } from "./seg";
import { Opt } from "./seg_t";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** State of the module. */
@unmanaged
@final
export class FastopenCacheState {
  rested_at: i64; // when Fast Open last began to rest
  rests: u32; // rests in a row without a success between them
}

const S: FastopenCacheState = changetype<FastopenCacheState>(
  memory.data(offsetof<FastopenCacheState>(), 16),
);

/** A rest becomes longer up to this many doublings. */
const DOUBLINGS: u32 = 6;
/** Failures in a row after which a destination is left alone. */
const FAILURES: u8 = 2;

/** What may be done on a new connection. */
export const enum Way {
  NONE = 0, // an ordinary SYN
  ASK = 1, // a SYN that asks for a cookie
  COOKIE = 2, // data and a cookie
  BARE = 3, // data alone
}

/** What is remembered of the peer of `tp`, or nil. */
export function recall(tp: Tcb): Metric {
  return metrics.find(in_pcb.laddrOf(tp.inp), in_pcb.faddrOf(tp.inp));
}

/** How `tp`, whose addresses stand, may open. */
export function way(tp: Tcb): Way {
  const m = recall(tp);
  if (rests(tp) || (m && isRefused(m))) return Way.NONE;
  if (T.fastopen & Fo.CLIENT_NO_COOKIE || tp.tfo_option & Tfop.NO_COOKIE) return Way.BARE;
  return m && m.cookie_len ? Way.COOKIE : Way.ASK;
}

/** RFC 7413 4.1.3.1: this destination, or the path to it, has failed more than once lately. */
function isRefused(m: Metric): bool {
  if (T.fastopen_blackhole_s == 0 || m.failures < FAILURES) return false;
  return clock.now() - m.failed_at < restOf(m.failures - FAILURES);
}

function restOf(times: u32): i64 {
  return (i64(T.fastopen_blackhole_s) * 1_000_000) << i64(min<u32>(times, DOUBLINGS));
}

/** True while Fast Open rests; once it does not any more, `tp` tries whether it works again. */
function rests(tp: Tcb): bool {
  if (T.fastopen_blackhole_s == 0 || S.rests == 0) return false;
  if (clock.now() - S.rested_at < restOf(S.rests - 1)) return true;
  tp.tfo |= Tfo.CHECK;
  return false;
}

/** Something on the way of `tp` may swallow what belongs to Fast Open: it rests. */
export function rest(): void {
  if (T.fastopen_blackhole_s == 0) return;
  S.rested_at = clock.now();
  S.rests++;
  stat.inc(Stat.TCP_FASTOPEN_BLACK_HOLES);
}

/** The SYN-ACK in G has come: what it says of Fast Open is kept. */
export function learn(tp: Tcb, failed: bool): void {
  const asked = (tp.tfo & Tfo.ASKED) != 0;
  const answered = asked && (G.opts & Opt.FASTOPEN) != 0 && G.cookie_len != 0;
  const m = metrics.get(in_pcb.laddrOf(tp.inp), in_pcb.faddrOf(tp.inp));
  if (!m) return;
  m.saved_at = clock.now();
  if (G.opts & Opt.MSS) m.mss = tp.peer_mss;
  if (answered) {
    memory.copy(m.cookie, G.cookie, G.cookie_len);
    m.cookie_len = u8(G.cookie_len);
    m.cookie_exp = G.opts & Opt.FASTOPEN_EXP ? 1 : 0;
  } else if (asked && !(tp.tfo & Tfo.DATA) && tp.rexmt_timeouts == 0 && m.cookie_len == 0) {
    // it knows one form of the option, or none: the other one the next time, and then the first
    m.try_exp = tp.tfo & Tfo.EXP ? 2 : 1;
  }
  if (failed) fail(m);
  else m.failures = 0;
}

function fail(m: Metric): void {
  if (m.failures < 255) m.failures++;
  m.failed_at = clock.now();
}

/** The attempt that carried the option or data has come to nothing (RFC 7413 4.1.3.1). */
export function attemptFailed(tp: Tcb): void {
  const m = recall(tp);
  if (m) fail(m);
}

/**
 * Ends a rest that is over, or begins one, as `tp` ends, which tried Fast Open: did data come in
 * answer, or nothing but a FIN that is out of order, since a box swallowed what was before it?
 */
export function judge(tp: Tcb, finAlone: bool): void {
  if (tp.data_segs_in == 0) {
    if (finAlone) rest();
  } else if (tp.tfo & Tfo.CHECK && S.rests) {
    const ifp = in_output.ifpFor(tp.inp);
    if (ifp && !(ifp.flags & Iff.LOOPBACK)) S.rests = 0;
  }
}
