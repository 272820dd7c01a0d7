/**
 * A bounded queue of frames in memory that two threads share: one puts frames in, one takes them
 * out, and neither waits for the other.
 *
 * @module
 */

import { ViewCache } from "./frame_ring.ts";

const SLOT_ALIGN_BYTES = 64;
const HEADER_WORDS = 16;
/** Words of the header, in different lines of the cache: where to take, and where to put. */
const [HEAD, TAIL] = [0, 8];
const EMPTY: Uint8Array<SharedArrayBuffer> = new Uint8Array(new SharedArrayBuffer(0));

/** What the other thread needs to know of a ring. */
export interface SharedRingHandle {
  /** The memory of both. */
  readonly buffer: SharedArrayBuffer;
  /** Frames that it holds, a power of two. */
  readonly slots: number;
  /** Bytes of the longest. */
  readonly frameBytes: number;
}

/** Memory for a ring of at least `slots` frames, at most `frameBytes` long. */
export function newRing(slots: number, frameBytes: number): SharedRingHandle {
  const count = 2 ** Math.ceil(Math.log2(slots));
  const bytes = HEADER_WORDS * 4 + count * (4 + slotBytes(frameBytes));
  return { buffer: new SharedArrayBuffer(bytes), slots: count, frameBytes };
}

function slotBytes(frameBytes: number): number {
  return Math.ceil(frameBytes / SLOT_ALIGN_BYTES) * SLOT_ALIGN_BYTES;
}

/** One end of a ring. */
export class SharedRing {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #views: Uint8Array<SharedArrayBuffer>[];
  readonly #sources = new ViewCache();
  readonly #mask: number;
  readonly #slotBytes: number;
  readonly #first: number;
  /** Bytes of the longest frame. */
  readonly frameBytes: number;

  /** The ring in the memory of a handle. */
  constructor({ buffer, slots, frameBytes }: SharedRingHandle) {
    this.#words = new Int32Array(buffer, 0, HEADER_WORDS + slots);
    this.#bytes = new Uint8Array(buffer);
    this.#views = new Array(slots).fill(EMPTY);
    this.#mask = slots - 1;
    this.#slotBytes = slotBytes(frameBytes);
    this.#first = (HEADER_WORDS + slots) * 4;
    this.frameBytes = frameBytes;
  }

  /** Frames in the ring. */
  get count(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, HEAD)) | 0;
  }

  /** Copies a frame of `memory` to the end; false if the ring is full. */
  push(memory: Uint8Array<ArrayBuffer>, address: number, length: number): boolean {
    const tail = this.#words[TAIL];
    if (((tail - Atomics.load(this.#words, HEAD)) | 0) > this.#mask) return false;
    const slot = tail & this.#mask;
    const source = this.#sources.get(memory, address, length);
    this.#bytes.set(source, this.#first + slot * this.#slotBytes);
    this.#words[HEADER_WORDS + slot] = length;
    Atomics.store(this.#words, TAIL, (tail + 1) | 0);
    return true;
  }

  /** Length of the `i`-th frame from the oldest on; there must be so many. */
  length(i: number): number {
    // Written by another thread: never more than the slot has.
    const length = this.#words[HEADER_WORDS + ((this.#words[HEAD] + i) & this.#mask)];
    return Math.min(Math.max(length, 0), this.frameBytes);
  }

  /** Copies the `i`-th frame from the oldest on to `memory`. */
  copy(i: number, memory: Uint8Array<ArrayBuffer>, address: number): void {
    const slot = (this.#words[HEAD] + i) & this.#mask;
    const length = this.length(i);
    let view = this.#views[slot];
    if (view.length !== length) {
      const at = this.#first + slot * this.#slotBytes;
      view = this.#bytes.subarray(at, at + length);
      this.#views[slot] = view;
    }
    memory.set(view, address);
  }

  /** Takes the `count` oldest frames out. */
  drop(count: number): void {
    Atomics.store(this.#words, HEAD, (this.#words[HEAD] + count) | 0);
  }
}

/** Something that a thread waits for, and another one rings. */
export class Bell {
  readonly #word: Int32Array<SharedArrayBuffer>;
  #closed = false;

  /** The bell in 4 bytes of shared memory. */
  constructor(buffer: SharedArrayBuffer) {
    this.#word = new Int32Array(buffer, 0, 1);
  }

  /** Wakes who waits, or the next one that would. */
  ring(): void {
    Atomics.add(this.#word, 0, 1);
    Atomics.notify(this.#word, 0);
  }

  /** Calls `heard` after each ring, until the bell is closed; rings in between count as one. */
  async listen(heard: () => void): Promise<void> {
    let seen = 0;
    while (!this.#closed) {
      const now = Atomics.load(this.#word, 0);
      if (now !== seen) {
        seen = now;
        heard();
      }
      await Atomics.waitAsync(this.#word, 0, seen).value;
    }
  }

  /** Ends `listen` at this end. */
  close(): void {
    this.#closed = true;
    this.ring();
  }
}
