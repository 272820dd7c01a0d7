/**
 * Where a stack gets its randomness from. The engine has two streams, both seeded at boot: a public
 * one (ports, identifiers: seen on the wire) and a secret one (hash keys, sequence numbers).
 *
 * @module
 */

/** A source of 32-bit random numbers. */
export interface Entropy {
  /** The next number, 0 to 2^32 - 1. */
  next32(): number;
}

/** Randomness of the system's cryptographic generator. */
export class SystemEntropy implements Entropy {
  readonly #word = new Uint32Array(1);

  /** The next number, 0 to 2^32 - 1. */
  next32(): number {
    crypto.getRandomValues(this.#word);
    return this.#word[0];
  }
}

/**
 * Randomness that is the same for the same seed: for tests and simulations only, since whoever
 * knows the seed knows every secret of the stack. Generator: SplitMix32.
 */
export class SeededEntropy implements Entropy {
  #state: number;

  /**
   * Begins a sequence.
   *
   * @param seed a whole number, or text that is hashed to one
   */
  constructor(seed: number | string) {
    this.#state = typeof seed === "number" ? foldNumber(seed) : foldText(seed);
  }

  /** The next number, 0 to 2^32 - 1. */
  next32(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  }
}

/** Both halves of a safe integer count. */
function foldNumber(seed: number): number {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a whole number, not ${seed}`);
  return (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1)) | 0;
}

/** FNV-1a. */
function foldText(seed: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  return hash;
}

/** Randomness that repeats, from a seed; that of the machine without one. */
export function makeEntropy(seed: number | string | undefined): Entropy {
  return seed === undefined ? new SystemEntropy() : new SeededEntropy(seed);
}
