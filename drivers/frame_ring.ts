/**
 * Bounded queues of frames, and views of engine memory that are made once. Both exist so that a
 * frame crosses a virtual cable with two copies and no allocation: making a `subarray` for each
 * frame costs as much as copying a full frame does.
 *
 * @module
 */

const CACHE_SLOTS = 4096;
const SLOT_ALIGN_BYTES = 64;
const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/**
 * Views of one memory by (address, length). A stack sends from the same packet buffers over and
 * over, so a direct-mapped table finds nearly every view again.
 */
export class ViewCache {
  #memory: Uint8Array<ArrayBuffer> = EMPTY;
  readonly #addresses = new Uint32Array(CACHE_SLOTS);
  readonly #views: Uint8Array<ArrayBuffer>[] = new Array(CACHE_SLOTS).fill(EMPTY);

  /** The view of `length` bytes (at least 1) at `address` of `memory`. */
  get(memory: Uint8Array<ArrayBuffer>, address: number, length: number): Uint8Array<ArrayBuffer> {
    if (memory !== this.#memory) this.#rebind(memory);
    const slot = ((address >>> 6) ^ (address >>> 12)) & (CACHE_SLOTS - 1);
    const cached = this.#views[slot];
    if (cached.length === length && this.#addresses[slot] === address) return cached;
    const view = memory.subarray(address, address + length);
    this.#views[slot] = view;
    this.#addresses[slot] = address;
    return view;
  }

  /** Forgets all views, so that the memory behind them can be freed. */
  clear(): void {
    this.#rebind(EMPTY);
  }

  #rebind(memory: Uint8Array<ArrayBuffer>): void {
    this.#memory = memory;
    this.#views.fill(EMPTY);
  }
}

/** A first-in first-out queue of copied frames in one arena of equal slots. */
export class FrameRing {
  readonly #arena: Uint8Array<ArrayBuffer>;
  readonly #slotBytes: number;
  readonly #slots: number;
  /** A view of the frame in each slot; its length is the frame's. */
  readonly #views: Uint8Array<ArrayBuffer>[];
  #head = 0;
  #count = 0;

  /** A queue of at most `slots` frames of at most `frameBytes` bytes each. */
  constructor(slots: number, frameBytes: number) {
    this.#slots = slots;
    this.#slotBytes = Math.ceil(frameBytes / SLOT_ALIGN_BYTES) * SLOT_ALIGN_BYTES;
    this.#arena = new Uint8Array(slots * this.#slotBytes);
    this.#views = new Array(slots).fill(EMPTY);
  }

  /** How many frames are queued. */
  get count(): number {
    return this.#count;
  }

  /** How many frames can be queued at most. */
  get capacity(): number {
    return this.#slots;
  }

  /** Length in bytes of the oldest frame; only valid while `count` is not zero. */
  get headLength(): number {
    return this.#views[this.#head].length;
  }

  /** The oldest frame, in its place; only valid while `count` is not zero. */
  get head(): Uint8Array<ArrayBuffer> {
    return this.#views[this.#head];
  }

  /**
   * Copies a frame to the end of the queue.
   *
   * @returns false, with nothing changed, if the queue is full.
   */
  push(frame: Uint8Array<ArrayBuffer>): boolean {
    const count = this.#count;
    if (count === this.#slots) return false;
    // An empty queue starts over, so that a queue that never grows long stays in the cache.
    if (count === 0) this.#head = 0;
    let slot = this.#head + count;
    if (slot >= this.#slots) slot -= this.#slots;
    let view = this.#views[slot];
    if (view.length !== frame.length) {
      const from = slot * this.#slotBytes;
      view = this.#arena.subarray(from, from + frame.length);
      this.#views[slot] = view;
    }
    view.set(frame);
    this.#count = count + 1;
    return true;
  }

  /** Copies the oldest frame to `memory` at `address` and takes it out of the queue. */
  shift(memory: Uint8Array<ArrayBuffer>, address: number): void {
    memory.set(this.#views[this.#head], address);
    this.drop();
  }

  /** Takes the oldest frame out of the queue, unread. */
  drop(): void {
    const next = this.#head + 1;
    this.#head = next === this.#slots ? 0 : next;
    this.#count--;
  }

  /** Empties the queue and returns how many frames were in it. */
  clear(): number {
    const count = this.#count;
    this.#count = 0;
    this.#head = 0;
    return count;
  }
}
