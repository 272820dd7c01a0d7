/**
 * TCP options: kinds 0 to 5, 8, 34, and 254 with Fast Open's number. Parsing hands each known
 * option's value to a small record of
 * plain numbers; lengths are checked before anything is read (RFC 9293 MUST-7). Of the mandatory
 * kinds 0, 1 and 2 (MUST-4) the first ends the list. Our own options all have lengths (MUST-68) and
 * fill whole words with NOP: no list of ours ends early, so nothing follows that had to be zero
 * (MUST-69).
 */
const EOL: u32 = 0;
const NOP: u32 = 1;
const MSS: u32 = 2;
const WSCALE: u32 = 3;
const SACK_PERMITTED: u32 = 4;
const SACK: u32 = 5;
const TS: u32 = 8;
const FASTOPEN: u32 = 34; // RFC 7413 4.1.1
const EXPERIMENT: u32 = 254; // RFC 6994
/** ExID of Fast Open's experiment, as it lies in memory (RFC 7413 appendix A). */
const FASTOPEN_EXID: u16 = 0x89f9;

/** What the options of one segment said. */
@unmanaged
@final
export class Options {
  // bits 1 MSS, 2 window scale, 4 SACK permitted, 8 SACK, 16 timestamps, 32 malformed,
  // 64 Fast Open, 128 in the experimental form
  present: u32;
  mss: u32;
  wscale: u32;
  ts_val: u32;
  ts_ecr: u32;
  sack_n: u32; // SACK blocks
  sack: usize; // address of the first block's left edge, in the packet
  cookie: usize; // address of the Fast Open cookie, in the packet
  cookie_len: u32; // its bytes, 0 to ask for one
}

/**
 * Parses `len` bytes of options at `p` into `o`. Unknown kinds are skipped (MUST-6), and an option
 * may begin at any octet (MUST-64).
 */
export function parse(p: usize, len: u32, o: Options): void {
  o.present = 0;
  const end = p + len;
  while (p < end) {
    const kind = load<u8>(p);
    if (kind == EOL) return;
    if (kind == NOP) {
      p++;
      continue;
    }
    const size: u32 = p + 1 < end ? load<u8>(p, 1) : 0;
    if (size < 2 || p + size > end) {
      o.present |= 32;
      return;
    }
    one(p, kind, size, o);
    p += size;
  }
}

function one(p: usize, kind: u32, size: u32, o: Options): void {
  if (kind == TS && size == 10) {
    o.present |= 16;
    o.ts_val = bswap(load<u32>(p, 2));
    o.ts_ecr = bswap(load<u32>(p, 6));
  } else if (kind == SACK && size >= 10 && ((size - 2) & 7) == 0) {
    o.present |= 8;
    o.sack_n = (size - 2) >> 3;
    o.sack = p + 2;
  } else if (kind == MSS && size == 4) {
    o.present |= 1;
    o.mss = bswap(load<u16>(p, 2));
  } else if (kind == WSCALE && size == 3) {
    o.present |= 2;
    o.wscale = min<u32>(load<u8>(p, 2), 14); // RFC 7323 2.3
  } else if (kind == SACK_PERMITTED && size == 2) {
    o.present |= 4;
  } else if (kind == FASTOPEN) {
    fastOpen(p + 2, size - 2, 64, o);
  } else if (kind == EXPERIMENT && size >= 4 && load<u16>(p, 2) == FASTOPEN_EXID) {
    fastOpen(p + 4, size - 4, 64 | 128, o);
  }
}

/** RFC 7413 4.1.1: no cookie, or one of 4 to 16 bytes, even in number; else it is ignored. */
function fastOpen(p: usize, len: u32, bits: u32, o: Options): void {
  if (len & 1 || len > 16 || (len != 0 && len < 4)) return;
  o.present = (o.present & ~u32(64 | 128)) | bits;
  o.cookie = p;
  o.cookie_len = len;
}

/** Bytes of NOP NOP TS. */
export const PLAIN_TS: u32 = 12;

/** True if the options are exactly NOP NOP TS, the form of an established connection's segments. */
export function isPlainTs(p: usize, len: u32): bool {
  return len == PLAIN_TS && load<u32>(p) == 0x0a080101;
}

/** Writes NOP NOP TS; answers the bytes written. */
export function putTs(p: usize, val: u32, ecr: u32): u32 {
  store<u32>(p, 0x0a080101);
  store<u32>(p, bswap(val), 4);
  store<u32>(p, bswap(ecr), 8);
  return 12;
}

/** Writes MSS. */
export function putMss(p: usize, mss: u32): u32 {
  store<u32>(p, bswap(u32(0x02040000) | mss));
  return 4;
}

/** Writes SACK permitted, then TS: the aligned form kernels use in a SYN. */
export function putSackOkTs(p: usize, val: u32, ecr: u32): u32 {
  store<u32>(p, 0x0a080204);
  store<u32>(p, bswap(val), 4);
  store<u32>(p, bswap(ecr), 8);
  return 12;
}

/** Writes NOP NOP SACK permitted. */
export function putSackOk(p: usize): u32 {
  store<u32>(p, 0x02040101);
  return 4;
}

/** Writes NOP and window scale. */
export function putWscale(p: usize, shift: u32): u32 {
  store<u32>(p, 0x00030301 | (shift << 24));
  return 4;
}

/**
 * Writes Fast Open with the `len` bytes of a cookie at `cookie`, in the form of RFC 6994 if `exp`,
 * and NOPs up to a whole word.
 */
export function putFastOpen(p: usize, exp: bool, cookie: usize, len: u32): u32 {
  const head: u32 = exp ? 4 : 2;
  const size = head + len;
  store<u8>(p, exp ? EXPERIMENT : FASTOPEN);
  store<u8>(p, size, 1);
  if (exp) store<u16>(p, FASTOPEN_EXID, 2);
  memory.copy(p + head, cookie, len);
  if ((size & 3) == 2) store<u16>(p + size, 0x0101);
  return (size + 3) & ~3;
}

/** Writes the head of a SACK option with `n` blocks, after NOP NOP; the blocks follow. */
export function putSackHead(p: usize, n: u32): u32 {
  store<u32>(p, 0x00050101 | ((n * 8 + 2) << 24));
  return 4;
}

/** Writes one SACK block. */
export function putSackBlock(p: usize, left: u32, right: u32): u32 {
  store<u32>(p, bswap(left));
  store<u32>(p, bswap(right), 4);
  return 8;
}

/** Left edge of SACK block `i`. */
export function sackLeft(p: usize, i: u32): u32 {
  return bswap(load<u32>(p + i * 8));
}

/** Right edge of SACK block `i`. */
export function sackRight(p: usize, i: u32): u32 {
  return bswap(load<u32>(p + i * 8 + 4));
}
