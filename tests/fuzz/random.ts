/** Random choices that depend on a seed alone. */

import { Prng } from "../../drivers/prng.ts";

/** A stream of choices. */
export class Random {
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  /** A whole number in 0..2^32-1. */
  u32(): number {
    return this.#prng.u32();
  }

  /** A whole number in 0..n-1. */
  below(n: number): number {
    return Math.floor(this.#prng.unit() * n);
  }

  /** A whole number in from..to. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in so many times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of the list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(length).map(() => this.below(256));
  }

  /** A number that is often at the edge of its field of so many bits. */
  edge(bits: number): number {
    const max = 2 ** bits - 1;
    switch (this.below(6)) {
      case 0:
        return 0;
      case 1:
        return max;
      case 2:
        return this.below(16);
      case 3:
        return (max + 1) / 2 + this.between(-1, 1);
      default:
        return this.below(max + 1);
    }
  }
}
