/** Which options a segment of ours carries, and in what order. */
import { Th } from "../abi/tcp";
import * as dsack from "./dsack";
import * as fastopen from "./fastopen";
import * as reass from "./reass_list";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as opt from "../wire/tcp_options";

/** Most bytes of options (RFC 9293 3.1: the data offset has four bits). */
export const MAX: u32 = 40;

/** Writes the options of a segment with control bits `flags` at `p`; answers their length. */
export function write(tp: Tcb, flags: u32, p: usize): u32 {
  if (flags & Th.SYN) return writeSyn(tp, flags, p);
  let n: u32 = 0;
  if (tp.flags & Tf.TS) n = opt.putTs(p, tcb.tsNow(tp.ts_offset), tp.ts_recent);
  if (tp.flags & Tf.SACK && !(flags & Th.RST)) n += writeSack(tp, p + n, n);
  return n;
}

/**
 * MSS, in SYNs alone (MUST-14, MUST-65) and always (SHLD-5); SACK permitted, timestamps, window
 * scale, Fast Open: the order that kernels use.
 */
function writeSyn(tp: Tcb, flags: u32, p: usize): u32 {
  const answer = (flags & Th.ACK) != 0;
  const ts = (tp.flags & (answer ? Tf.TS : Tf.REQ_TS)) != 0;
  const sackOk = (tp.flags & (answer ? Tf.SACK : Tf.REQ_SACK)) != 0;
  const scale = (tp.flags & (answer ? Tf.SCALE : Tf.REQ_SCALE)) != 0;
  const n = writeHandshake(
    p,
    tp.rcv_mss,
    ts,
    tcb.tsNow(tp.ts_offset),
    tp.ts_recent,
    sackOk,
    scale ? i32(tp.req_scale) : -1,
  );
  return n + fastopen.write(tp, flags, p + n);
}

/** Options of a SYN or SYN-ACK; `scale` is -1 for none. */
export function writeHandshake(
  p: usize,
  mss: u32,
  ts: bool,
  ts_val: u32,
  ts_ecr: u32,
  sackOk: bool,
  scale: i32,
): u32 {
  let n = opt.putMss(p, mss);
  if (ts && sackOk) {
    n += opt.putSackOkTs(p + n, ts_val, ts_ecr);
  } else if (ts) {
    n += opt.putTs(p + n, ts_val, ts_ecr);
  } else if (sackOk) {
    n += opt.putSackOk(p + n);
  }
  if (scale >= 0) n += opt.putWscale(p + n, u32(scale));
  return n;
}

/** Most SACK blocks beside `used` bytes of other options: three beside timestamps, else four. */
function sackRoom(used: u32): u32 {
  return (MAX - used - 4) >> 3;
}

/**
 * SACK blocks: first what came twice (RFC 2883 4), then the block that changed last, then those
 * that were reported before it (RFC 2018 4).
 */
function writeSack(tp: Tcb, p: usize, used: u32): u32 {
  const twice: u32 = dsack.pending(tp) ? 1 : 0;
  const blocks = tp.segq ? reass.blocks(tp, sackRoom(used) - twice) : 0;
  if (blocks + twice == 0) return 0;
  let n = opt.putSackHead(p, blocks + twice);
  if (twice) n += opt.putSackBlock(p + n, tp.dsack_start, tp.dsack_end);
  for (let i: u32 = 0; i < blocks; i++) {
    n += opt.putSackBlock(p + n, reass.blockStart(i), reass.blockEnd(i));
  }
  return n;
}

/** Bytes of SACK blocks that a segment without SYN or RST carries now. */
export function sackLength(tp: Tcb): u32 {
  const twice: u32 = dsack.pending(tp) ? 1 : 0;
  if (!(tp.flags & Tf.SACK) || (!tp.segq && !twice)) return 0;
  const n = twice + reass.count(tp, sackRoom(tp.flags & Tf.TS ? 12 : 0) - twice);
  return n ? 4 + (n << 3) : 0;
}
