/**
 * A batch of empty frames that remembers the lengths that a driver sets, for drivers that wrap
 * another.
 *
 * @module
 */

import type { FrameBatch } from "../runtime/device/driver.ts";

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Passes everything on to the batch that it stands for. Made once and used for every call. */
export class ObservedBatch implements FrameBatch {
  #batch: FrameBatch | undefined = undefined;
  #lengths = new Int32Array(64);

  /** Stands for `batch` from now on, with all lengths forgotten. */
  over(batch: FrameBatch): ObservedBatch {
    this.#batch = batch;
    if (batch.count > this.#lengths.length) this.#lengths = new Int32Array(batch.count);
    this.#lengths.fill(0, 0, batch.count);
    return this;
  }

  /** The length that was set for frame `i`, 0 if none was. */
  filledLength(i: number): number {
    return this.#lengths[i];
  }

  /** How many empty frames there are. */
  get count(): number {
    return this.#batch ? this.#batch.count : 0;
  }

  /** The memory that the frames are in. */
  get memory(): Uint8Array<ArrayBuffer> {
    return this.#batch ? this.#batch.memory : EMPTY;
  }

  /** Offset of frame `i` in the memory. */
  address(i: number): number {
    return this.#batch!.address(i);
  }

  /** Room in frame `i` in bytes. */
  length(i: number): number {
    return this.#batch!.length(i);
  }

  /** Remembers the length and passes it on. */
  setLength(i: number, length: number): void {
    this.#lengths[i] = length;
    this.#batch!.setLength(i, length);
  }

  /** A fresh view of frame `i`. */
  view(i: number): Uint8Array<ArrayBuffer> {
    return this.#batch!.view(i);
  }
}
