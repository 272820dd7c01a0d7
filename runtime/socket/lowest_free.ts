/**
 * Small numbers to give out, the lowest free one first, in a time that grows with the logarithm of
 * how many were given back.
 *
 * @module
 */

/** As many numbers there may be: those that `claim` passes over each take a place. */
const NUMBERS_MAX = 2 ** 24;

/** Whole numbers from a first one on. */
export class LowestFree {
  readonly #first: number;
  /** Numbers from here on were never given out. */
  #next: number;
  /** Numbers below that were given back: a heap, the lowest at its top. */
  readonly #free: number[] = [];
  #out = 0;

  /** All numbers from `first` on are free. */
  constructor(first: number) {
    this.#first = first;
    this.#next = first;
  }

  /** Gives out the lowest free number. */
  take(): number {
    this.#out++;
    return this.#free.length > 0 ? this.#pop() : this.#next++;
  }

  /** Gives out this number, which is higher than all that ever were. */
  claim(number: number): void {
    if (!(number >= this.#next && number < NUMBERS_MAX)) {
      throw new RangeError(`${number} is not from ${this.#next} to ${NUMBERS_MAX - 1}`);
    }
    this.#out++;
    while (this.#next < number) this.#push(this.#next++);
    this.#next++;
  }

  /** Takes a number back that is out. */
  giveBack(number: number): void {
    this.#out--;
    if (this.#out === 0) {
      this.#next = this.#first;
      this.#free.length = 0;
    } else this.#push(number);
  }

  #push(number: number): void {
    const heap = this.#free;
    let at = heap.length;
    heap.push(number);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above] <= number) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = number;
  }

  #pop(): number {
    const heap = this.#free;
    const lowest = heap[0];
    const last = heap.pop()!;
    const count = heap.length;
    if (count === 0) return lowest;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= count) break;
      if (below + 1 < count && heap[below + 1] < heap[below]) below++;
      if (heap[below] >= last) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = last;
    return lowest;
  }
}
