/**
 * One direction of a bad network: decides the fate of each frame and holds those that are late.
 *
 * @module
 */

import type { FrameStore } from "./frame_store.ts";
import { Prng } from "./prng.ts";

/** What goes wrong in one direction. Ratios are chances from 0 to 1 for each frame. */
export interface FaultOptions {
  /** Ratio of frames lost. */
  readonly loss?: number;
  /** Ratio of frames that arrive twice. */
  readonly duplicate?: number;
  /** Ratio of frames held back by `reorder_us` more than the others, which overtake them. */
  readonly reorder?: number;
  /** How long a reordered frame is held back, in microseconds; 1000 unless told. */
  readonly reorder_us?: number;
  /** Ratio of frames in which one random bit is flipped. */
  readonly corrupt?: number;
  /** First byte that may be hit; the end of the Ethernet header unless told. */
  readonly corruptFrom?: number;
  /** How long every frame is delayed, in microseconds. */
  readonly delay_us?: number;
  /** Further random delay of up to this many microseconds; does not reorder by itself. */
  readonly jitter_us?: number;
}

/** What went wrong in one direction. */
export interface FaultStats {
  /** Frames that came to the line. */
  frames: number;
  /** Frames lost. */
  lost: number;
  /** Frames doubled. */
  duplicated: number;
  /** Frames held back so that later ones overtake them. */
  reordered: number;
  /** Frames with a bit flipped. */
  corrupted: number;
  /** Second copies not made for want of room. */
  full: number;
  /** Frames thrown away: empty or longer than the medium allows, or still held at detach. */
  dropped: number;
}

const REORDER_US = 1000;

/** A delay line with faults. Frames are slots of a store; the lost ones it gives back. */
export class FaultLine {
  /** What happened so far. */
  readonly stats: FaultStats = {
    frames: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    full: 0,
    dropped: 0,
  };
  readonly #options: Required<FaultOptions>;
  readonly #random: Prng;
  readonly #store: FrameStore;
  readonly #due_us: Float64Array;
  readonly #order: Float64Array;
  /** Binary heap of slots by (due, order). */
  readonly #heap: Int32Array;
  #held = 0;
  #lastDue_us = 0;
  #nextOrder = 0;

  /** A line with its own random stream; `RangeError` for an option out of range. */
  constructor(options: FaultOptions, headerBytes: number, seed: number, store: FrameStore) {
    this.#options = checkFaults(options, headerBytes);
    this.#random = new Prng(seed);
    this.#store = store;
    const slots = store.lengths.length;
    this.#due_us = new Float64Array(slots);
    this.#order = new Float64Array(slots);
    this.#heap = new Int32Array(slots);
  }

  /** How many frames are held. */
  get held(): number {
    return this.#held;
  }

  /** When the next frame is due, in microseconds; Infinity if none is held. */
  get nextDue_us(): number {
    return this.#held > 0 ? this.#due_us[this.#heap[0]] : Infinity;
  }

  /** Decides what becomes of the frame in `slot`, which the line now owns. */
  admit(slot: number, now_us: number): void {
    const o = this.#options;
    const random = this.#random;
    this.stats.frames++;
    // Always the same number of draws, so that changing one ratio leaves the other fates alone.
    const lost = random.unit() < o.loss;
    const duplicated = random.unit() < o.duplicate;
    const reordered = random.unit() < o.reorder;
    const corrupted = random.unit() < o.corrupt;
    const jitter_us = random.unit() * o.jitter_us;
    const position = random.unit();
    if (lost) {
      this.stats.lost++;
      this.#store.release(slot);
      return;
    }
    if (corrupted) this.#corrupt(slot, position);
    const natural_us = now_us + o.delay_us + jitter_us;
    if (reordered) {
      this.stats.reordered++;
      this.#hold(slot, natural_us + o.reorder_us);
    } else {
      this.#lastDue_us = Math.max(this.#lastDue_us, natural_us);
      this.#hold(slot, this.#lastDue_us);
    }
    if (duplicated) this.#duplicate(slot);
  }

  /** Takes out the next frame that is due at `now_us`; -1 if there is none. */
  takeDue(now_us: number): number {
    return this.nextDue_us <= now_us ? this.#pop() : -1;
  }

  /** Gives back all slots and returns how many frames were held. */
  clear(): number {
    const held = this.#held;
    for (let i = 0; i < held; i++) this.#store.release(this.#heap[i]);
    this.#held = 0;
    return held;
  }

  #corrupt(slot: number, position: number): void {
    const length = this.#store.lengths[slot];
    const from = Math.min(this.#options.corruptFrom, length - 1);
    const bit = Math.floor(position * (length - from) * 8);
    this.#store.memory[this.#store.address(slot) + from + (bit >> 3)] ^= 1 << (bit & 7);
    this.stats.corrupted++;
  }

  #duplicate(slot: number): void {
    if (this.#store.freeCount === 0) {
      this.stats.full++;
      return;
    }
    const copy = this.#store.take();
    this.#store.lengths[copy] = this.#store.lengths[slot];
    this.#store.memory.set(this.#store.frame(slot), this.#store.address(copy));
    this.stats.duplicated++;
    this.#hold(copy, this.#due_us[slot]);
  }

  #hold(slot: number, due_us: number): void {
    this.#due_us[slot] = due_us;
    this.#order[slot] = this.#nextOrder++;
    let at = this.#held++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(slot, this.#heap[parent])) break;
      this.#heap[at] = this.#heap[parent];
      at = parent;
    }
    this.#heap[at] = slot;
  }

  #pop(): number {
    const top = this.#heap[0];
    const last = this.#heap[--this.#held];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#held) break;
      if (child + 1 < this.#held && this.#before(this.#heap[child + 1], this.#heap[child])) child++;
      if (!this.#before(this.#heap[child], last)) break;
      this.#heap[at] = this.#heap[child];
      at = child;
    }
    this.#heap[at] = last;
    return top;
  }

  #before(a: number, b: number): boolean {
    const due = this.#due_us[a] - this.#due_us[b];
    return due < 0 || (due === 0 && this.#order[a] < this.#order[b]);
  }
}

function checkFaults(o: FaultOptions, headerBytes: number): Required<FaultOptions> {
  return {
    loss: ratio("loss", o.loss),
    duplicate: ratio("duplicate", o.duplicate),
    reorder: ratio("reorder", o.reorder),
    reorder_us: time("reorder_us", o.reorder_us ?? REORDER_US),
    corrupt: ratio("corrupt", o.corrupt),
    corruptFrom: time("corruptFrom", o.corruptFrom ?? headerBytes),
    delay_us: time("delay_us", o.delay_us ?? 0),
    jitter_us: time("jitter_us", o.jitter_us ?? 0),
  };
}

function ratio(name: string, value = 0): number {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be in 0..1, not ${value}`);
  return value;
}

function time(name: string, value: number): number {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new RangeError(`${name} must be a number of at least 0, not ${value}`);
  }
  return value;
}
