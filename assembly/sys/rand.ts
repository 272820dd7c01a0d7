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

/** The four words of SipHash. */
@unmanaged
@final
export class SipWords {
  v0: u64;
  v1: u64;
  v2: u64;
  v3: u64;
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
const KEPT_LOG2: u32 = 3;

const S: RandState = changetype<RandState>(memory.data(offsetof<RandState>(), 16));
const V: SipWords = changetype<SipWords>(memory.data(offsetof<SipWords>(), 16));
const LAST: SipHashed = changetype<SipHashed>(memory.data(offsetof<SipHashed>(), 16));
const MEMO: usize = memory.data(256, 16); // 2 ** KEPT_LOG2 times Hashed

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
  memory.fill(MEMO, 0, 256);
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
  begin(S.key0, S.key1);
  absorb2(n);
  absorb2(u64(8) << 56);
  return end2();
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
  begin(S.key0, S.key1);
  absorb2(a);
  absorb2(b);
  absorb2(c);
  absorb2(d);
  absorb2(u64(32) << 56);
  LAST.known = end2();
  return LAST.known;
}

/** SipHash-2-4 of the 8 bytes `word` (little-endian) under a key of the caller's. */
export function siphashOf(key0: u64, key1: u64, word: u64): u64 {
  begin(key0, key1);
  absorb2(word);
  absorb2(u64(8) << 56);
  return end2();
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
  m.known = sipHash13(a, b, c);
  return m.known;
}

function sipHash13(a: u64, b: u64, c: u64): u64 {
  // The same steps as begin and round, on locals: this runs for every packet.
  let v0 = S.key0 ^ 0x736f6d6570736575;
  let v1 = S.key1 ^ 0x646f72616e646f6d;
  let v2 = S.key0 ^ 0x6c7967656e657261;
  let v3 = S.key1 ^ 0x7465646279746573;
  let word = a;
  for (let i = 0; i < 7; i++) {
    if (i < 4) v3 ^= word;
    else if (i == 4) v2 ^= 0xff;
    v0 += v1;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v2 += v3;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 = rotl<u64>(v0, 32) + v3;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v2 = rotl<u64>(v2, 32);
    if (i < 4) v0 ^= word;
    word = i == 0 ? b : i == 1 ? c : u64(24) << 56;
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

/** SipHash's initialization: the constants spell "somepseudorandomlygeneratedbytes". */
function begin(key0: u64, key1: u64): void {
  V.v0 = key0 ^ 0x736f6d6570736575;
  V.v1 = key1 ^ 0x646f72616e646f6d;
  V.v2 = key0 ^ 0x6c7967656e657261;
  V.v3 = key1 ^ 0x7465646279746573;
}

/** Takes in one word with two rounds. */
function absorb2(word: u64): void {
  V.v3 ^= word;
  round();
  round();
  V.v0 ^= word;
}

/** SipHash-2-4's finalization. */
function end2(): u64 {
  V.v2 ^= 0xff;
  round();
  round();
  round();
  round();
  return V.v0 ^ V.v1 ^ V.v2 ^ V.v3;
}

/** SipRound. */
function round(): void {
  let v0 = V.v0 + V.v1;
  let v1 = rotl<u64>(V.v1, 13) ^ v0;
  let v2 = V.v2 + V.v3;
  let v3 = rotl<u64>(V.v3, 16) ^ v2;
  v0 = rotl<u64>(v0, 32) + v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  V.v0 = v0;
  V.v1 = v1;
  V.v2 = rotl<u64>(v2, 32);
  V.v3 = v3;
}
