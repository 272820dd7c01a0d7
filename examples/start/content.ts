/**
 * Content to send that nobody has to store: pseudo-random bytes, the same for the same seed, made
 * while they are sent.
 *
 * @module
 */

/** A stream of `length` bytes that depends on nothing but the seed. */
export class Content {
  /** Bytes in all. */
  readonly length: number;
  #done = 0;
  #state: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #block: Uint8Array<ArrayBuffer>;

  /**
   * @param length bytes in all
   * @param seed a whole number; its lowest 32 bits count
   * @param blockBytes bytes made at a time, a multiple of 4
   */
  constructor(length: number, seed: number, blockBytes = 64 * 1024) {
    this.length = length;
    this.#state = seed | 0;
    this.#words = new Uint32Array(blockBytes / 4);
    this.#block = new Uint8Array(this.#words.buffer);
  }

  /** Bytes handed out so far. */
  get done(): number {
    return this.#done;
  }

  /** The next bytes, valid until the next call; empty at the end. Generator: SplitMix32. */
  next(): Uint8Array<ArrayBuffer> {
    const words = this.#words;
    let state = this.#state;
    for (let i = 0; i < words.length; i++) {
      state = (state + 0x9e3779b9) | 0;
      let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      words[i] = word ^ (word >>> 16);
    }
    this.#state = state;
    const length = Math.min(this.#block.length, this.length - this.#done);
    this.#done += length;
    return length === this.#block.length ? this.#block : this.#block.subarray(0, length);
  }
}
