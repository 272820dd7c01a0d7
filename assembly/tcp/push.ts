/**
 * Where PSH stands (RFC 9293 3.9.1.2). A mark is the sequence number behind a byte that the peer is
 * to be pushed up to: a segment that reaches one carries PSH, also when it is sent again; one that
 * reaches several carries it once (SHLD-27). Every write ends in a mark. Inside a long write, data
 * is taken in chunks of whole segments, half of the largest window of the peer at most; a chunk
 * whose end lies more than half of that window beyond the last mark gets one, so that the peer
 * never waits for a push with its buffer half full.
 *
 * With T.push_writes 0, PSH stands where the buffer becomes empty instead (MUST-61).
 */
import { TcpState } from "../abi/tcp";
import * as seq from "./seq";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** Marks that are kept; of more, the two newest become one. */
const MARKS: u32 = 8;

/** Largest chunk: an IPv4 packet less the room that Linux leaves for headers. */
const CHUNK_MAX: u32 = 65_215;

/** A window up to this size is used whole (RFC 9293 3.7.1, the MSS of a peer that does not say). */
const TINY_WINDOW: u32 = 536;

function at(tp: Tcb, i: u32): usize {
  return changetype<usize>(tp) + offsetof<Tcb>("push_0") + (usize(i) << 2);
}

/** The connection begins at `iss`. */
export function begin(tp: Tcb): void {
  begun(tp, tp.iss + 1);
}

/** Nothing is queued: the next byte is that at `s`. */
export function begun(tp: Tcb, s: u32): void {
  tp.push_count = 0;
  tp.pushed = s;
  tp.push_chunk = s;
}

/** The sequence number behind the last byte of so_snd. */
export function endOfData(tp: Tcb): u32 {
  const syn: u32 = tp.state <= TcpState.SYN_RECEIVED && tp.snd_una == tp.iss ? 1 : 0;
  return tp.snd_una + syn + tp.inp.so.snd.cc;
}

/** Bytes that one chunk holds: whole segments, one at least. */
function chunkSize(tp: Tcb): u32 {
  const mss: u32 = tp.snd_mss;
  const window = tp.max_sndwnd > TINY_WINDOW ? tp.max_sndwnd >> 1 : tp.max_sndwnd;
  const most = window ? min<u32>(window, CHUNK_MAX) : CHUNK_MAX;
  return max<u32>(most / mss, 1) * mss;
}

/** Bytes that still go into the chunk that is being filled. */
export function chunkRoom(tp: Tcb): u32 {
  const have = endOfData(tp) - startOfChunk(tp);
  const whole = chunkSize(tp);
  return have < whole ? whole - have : whole;
}

/** What was sent is not added to any more. */
function startOfChunk(tp: Tcb): u32 {
  return seq.max(tp.push_chunk, tp.snd_nxt);
}

/**
 * `len` bytes were put at the end of so_snd; with `more`, the caller adds others at once. What
 * begins a record (`apart`) goes into no segment with what was there before.
 */
export function wrote(tp: Tcb, len: u32, more: bool, apart: bool): void {
  const end = endOfData(tp);
  const start = end - len;
  const whole = chunkSize(tp);
  advance(tp);
  let chunk = startOfChunk(tp);
  if (apart || start - chunk >= whole) chunk = start;
  else if (start != chunk) unmark(tp, start);
  while (seq.gt(end, chunk + whole)) {
    chunk += whole;
    if (isDue(tp, chunk)) mark(tp, chunk);
  }
  tp.push_chunk = chunk;
  if (!more || isDue(tp, end)) mark(tp, end);
}

/** True if more than half of the peer's window would lie unpushed before `s`. */
function isDue(tp: Tcb, s: u32): bool {
  return seq.gt(s, tp.pushed + (tp.max_sndwnd >> 1));
}

/** Sets a mark at `s`, which lies beyond all others. */
export function mark(tp: Tcb, s: u32): void {
  tp.pushed = s;
  if (tp.push_count > 0 && load<u32>(at(tp, tp.push_count - 1)) == s) return;
  if (tp.push_count < MARKS) tp.push_count++;
  store<u32>(at(tp, tp.push_count - 1), s);
}

/** A write goes on where the last one ended, in the same chunk: one mark does for both. */
function unmark(tp: Tcb, s: u32): void {
  if (tp.push_count > 0 && load<u32>(at(tp, tp.push_count - 1)) == s) tp.push_count--;
}

/** Forgets the marks that are acknowledged. */
export function advance(tp: Tcb): void {
  let gone: u32 = 0;
  while (gone < tp.push_count && seq.le(load<u32>(at(tp, gone)), tp.snd_una)) gone++;
  if (gone == 0) return;
  tp.push_count -= u8(gone);
  memory.copy(at(tp, 0), at(tp, gone), usize(tp.push_count) << 2);
}

/** True if the segment start <= x < end, which carries data, is to carry PSH too. */
export function has(tp: Tcb, start: u32, end: u32): bool {
  if (!T.push_writes) return end == endOfData(tp);
  for (let i: u32 = tp.push_count; i > 0; i--) {
    const s = load<u32>(at(tp, i - 1));
    if (seq.le(s, start)) return false;
    if (seq.le(s, end)) return true;
  }
  return false;
}
