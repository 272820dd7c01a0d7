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
const NO_WORDS = new Uint32Array(0);
/** Up to this many bytes are copied word by word: to make a view of them would cost more. */
const SHORT_BYTES = 128;

/** One memory as words of 32 bits, for copies of short frames. */
class Words {
  #memory: Uint8Array<ArrayBuffer> = EMPTY;
  #words: Uint32Array<ArrayBuffer> = NO_WORDS;

  /** The words of a memory; none if it does not begin at a word of its buffer. */
  of(memory: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    if (memory !== this.#memory) this.#bind(memory);
    return this.#words;
  }

  /** Forgets the memory. */
  clear(): void {
    this.#bind(EMPTY);
  }

  #bind(memory: Uint8Array<ArrayBuffer>): void {
    const { buffer, byteOffset, length } = memory;
    this.#memory = memory;
    this.#words = byteOffset % 4 === 0
      ? new Uint32Array(buffer, byteOffset, length >>> 2)
      : NO_WORDS;
  }
}

/** Copies words from one memory to another, where the frame stands alike in its first word. */
function copyWords(
  from: Uint8Array,
  fromWords: Uint32Array,
  source: number,
  to: Uint8Array,
  toWords: Uint32Array,
  target: number,
  length: number,
): void {
  const end = source + length;
  const shift = target - source;
  let at = source;
  for (; (at & 3) !== 0 && at < end; at++) to[at + shift] = from[at];
  const apart = shift / 4;
  const last = end >>> 2;
  for (let word = at >>> 2; word < last; word++) toWords[word + apart] = fromWords[word];
  at = Math.max(at, last * 4);
  for (; at < end; at++) to[at + shift] = from[at];
}

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

/** Copies of frames from one memory to another, time and again. */
export class FrameCopy {
  readonly #sources = new Words();
  readonly #targets = new Words();
  readonly #views = new ViewCache();

  /** Copies `length` bytes (at least 1). */
  copy(
    from: Uint8Array<ArrayBuffer>,
    source: number,
    to: Uint8Array<ArrayBuffer>,
    target: number,
    length: number,
  ): void {
    if (length <= SHORT_BYTES && ((source ^ target) & 3) === 0) {
      const words = this.#sources.of(from);
      const toWords = this.#targets.of(to);
      if (words.length > 0 && toWords.length > 0) {
        return copyWords(from, words, source, to, toWords, target, length);
      }
    }
    to.set(this.#views.get(from, source, length), target);
  }

  /** Lets go of the memories. */
  clear(): void {
    this.#sources.clear();
    this.#targets.clear();
    this.#views.clear();
  }
}

/** A first-in first-out queue of copied frames in one arena of equal slots. */
export class FrameRing {
  readonly #arena: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #slotBytes: number;
  readonly #slots: number;
  /** Where the frame in each slot begins, in the arena. */
  readonly #offsets: Uint32Array<ArrayBuffer>;
  readonly #lengths: Uint32Array<ArrayBuffer>;
  /** A view of the last long frame in each slot. */
  readonly #views: Uint8Array<ArrayBuffer>[];
  readonly #targets = new Words();
  readonly #sources = new Words();
  readonly #sourceViews = new ViewCache();
  #head = 0;
  #count = 0;

  /** A queue of at most `slots` frames of at most `frameBytes` bytes each. */
  constructor(slots: number, frameBytes: number) {
    this.#slots = slots;
    // A short frame begins as far behind a word as it does where it comes from.
    this.#slotBytes = Math.ceil((frameBytes + 3) / SLOT_ALIGN_BYTES) * SLOT_ALIGN_BYTES;
    this.#arena = new Uint8Array(slots * this.#slotBytes);
    this.#words = new Uint32Array(this.#arena.buffer);
    this.#offsets = new Uint32Array(slots);
    this.#lengths = new Uint32Array(slots);
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
    return this.#lengths[this.#head];
  }

  /** The oldest frame, in its place; only valid while `count` is not zero. */
  get head(): Uint8Array<ArrayBuffer> {
    return this.#view(this.#head, this.#offsets[this.#head], this.#lengths[this.#head]);
  }

  /**
   * Copies a frame to the end of the queue.
   *
   * @returns false, with nothing changed, if the queue is full.
   */
  push(frame: Uint8Array<ArrayBuffer>): boolean {
    const slot = this.#free();
    if (slot < 0) return false;
    const { length } = frame;
    this.#view(slot, slot * this.#slotBytes, length).set(frame);
    this.#add(slot, slot * this.#slotBytes, length);
    return true;
  }

  /**
   * Copies the `length` bytes (at least 1) at `address` of `memory` to the end of the queue.
   *
   * @returns false, with nothing changed, if the queue is full.
   */
  pushFrom(memory: Uint8Array<ArrayBuffer>, address: number, length: number): boolean {
    const slot = this.#free();
    if (slot < 0) return false;
    const words = this.#sources.of(memory);
    let offset = slot * this.#slotBytes;
    if (length <= SHORT_BYTES && words.length > 0) {
      offset += address & 3;
      copyWords(memory, words, address, this.#arena, this.#words, offset, length);
    } else {
      this.#view(slot, offset, length).set(this.#sourceViews.get(memory, address, length));
    }
    this.#add(slot, offset, length);
    return true;
  }

  /** Copies the oldest frame to `memory` at `address` and takes it out of the queue. */
  shift(memory: Uint8Array<ArrayBuffer>, address: number): void {
    const slot = this.#head;
    const offset = this.#offsets[slot];
    const length = this.#lengths[slot];
    const words = this.#targets.of(memory);
    if (length <= SHORT_BYTES && ((address ^ offset) & 3) === 0 && words.length > 0) {
      copyWords(this.#arena, this.#words, offset, memory, words, address, length);
    } else memory.set(this.#view(slot, offset, length), address);
    this.drop();
  }

  /** Takes the oldest frame out of the queue, unread. */
  drop(): void {
    const next = this.#head + 1;
    this.#head = next === this.#slots ? 0 : next;
    this.#count--;
  }

  /** Empties the queue, lets go of the memories, and returns how many frames were in it. */
  clear(): number {
    const count = this.#count;
    this.#count = 0;
    this.#head = 0;
    this.#targets.clear();
    this.#sources.clear();
    this.#sourceViews.clear();
    return count;
  }

  /** The slot of the next frame; -1 if the queue is full. */
  #free(): number {
    const count = this.#count;
    if (count === this.#slots) return -1;
    // An empty queue starts over, so that a queue that never grows long stays in the cache.
    if (count === 0) this.#head = 0;
    const slot = this.#head + count;
    return slot >= this.#slots ? slot - this.#slots : slot;
  }

  #add(slot: number, offset: number, length: number): void {
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    this.#count++;
  }

  /** A view of `length` bytes from `offset` on, in a slot. */
  #view(slot: number, offset: number, length: number): Uint8Array<ArrayBuffer> {
    const known = this.#views[slot];
    if (known.length === length && known.byteOffset === offset) return known;
    return this.#views[slot] = this.#arena.subarray(offset, offset + length);
  }
}
