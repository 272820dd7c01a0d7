/**
 * How large so_rcv has to be (dynamic right-sizing): a sender in slow start doubles its window with
 * every round trip, so the window we offer must be more than twice what the user has read in the
 * last one. It grows with what is read, not with what comes, so a user that lags behind is given
 * nothing. It never shrinks: what was offered stays offered (RFC 9293 3.8.6, SHLD-14).
 */
import { MbufSize } from "../abi/mbuf";
import { Sb } from "../abi/socket";
import * as sockbuf from "../socket/sockbuf";
import { Sockbuf } from "../socket/socket_t";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as pool from "../sys/pool";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** Segments that a sender may begin with (RFC 6928); more than that in a round trip is growth. */
const INITIAL_SEGMENTS: u32 = 10;
/** Segments of room beside what the sender's window needs. */
const SPARE_SEGMENTS: u32 = 16;
/** A round trip that an echo measures is at least one tick of the timestamp clock. */
const TICK_US: u32 = 1000;
/** An echo that comes later than this tells of a pause, not of a round trip. */
const ECHO_MAX_MS: u32 = 60_000;

/** The connection is established. */
export function start(tp: Tcb): void {
  tp.rcv_rtt_us = tp.srtt_us;
  tp.rcv_space = min<u32>(window.offered(tp), INITIAL_SEGMENTS * tp.rcv_mss);
  tp.rcv_space_seq = tp.rcv_nxt;
  tp.rcv_space_at = clock.now();
}

/** Data in order has come with the segment in G: measures the round trip as a receiver can. */
export function arrived(tp: Tcb): void {
  if (!T.moderate_rcvbuf) return;
  if (tp.flags & Tf.TS && G.opts & Opt.TS) byEcho(tp);
  else byWindow(tp);
}

/**
 * From an ACK of ours to the first full segment that echoes its timestamp: a round trip, if the
 * sender has something to send. Smoothed, since the sender's pauses are in it.
 */
function byEcho(tp: Tcb): void {
  if (G.ts_ecr == tp.rcv_rtt_seq || G.size_each < tp.rcv_mss_seen) return;
  tp.rcv_rtt_seq = G.ts_ecr;
  const ms = tcb.tsNow(tp.ts_offset) - G.ts_ecr;
  if (ms > ECHO_MAX_MS) return;
  const us = max<u32>(ms * 1000, TICK_US);
  if (tp.rcv_rtt_us == 0) tp.rcv_rtt_us = us;
  else tp.rcv_rtt_us = tp.rcv_rtt_us - (tp.rcv_rtt_us >> 3) + (us >> 3);
}

/** Without timestamps: a window full of data takes a round trip or more. The least is believed. */
function byWindow(tp: Tcb): void {
  const now = clock.now();
  if (tp.rcv_rtt_at != 0) {
    if (seq.lt(tp.rcv_nxt, tp.rcv_rtt_seq)) return;
    const us = u32(min<i64>(max<i64>(now - tp.rcv_rtt_at, 1), i64(ECHO_MAX_MS) * 1000));
    if (tp.rcv_rtt_us == 0 || us < tp.rcv_rtt_us) tp.rcv_rtt_us = us;
  }
  tp.rcv_rtt_at = now;
  tp.rcv_rtt_seq = tp.rcv_nxt + window.offered(tp);
}

/** The user has read: once in a round trip, sees how much that was and makes room for more. */
export function read(tp: Tcb): void {
  if (!T.moderate_rcvbuf || tp.rcv_rtt_us == 0) return;
  const now = clock.now();
  if (now - tp.rcv_space_at < i64(tp.rcv_rtt_us)) return;
  const done = tp.rcv_nxt - tp.inp.so.rcv.cc;
  const copied = done - tp.rcv_space_seq;
  if (i32(copied) > 0 && copied > tp.rcv_space) {
    grow(tp, copied);
    tp.rcv_space = copied;
  }
  tp.rcv_space_seq = done;
  tp.rcv_space_at = now;
}

function grow(tp: Tcb, copied: u32): void {
  const sb = tp.inp.so.rcv;
  if (!(sb.flags & Sb.AUTOSIZE)) return;
  let want = 2 * u64(copied) + SPARE_SEGMENTS * u64(tp.rcv_mss);
  // twice by how much the last round trip exceeds the one before: the next two may do so again
  const more = u64(copied - tp.rcv_space);
  want += 2 * (want * more / u64(max<u32>(tp.rcv_space, 1)));
  const scaled = tp.flags & Tf.SCALE ? u32(0xffff) << u32(tp.rcv_scale) : 0xffff;
  enlarge(sb, u32(min<u64>(want, u64(min<u32>(T.rcvbuf_max, scaled)))));
}

/**
 * Makes a buffer that the stack sizes as large as `want`, if there is memory for it: no buffer may
 * come to hold more than a quarter of the clusters that are free now, beside what it holds.
 */
export function enlarge(sb: Sockbuf, want: u32): void {
  if (want <= sb.hiwat || mbuf.scarce()) return;
  const room = u64(pool.left(mbuf.cluster())) * MbufSize.MCLBYTES >> 2;
  const most = u32(min<u64>(u64(sb.cc) + room, u64(want)));
  if (most > sb.hiwat) sockbuf.reserve(sb, most);
}
