/**
 * Drawing the things of a world from a seed.
 *
 * @module
 */

import { Prng } from "../drivers/prng.ts";

/** A stream of draws that only depends on its seed. */
export class Random extends Prng {
  /** A stream of its own, unrelated to the others of the seed: `name` tells what it is for. */
  static of(seed: number, name: string): Random {
    let hash = Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
    for (let i = 0; i < name.length; i++) {
      hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
      hash ^= hash >>> 15;
    }
    return new Random(hash);
  }

  /** A whole number in 0..n-1. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  /** A whole number in least..most. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** A whole number in least..most whose logarithm is uniform: 1 to 10 as often as 10 to 100. */
  scale(least: number, most: number): number {
    const value = least * Math.exp(this.unit() * Math.log(most / least));
    return Math.min(most, Math.max(least, Math.round(value)));
  }

  /** True in this share of the draws. */
  chance(share: number): boolean {
    // Drawn even for 0 and 1: what follows stays the same when a share is changed.
    return this.unit() < share;
  }

  /** One of the list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}
