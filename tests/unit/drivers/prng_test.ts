import { assert, assertEquals } from "@std/assert";
import { Prng } from "../../../drivers/prng.ts";

/** The same generator written with BigInt, straight from the description of its authors. */
function* reference(seed: number): Generator<number> {
  const mask = 0xffffffffn;
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  let state = BigInt(seed) & mask;
  const split = () => {
    state = (state + 0x9e3779b9n) & mask;
    let z = state;
    z = ((z ^ (z >> 16n)) * 0x21f0aaadn) & mask;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & mask;
    return z ^ (z >> 15n);
  };
  const s = [split(), split(), split(), split() | 1n];
  for (;;) {
    yield Number((rotl((s[1] * 5n) & mask, 7n) * 9n) & mask);
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
  }
}

Deno.test("prng: agrees with the description in BigInt", () => {
  for (const seed of [0, 1, 7, 0x7fffffff, 0xffffffff]) {
    const random = new Prng(seed);
    const expected = reference(seed);
    for (let i = 0; i < 1000; i++) assertEquals(random.u32(), expected.next().value);
  }
});

Deno.test("prng: unit is in [0, 1) and even", () => {
  const random = new Prng(42);
  const bins = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) {
    const value = random.unit();
    assert(value >= 0 && value < 1);
    bins[Math.floor(value * 16)]++;
  }
  // Chi squared with 15 degrees of freedom exceeds 44.3 once in ten thousand seeds.
  const chi = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  assert(chi < 44.3, `chi squared is ${chi}`);
});

Deno.test("prng: seeds are taken modulo 2^32, negative ones too", () => {
  assertEquals(new Prng(-1).u32(), new Prng(0xffffffff).u32());
  assert(new Prng(1).u32() !== new Prng(2).u32());
});
