/**
 * A batch of frames in memory of its own, for those who call a driver without a stack.
 *
 * @module
 */

import type { FrameBatch } from "../runtime/device/driver.ts";

/** Frames of equal room, one behind the other. */
export class PlainBatch implements FrameBatch {
  /** Frames of the present batch. */
  count = 0;
  /** The memory they lie in. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** The same memory, to look into frames. */
  readonly data: DataView<ArrayBuffer>;
  readonly #room: number;
  readonly #lengths: Uint32Array<ArrayBuffer>;

  /** Room for `frames` frames of at most `frameBytes`. */
  constructor(frames: number, frameBytes: number) {
    this.#room = Math.ceil(frameBytes / 64) * 64;
    this.memory = new Uint8Array(frames * this.#room);
    this.data = new DataView(this.memory.buffer);
    this.#lengths = new Uint32Array(frames);
  }

  /** Begins a batch of `count` empty frames. */
  begin(count: number): this {
    this.count = count;
    this.#lengths.fill(this.#room);
    return this;
  }

  /** Offset of frame `i`. */
  address(i: number): number {
    return i * this.#room;
  }

  /** Its length, or its room. */
  length(i: number): number {
    return this.#lengths[i];
  }

  /** Says how long it is. */
  setLength(i: number, length: number): void {
    if (!(length <= this.#room)) throw new RangeError(`no room for ${length} bytes`);
    this.#lengths[i] = length;
  }

  /** A fresh view of it. */
  view(i: number): Uint8Array<ArrayBuffer> {
    return this.memory.subarray(this.address(i), this.address(i) + this.length(i));
  }
}
