/**
 * A batch of frames over the descriptors of an interface. One object serves every turn: nothing is
 * allocated on the way of a frame.
 *
 * @module
 */

import type { Engine } from "../engine.ts";
import type { FrameBatch } from "./driver.ts";

/** Words of a descriptor: address and length. */
const WORDS = 2;

/** The descriptors of one direction of one interface, as the driver sees them. */
export class Descriptors implements FrameBatch {
  /** The whole memory of the engine. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Frames in the batch now. */
  count = 0;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #first: number;
  readonly #fillable: boolean;
  /** Room in an empty frame: the same for all of an interface. */
  #room = 0;
  /** Frames whose lengths the last batch may have set. */
  #touched = 0;

  /**
   * @param offset where the descriptors begin in the engine's memory, in bytes
   * @param fillable true for empty frames that the driver fills
   */
  constructor(engine: Engine, offset: number, fillable: boolean) {
    this.memory = engine.memory;
    this.#words = engine.u32;
    this.#first = offset >>> 2;
    this.#fillable = fillable;
  }

  /**
   * Begins a batch of `count` frames. The engine has written the descriptors of those to send, and
   * of empty ones that it lends anew; the others get back the lengths that were changed in vain.
   */
  begin(count: number): this {
    this.count = count;
    if (!this.#fillable) return this;
    const words = this.#words;
    if (this.#room === 0) this.#room = words[this.#first + 1];
    const end = this.#first + WORDS * this.#touched;
    for (let at = this.#first + 1; at < end; at += WORDS) words[at] = this.#room;
    this.#touched = 0;
    return this;
  }

  /** Offset of frame `i` in `memory`, in bytes. */
  address(i: number): number {
    if (i >>> 0 >= this.count) this.#refuse(i);
    return this.#words[this.#first + WORDS * i];
  }

  /** Length of frame `i`, or the room in the empty frame `i`, in bytes. */
  length(i: number): number {
    if (i >>> 0 >= this.count) this.#refuse(i);
    return this.#words[this.#first + WORDS * i + 1];
  }

  /** Says how long the frame put into empty frame `i` is; a `RangeError` beyond its room. */
  setLength(i: number, length: number): void {
    if (i >>> 0 >= this.count) this.#refuse(i);
    const room = this.#room;
    if (length >>> 0 !== length || length > room) {
      throw new RangeError(`frame ${i} has room for ${room} bytes, not ${length}`);
    }
    this.#words[this.#first + WORDS * i + 1] = length;
    if (i >= this.#touched) this.#touched = i + 1;
  }

  /** A fresh view of frame `i`. */
  view(i: number): Uint8Array<ArrayBuffer> {
    const address = this.address(i);
    return this.memory.subarray(address, address + this.length(i));
  }

  #refuse(i: number): never {
    throw new RangeError(`frame ${i} is not one of the ${this.count} in the batch`);
  }
}
