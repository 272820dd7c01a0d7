/**
 * A batch of frames over the descriptors of an interface. One object serves every turn: nothing is
 * allocated on the way of a frame.
 *
 * @module
 */

import { Limits } from "../../assembly/abi/limits.ts";
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
  readonly #room: Uint32Array<ArrayBuffer> | undefined;

  /**
   * @param offset where the descriptors begin in the engine's memory, in bytes
   * @param fillable true for empty frames that the driver fills
   */
  constructor(engine: Engine, offset: number, fillable: boolean) {
    this.memory = engine.memory;
    this.#words = engine.u32;
    this.#first = offset >>> 2;
    this.#room = fillable ? new Uint32Array(Limits.RING) : undefined;
  }

  /** Begins a batch of the `count` descriptors that the engine has just written. */
  begin(count: number): this {
    this.count = count;
    const room = this.#room;
    if (room !== undefined) {
      for (let i = 0; i < count; i++) room[i] = this.#words[this.#first + WORDS * i + 1];
    }
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
    const room = this.#room === undefined ? 0 : this.#room[i];
    if (length >>> 0 !== length || length > room) {
      throw new RangeError(`frame ${i} has room for ${room} bytes, not ${length}`);
    }
    this.#words[this.#first + WORDS * i + 1] = length;
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
