/**
 * Selective acknowledgments received (RFC 2018, 2883, 6675): marks the segments in flight that the
 * peer has reported. A segment reported in part only is taken as missing: it is sent again whole.
 */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import * as opt from "../wire/tcp_options";
import { A } from "./ack_t";
import * as rack from "./rack";
import { G } from "./seg";
import * as ecn from "./ecn";
import * as sent from "./sent";
import { Sent, Sf } from "./sent_t";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb } from "./tcb_t";
import * as undo from "./undo";

/** Takes the blocks of the segment in G into the scoreboard, and what is new into A. */
export function take(tp: Tcb): void {
  stat.add(Stat.TCP_SACK_IN, G.sack_n);
  if (tp.sacked_bytes == 0) forget(tp);
  let i: u32 = 0;
  if (isDsack()) {
    duplicate(tp, opt.sackLeft(G.sack, 0), opt.sackRight(G.sack, 0));
    i = 1;
  }
  for (let k = i; k < G.sack_n; k++) block(tp, opt.sackLeft(G.sack, k), opt.sackRight(G.sack, k));
  remember(tp, i);
}

/** Where in the Tcb a block of the last ACK stands: its left edge, then its right one. */
function seen(tp: Tcb, i: u32): usize {
  return changetype<usize>(tp) + offsetof<Tcb>("sack_seen_0") + (usize(i) << 3);
}

/** Most blocks that one segment can carry. */
const BLOCKS: u32 = 4;

/** Nothing is reported: what the last ACK said is void. */
function forget(tp: Tcb): void {
  memory.fill(seen(tp, 0), 0, BLOCKS << 3);
}

/**
 * Keeps the blocks from `first` on: the next ACK repeats them, mostly (RFC 2018 4), and what they
 * cover need not be walked through once more.
 */
function remember(tp: Tcb, first: u32): void {
  forget(tp);
  for (let i = first; i < min<u32>(G.sack_n, BLOCKS); i++) {
    const left = opt.sackLeft(G.sack, i);
    const right = opt.sackRight(G.sack, i);
    if (!isValid(tp, left, right)) continue;
    store<u32>(seen(tp, i), left);
    store<u32>(seen(tp, i), right, 4);
  }
}

/** The place up to which a block of the last ACK covers what begins at `left`. */
function covered(tp: Tcb, left: u32): u32 {
  for (let i: u32 = 0; i < BLOCKS; i++) {
    const l = load<u32>(seen(tp, i));
    const r = load<u32>(seen(tp, i), 4);
    // one is enough: where two meet, the segment in between was not reported yet
    if (l != r && seq.le(l, left) && seq.gt(r, left)) return r;
  }
  return left;
}

/** A block tells of something that is in flight, and of nothing else. */
function isValid(tp: Tcb, left: u32, right: u32): bool {
  return seq.lt(left, right) && seq.gt(right, tp.snd_una) && seq.le(right, tp.snd_nxt);
}

/** RFC 2883 4: the first block lies below the ACK, or within the second block. */
function isDsack(): bool {
  const left = opt.sackLeft(G.sack, 0);
  const right = opt.sackRight(G.sack, 0);
  if (!seq.lt(left, right)) return false;
  if (seq.lt(left, G.ack)) return true;
  if (G.sack_n < 2) return false;
  return seq.ge(left, opt.sackLeft(G.sack, 1)) && seq.le(right, opt.sackRight(G.sack, 1));
}

/** The peer has received `left` to `right` twice. Only what can have been sent is believed. */
function duplicate(tp: Tcb, left: u32, right: u32): void {
  if (seq.gt(right, tp.snd_nxt) || seq.lt(left, G.ack - tp.max_sndwnd)) return;
  stat.inc(Stat.TCP_DSACK_IN);
  tp.dsack_dups++;
  A.dsack++;
  A.dsack_end = right;
  undo.duplicate(tp, left, right);
}

/** One block: left <= x < right has arrived. */
function block(tp: Tcb, left: u32, right: u32): void {
  if (!isValid(tp, left, right)) return;
  if (seq.lt(left, tp.snd_una)) left = tp.snd_una;
  const from = covered(tp, left);
  if (seq.ge(from, right)) return;
  let r = sent.find(tp, from);
  while (r && seq.le(r.end, right)) {
    if (seq.ge(r.start, left) && !(r.flags & Sf.SACKED)) reported(tp, r);
    r = r.next;
  }
}

function reported(tp: Tcb, r: Sent): void {
  if (!(r.flags & Sf.EVER)) {
    if (A.sack_at == 0) A.sack_at = r.at + 1; // 0 means none
    if (seq.le(r.end, tp.recover)) A.orig = 1;
  }
  A.sacked += r.end - r.start;
  A.delivered += r.end - r.start;
  ecn.delivered(tp);
  rack.delivered(tp, r);
  sent.report(tp, r);
}

/**
 * RFC 6675 4 IsLost(), for a stack set up without RACK: lost is what has DupThresh reported
 * segments above it.
 */
export function detect(tp: Tcb): void {
  let above: u32 = 0;
  for (let r = tp.sent_last; r; r = r.prev) {
    if (r.flags & Sf.SACKED) above++;
    else if (above >= T.reordering && !(r.flags & Sf.LOST)) {
      A.lost = 1;
      sent.lose(tp, r);
    }
  }
}

/** True if the head is reported, which a cumulative ACK contradicts: the peer has reneged. */
export function reneged(tp: Tcb): bool {
  return tp.sent_first && (tp.sent_first.flags & Sf.SACKED) != 0;
}
