/** Random streams and hashes against references, and their determinism. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { freshEngine } from "../engine_instance.ts";

const SEED = 0x72616e64;
const MASK64 = (1n << 64n) - 1n;

const rotl64 = (x: bigint, n: bigint) => ((x << n) | (x >> (64n - n))) & MASK64;
const rotl32 = (x: number, n: number) => ((x << n) | (x >>> (32 - n))) >>> 0;

/** SipHash-c-d (Aumasson, Bernstein 2012) of a message under a key of two little-endian halves. */
function sipHash(c: number, d: number, key: readonly [bigint, bigint], message: Uint8Array) {
  const v = [
    key[0] ^ 0x736f6d6570736575n,
    key[1] ^ 0x646f72616e646f6dn,
    key[0] ^ 0x6c7967656e657261n,
    key[1] ^ 0x7465646279746573n,
  ];
  const rounds = (n: number) => {
    for (let i = 0; i < n; i++) {
      v[0] = (v[0] + v[1]) & MASK64;
      v[1] = rotl64(v[1], 13n) ^ v[0];
      v[0] = rotl64(v[0], 32n);
      v[2] = (v[2] + v[3]) & MASK64;
      v[3] = rotl64(v[3], 16n) ^ v[2];
      v[0] = (v[0] + v[3]) & MASK64;
      v[3] = rotl64(v[3], 21n) ^ v[0];
      v[2] = (v[2] + v[1]) & MASK64;
      v[1] = rotl64(v[1], 17n) ^ v[2];
      v[2] = rotl64(v[2], 32n);
    }
  };
  const padded = new Uint8Array((message.length & ~7) + 8);
  padded.set(message);
  padded[padded.length - 1] = message.length & 255;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    v[3] ^= word;
    rounds(c);
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  rounds(d);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/** The engine's generators with BigInt arguments. */
function generators() {
  const e = freshEngine();
  const [out, args] = [e.heap, e.heap + 8];
  const put = (words: readonly bigint[]) => words.forEach((w, i) => e.setU64(args + 8 * i, w));
  const answer = (name: string, ...words: bigint[]) => {
    put(words);
    e.call[name](out, args);
    return e.u64(out);
  };
  return {
    seed(...words: [bigint, bigint, bigint, bigint]) {
      put(words);
      e.call.probe_rand_seed(args);
    },
    public32: () => e.call.probe_rand_public32() >>> 0,
    below: (n: number) => e.call.probe_rand_below(n) >>> 0,
    secret64: () => answer("probe_rand_secret64"),
    siphash: (...words: [bigint, bigint, bigint, bigint]) => answer("probe_rand_siphash", ...words),
    hash3: (...words: [bigint, bigint, bigint]) => answer("probe_rand_hash3", ...words),
  };
}

function bytesOf(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(words).buffer);
}

const word = fc.bigInt({ min: 0n, max: MASK64 });

Deno.test("the reference SipHash gives the vectors of its authors", () => {
  const key = [0x0706050403020100n, 0x0f0e0d0c0b0a0908n] as const;
  const message = Uint8Array.from({ length: 15 }, (_, i) => i);
  assertEquals(sipHash(2, 4, key, message), 0xa129ca6149be45e5n);
  assertEquals(sipHash(2, 4, key, new Uint8Array()), 0x726fdb47dd0e0e31n);
});

Deno.test("siphash is SipHash-2-4, hash3 SipHash-1-3, secret numbers hash a counter", () => {
  const g = generators();
  fc.assert(
    fc.property(word, word, word, word, word, word, (key0, key1, a, b, c, d) => {
      const key = [key0, key1] as const;
      g.seed(1n, 2n, key0, key1);
      assertEquals(g.siphash(a, b, c, d), sipHash(2, 4, key, bytesOf([a, b, c, d])));
      assertEquals(g.hash3(a, b, c), sipHash(1, 3, key, bytesOf([a, b, c])));
      for (const counter of [0n, 1n, 2n]) {
        assertEquals(g.secret64(), sipHash(2, 4, key, bytesOf([counter])));
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

/** xoshiro128++ 1.0 (Blackman, Vigna 2019), its state filled by two steps like splitmix64's. */
function xoshiro(lo: bigint, hi: bigint): () => number {
  const scramble = (x: bigint) => {
    x = (x + 0x9e3779b97f4a7c15n) & MASK64;
    x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
    x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK64;
    return x ^ (x >> 31n);
  };
  const a = scramble(lo);
  const b = scramble(hi ^ a);
  const s = new Uint32Array(new BigUint64Array([a, b]).buffer);
  return () => {
    const result = (rotl32((s[0] + s[3]) >>> 0, 7) + s[0]) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl32(s[3], 11);
    return result;
  };
}

Deno.test("the public stream is xoshiro128++ and depends on nothing but its seed", () => {
  const g = generators();
  fc.assert(
    fc.property(word, word, word, (lo, hi, secret) => {
      g.seed(lo, hi, secret, 0n);
      const reference = xoshiro(lo, hi);
      for (let i = 0; i < 20; i++) {
        assertEquals(g.public32(), reference());
        g.secret64();
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});

Deno.test("the same seed gives the same numbers, another gives others", () => {
  const draw = (...seed: [bigint, bigint, bigint, bigint]) => {
    const g = generators();
    g.seed(...seed);
    return [g.secret64(), g.hash3(1n, 2n, 3n), g.siphash(1n, 2n, 3n, 4n), BigInt(g.public32())];
  };
  const base = draw(1n, 2n, 3n, 4n);
  assertEquals(draw(1n, 2n, 3n, 4n), base);
  assertEquals(draw(9n, 9n, 3n, 4n).slice(0, 3), base.slice(0, 3));
  for (const other of [draw(1n, 2n, 5n, 4n), draw(1n, 2n, 3n, 5n)]) {
    for (let i = 0; i < 3; i++) assertNotEquals(other[i], base[i]);
    assertEquals(other[3], base[3]);
  }
  assertNotEquals(draw(0n, 2n, 3n, 4n)[3], base[3]);
  assertNotEquals(draw(1n, 0n, 3n, 4n)[3], base[3]);
});

Deno.test("below stays below, and takes each value about equally often", () => {
  const g = generators();
  g.seed(1n, 2n, 3n, 4n);
  assertEquals(g.below(0), 0);
  assertEquals(g.below(1), 0);
  for (const n of [7, 64511, 0x8000_0001, 0xffff_ffff]) {
    for (let i = 0; i < 200; i++) assert(g.below(n) < n);
  }
  // 3 * 2^30 without rejection would take every third value twice as often.
  const thirds = [0, 0, 0];
  for (let i = 0; i < 30_000; i++) thirds[g.below(3 * 2 ** 30) % 3]++;
  for (const count of thirds) assert(Math.abs(count - 10_000) < 500, String(thirds));
});
