/**
 * A small seeded generator for the drivers that make mischief: xoshiro128** by Blackman and Vigna,
 * its state filled by splitmix32. Not for secrets.
 *
 * @module
 */

/** A stream of random numbers that only depends on its seed. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Different seeds give unrelated streams; `seed` is taken modulo 2^32. */
  constructor(seed: number) {
    let state = seed >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // All zeros is the one state that the generator never leaves.
    this.#d = next() | 1;
  }

  /** A whole number in 0..2^32-1. */
  u32(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.u32() / 0x1_0000_0000;
  }
}

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
