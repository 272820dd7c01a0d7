/**
 * Random numbers, all from the seed, so that a run can be repeated. Two streams:
 *
 * - public: xoshiro128++ (Blackman, Vigna). For what the network may see and guess: IP identifiers,
 *   backoff. Its state can be computed from its output.
 * - secret: SipHash under a 128-bit key, for what nobody may guess. Numbers come from SipHash-2-4
 *   of a counter; hashes of a table's keys use SipHash-1-3, so that nobody can choose keys that
 *   meet in one bucket (Aumasson, Bernstein: SipHash, a fast short-input PRF).
 */

/** State of the module. */
@unmanaged
@final
export class RandState {
  key0: u64; // the secret key
  key1: u64;
  counter: u64; // secret numbers made
  s0: u32; // xoshiro128++
  s1: u32;
  s2: u32;
  s3: u32;
}

/** Something that was hashed; `known` is the hash, 0 if there is none. */
@unmanaged
@final
export class Hashed {
  a: u64;
  b: u64;
  c: u64;
  known: u64;
}

/** The same of four words. */
@unmanaged
@final
export class SipHashed {
  a: u64;
  b: u64;
  c: u64;
  d: u64;
  known: u64;
}

/** How many hashes are kept, as a power of two. */
const KEPT_LOG2: u32 = 5;

const S: RandState = changetype<RandState>(memory.data(offsetof<RandState>(), 16));
const LAST: SipHashed = changetype<SipHashed>(memory.data(offsetof<SipHashed>(), 16));
const MEMO: usize = memory.data(1024, 16); // 2 ** KEPT_LOG2 times Hashed

/** Starts both streams anew: the public one from (lo, hi), the secret one from the other two. */
export function seed(lo: u64, hi: u64, secretLo: u64, secretHi: u64): void {
  const a = scramble(lo);
  const b = scramble(hi ^ a);
  S.s0 = u32(a);
  S.s1 = u32(a >> 32);
  S.s2 = u32(b);
  S.s3 = u32(b >> 32);
  // The one state that xoshiro may not have.
  if ((S.s0 | S.s1 | S.s2 | S.s3) == 0) S.s0 = 1;
  memory.fill(MEMO, 0, 1024);
  LAST.known = 0;
  S.key0 = secretLo;
  S.key1 = secretHi;
  S.counter = 0;
}

/** Next number of the public stream. */
export function public32(): u32 {
  const s0 = S.s0;
  const s3 = S.s3;
  const result = rotl<u32>(s0 + s3, 7) + s0;
  const s2 = S.s2 ^ s0;
  const t = S.s1 << 9;
  const n3 = s3 ^ S.s1;
  S.s1 = S.s1 ^ s2;
  S.s0 = s0 ^ n3;
  S.s2 = s2 ^ t;
  S.s3 = rotl<u32>(n3, 11);
  return result;
}

/** A number of the public stream from 0 to n - 1, all equally likely; 0 if `n` is 0. */
export function below(n: u32): u32 {
  if (n == 0) return 0;
  let product = u64(public32()) * n;
  if (u32(product) < n) {
    // 2^32 modulo n products are too many; they are the low ones.
    const excess = (u32(0) - n) % n;
    while (u32(product) < excess) product = u64(public32()) * n;
  }
  return u32(product >> 32);
}

/** Next number of the secret stream. */
export function secret64(): u64 {
  const n = S.counter;
  S.counter = n + 1;
  // The last word sets these inputs apart from those of siphash, which are all 32 bytes long.
  return sipHash(S.key0, S.key1, n, u64(8) << 56, 0, 0, 0, 2, 2);
}

/**
 * SipHash-2-4 of the 32 bytes a, b, c, d (each little-endian) under the secret key; the last one is
 * kept, for those who ask twice.
 */
export function siphash(a: u64, b: u64, c: u64, d: u64): u64 {
  if (LAST.a == a && LAST.b == b && LAST.c == c && LAST.d == d && LAST.known) return LAST.known;
  LAST.a = a;
  LAST.b = b;
  LAST.c = c;
  LAST.d = d;
  LAST.known = sipHash(S.key0, S.key1, a, b, c, d, u64(32) << 56, 5, 2);
  return LAST.known;
}

/** SipHash-2-4 of the 8 bytes `word` (little-endian) under a key of the caller's. */
export function siphashOf(key0: u64, key1: u64, word: u64): u64 {
  return sipHash(key0, key1, word, u64(8) << 56, 0, 0, 0, 2, 2);
}

/**
 * SipHash-1-3 of the 24 bytes a, b, c (each little-endian) under the secret key, for tables.
 * Several are asked for the same connection one after the other, so what was hashed last is kept.
 */
export function hash3(a: u64, b: u64, c: u64): u64 {
  const i = (u32(a ^ c) * 0x9e3779b1) >> (32 - KEPT_LOG2);
  const m = changetype<Hashed>(MEMO + (usize(i) << 5));
  if (m.a == a && m.b == b && m.c == c && m.known) return m.known;
  m.a = a;
  m.b = b;
  m.c = c;
  m.known = sipHash(S.key0, S.key1, a, b, c, u64(24) << 56, 0, 4, 1);
  return m.known;
}

/**
 * SipHash of the first `words` of five, the last of which says how long what is hashed is: with
 * `rounds` for each word and two more at the end.
 */
function sipHash(
  key0: u64,
  key1: u64,
  a: u64,
  b: u64,
  c: u64,
  d: u64,
  e: u64,
  words: u32,
  rounds: u32,
): u64 {
  // the constants spell "somepseudorandomlygeneratedbytes"
  let v0 = key0 ^ 0x736f6d6570736575;
  let v1 = key1 ^ 0x646f72616e646f6d;
  let v2 = key0 ^ 0x6c7967656e657261;
  let v3 = key1 ^ 0x7465646279746573 ^ a;
  for (;;) {
    for (let i: u32 = 0; i < rounds; i++) {
      v0 += v1;
      v1 = rotl<u64>(v1, 13) ^ v0;
      v2 += v3;
      v3 = rotl<u64>(v3, 16) ^ v2;
      v0 = rotl<u64>(v0, 32) + v3;
      v3 = rotl<u64>(v3, 21) ^ v0;
      v2 += v1;
      v1 = rotl<u64>(v1, 17) ^ v2;
      v2 = rotl<u64>(v2, 32);
    }
    if (words == 0) break;
    v0 ^= a;
    words--;
    if (words == 0) {
      v2 ^= 0xff;
      rounds += 2; // 3 of SipHash-1-3, 4 of SipHash-2-4
    } else {
      a = b;
      b = c;
      c = d;
      d = e;
      v3 ^= a;
    }
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The finalizer of splitmix64 (Steele, Lea, Flood), with its increment. */
function scramble(x: u64): u64 {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
