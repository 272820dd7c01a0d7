/**
 * Room for frames that a wrapper holds back. To the wrapped driver it looks like the memory of an
 * engine: it sends from it and receives into it.
 *
 * @module
 */

import type { FrameBatch } from "../runtime/device/driver.ts";

const SLOT_ALIGN_BYTES = 64;

/** A fixed number of slots of equal size in one memory. */
export class FrameStore {
  /** The memory that all slots are in. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** Room in each slot, in bytes. */
  readonly slotBytes: number;
  /** Length of the frame in each slot, in bytes. */
  readonly lengths: Int32Array;
  /** Slots in use by nobody, the last one being the next to be given out. */
  readonly #free: Int32Array;
  #freeCount: number;

  /** `slots` frames of at most `frameBytes` bytes, in `memory` from `base` on. */
  constructor(
    memory: Uint8Array<ArrayBuffer>,
    readonly base: number,
    slots: number,
    frameBytes: number,
  ) {
    this.memory = memory;
    this.slotBytes = FrameStore.slotBytes(frameBytes);
    this.lengths = new Int32Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
  }

  /** Bytes that a slot takes for frames of at most `frameBytes`. */
  static slotBytes(frameBytes: number): number {
    return Math.ceil(frameBytes / SLOT_ALIGN_BYTES) * SLOT_ALIGN_BYTES;
  }

  /** How many slots are free. */
  get freeCount(): number {
    return this.#freeCount;
  }

  /** Offset of a slot in the memory. */
  address(slot: number): number {
    return this.base + slot * this.slotBytes;
  }

  /** Takes a free slot; only while `freeCount` is not zero. */
  take(): number {
    return this.#free[--this.#freeCount];
  }

  /** Gives a slot back. */
  release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }

  /** A view of the frame in a slot. */
  frame(slot: number): Uint8Array<ArrayBuffer> {
    const from = this.address(slot);
    return this.memory.subarray(from, from + this.lengths[slot]);
  }
}

/** A batch over slots of a store; made once and filled for every call. */
export class StoreBatch implements FrameBatch {
  /** How many slots are in it. */
  count = 0;
  readonly #store: FrameStore;
  readonly #slots: Int32Array;
  #empty = false;

  /** Room for `capacity` slots. */
  constructor(store: FrameStore, capacity: number) {
    this.#store = store;
    this.#slots = new Int32Array(capacity);
  }

  /** How many slots fit. */
  get capacity(): number {
    return this.#slots.length;
  }

  /** Takes all slots out; `empty` tells whether the next ones are to be filled or to be sent. */
  reset(empty: boolean): void {
    this.count = 0;
    this.#empty = empty;
  }

  /** Adds a slot. */
  add(slot: number): void {
    this.#slots[this.count++] = slot;
  }

  /** Takes the first `n` slots out; the others move up. */
  removeFirst(n: number): void {
    this.#slots.copyWithin(0, n, this.count);
    this.count -= n;
  }

  /** The slot of frame `i`. */
  slot(i: number): number {
    return this.#slots[i];
  }

  /** Memory of the store. */
  get memory(): Uint8Array<ArrayBuffer> {
    return this.#store.memory;
  }

  /** Offset of frame `i` in the memory. */
  address(i: number): number {
    return this.#store.address(this.#slots[i]);
  }

  /** Length of frame `i`, or the room in it. */
  length(i: number): number {
    return this.#empty ? this.#store.slotBytes : this.#store.lengths[this.#slots[i]];
  }

  /** Sets the length of frame `i`. */
  setLength(i: number, length: number): void {
    this.#store.lengths[this.#slots[i]] = length;
  }

  /** A fresh view of frame `i`. */
  view(i: number): Uint8Array<ArrayBuffer> {
    const from = this.address(i);
    return this.memory.subarray(from, from + this.length(i));
  }
}
