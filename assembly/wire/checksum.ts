/**
 * The Internet checksum (RFC 1071): the complement of the one's complement sum of 16-bit words.
 *
 * Sums are of words in the machine's byte order, which gives the checksum in the order in which it
 * is stored (RFC 1071 2 B): the result of `finish` goes into a header with store<u16>, unswapped,
 * and the sum over a region that holds a right checksum finishes as 0.
 *
 * `acc` carries a sum from one piece to the next: any u32, 0 to begin with. Answers are at most
 * 0x10000, so sums of different origin may also be added up before `finish`.
 */
import { Mbuf } from "../sys/mbuf_t";
import { fold } from "./checksum_scalar";

export { copyScalar, sumScalar } from "./checksum_scalar";

/** Bytes in one go of the vector loop: each lane adds 2 * 0xffff for every 16, and has 32 bits. */
const CHUNK: u32 = 0x40000;

/** Adds `len` bytes at `ptr`, the first of which is the first of a word, to `acc`. */
export function sum(ptr: usize, len: u32, acc: u32): u32 {
  let total = u64(acc);
  while (len >= 16) {
    const n = min(len, CHUNK) & ~15;
    total += sumVectors(ptr, n);
    ptr += n;
    len -= n;
  }
  if (len & 8) {
    const words = load<u64>(ptr);
    total += (words & 0xffffffff) + (words >> 32);
    ptr += 8;
  }
  if (len & 4) {
    total += load<u32>(ptr);
    ptr += 4;
  }
  if (len & 2) {
    total += load<u16>(ptr);
    ptr += 2;
  }
  if (len & 1) total += load<u8>(ptr);
  return fold(total);
}

/** Copies `len` bytes from `src` to `dst`, which must not overlap, and adds them to `acc`. */
export function copy(dst: usize, src: usize, len: u32, acc: u32): u32 {
  let total = u64(acc);
  while (len >= 16) {
    const n = min(len, CHUNK) & ~15;
    total += copyVectors(dst, src, n);
    src += n;
    dst += n;
    len -= n;
  }
  if (len & 8) {
    const words = load<u64>(src);
    store<u64>(dst, words);
    total += (words & 0xffffffff) + (words >> 32);
    src += 8;
    dst += 8;
  }
  if (len & 4) {
    const words = load<u32>(src);
    store<u32>(dst, words);
    total += words;
    src += 4;
    dst += 4;
  }
  if (len & 2) {
    const word = load<u16>(src);
    store<u16>(dst, word);
    total += word;
    src += 2;
    dst += 2;
  }
  if (len & 1) {
    const byte = load<u8>(src);
    store<u8>(dst, byte);
    total += byte;
  }
  return fold(total);
}

/** Adds a piece to `acc` that begins, if `odd`, with the second byte of a word (RFC 1071 2 B). */
export function sumAt(ptr: usize, len: u32, acc: u32, odd: bool): u32 {
  return odd ? join(acc, sum(ptr, len, 0)) : sum(ptr, len, acc);
}

/**
 * Adds `len` bytes that start `off` into a chain of mbufs to `acc`, or as many as there are; the
 * first of them is the first of a word, whatever the lengths of the mbufs.
 */
export function chain(m: Mbuf, off: u32, len: u32, acc: u32): u32 {
  let odd = false;
  for (; m && len; m = m.next) {
    if (off >= m.len) {
      off -= m.len;
      continue;
    }
    const n = min(m.len - off, len);
    acc = sumAt(m.data + off, n, acc, odd);
    odd = odd != ((n & 1) != 0);
    len -= n;
    off = 0;
  }
  return acc;
}

/** Copies what `chain` adds to plain memory at `dst` as well. */
export function copyChain(dst: usize, m: Mbuf, off: u32, len: u32, acc: u32): u32 {
  let odd = false;
  for (; m && len; m = m.next) {
    if (off >= m.len) {
      off -= m.len;
      continue;
    }
    const n = min(m.len - off, len);
    const from = m.data + off;
    acc = odd ? join(acc, copy(dst, from, n, 0)) : copy(dst, from, n, acc);
    odd = odd != ((n & 1) != 0);
    dst += n;
    len -= n;
    off = 0;
  }
  return acc;
}

/** The checksum of all that was added: 16 bits, to be stored as they are. */
export function finish(acc: u32): u32 {
  acc = (acc & 0xffff) + (acc >> 16);
  acc = (acc & 0xffff) + (acc >> 16);
  return ~acc & 0xffff;
}

/** Adds a sum whose bytes stand at the other half of their words. */
function join(acc: u32, piece: u32): u32 {
  const word = (piece & 0xffff) + (piece >> 16); // at most 0xffff, as piece is at most 0x10000
  return fold(u64(acc) + u64(bswap(u16(word))));
}

/** Sum of the words of `n` bytes, a multiple of 16 and at most CHUNK. */
function sumVectors(ptr: usize, n: u32): u64 {
  let a = i32x4.splat(0);
  let b = a;
  const end = ptr + n;
  const end64 = ptr + (n & ~63);
  for (; ptr < end64; ptr += 64) {
    a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr)));
    b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr, 16)));
    a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr, 32)));
    b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr, 48)));
  }
  for (; ptr < end; ptr += 16) a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(v128.load(ptr)));
  return lanes(a) + lanes(b);
}

/** sumVectors that also copies. */
function copyVectors(dst: usize, src: usize, n: u32): u64 {
  let a = i32x4.splat(0);
  let b = a;
  const end = src + n;
  const end64 = src + (n & ~63);
  for (; src < end64; src += 64, dst += 64) {
    const w0 = v128.load(src);
    const w1 = v128.load(src, 16);
    const w2 = v128.load(src, 32);
    const w3 = v128.load(src, 48);
    v128.store(dst, w0);
    v128.store(dst, w1, 16);
    v128.store(dst, w2, 32);
    v128.store(dst, w3, 48);
    a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(w0));
    b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(w1));
    a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(w2));
    b = i32x4.add(b, i32x4.extadd_pairwise_i16x8_u(w3));
  }
  for (; src < end; src += 16, dst += 16) {
    const w = v128.load(src);
    v128.store(dst, w);
    a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(w));
  }
  return lanes(a) + lanes(b);
}

function lanes(v: v128): u64 {
  return u64(u32(i32x4.extract_lane(v, 0))) + u64(u32(i32x4.extract_lane(v, 1))) +
    u64(u32(i32x4.extract_lane(v, 2))) + u64(u32(i32x4.extract_lane(v, 3)));
}
