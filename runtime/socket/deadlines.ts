/**
 * A heap of things with a deadline, earliest first; anything in it can be taken out at any time.
 *
 * @module
 */

/** Something that ends at a time. */
export interface Timed {
  /** When, in microseconds of the stack's clock. */
  deadline_us: number;
  /** Its place in the heap, kept by the heap; -1 while it is in none. */
  place: number;
}

/** Binary heap. */
export class Deadlines<T extends Timed> {
  readonly #heap: T[] = [];

  /** The earliest deadline in microseconds; `Infinity` if there is none. */
  get next_us(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].deadline_us;
  }

  /** Puts an item in. */
  add(item: T): void {
    item.place = this.#heap.length;
    this.#heap.push(item);
    this.#up(item.place);
  }

  /** Takes an item out; nothing happens if it is not in. */
  remove(item: T): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#put(last, place);
    this.#up(place);
    this.#down(last.place);
  }

  /** Takes out the earliest item if it is due at `now_us`. */
  takeDue(now_us: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.deadline_us > now_us) return undefined;
    this.remove(first);
    return first;
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }

  #up(place: number): void {
    const item = this.#heap[place];
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#heap[parent].deadline_us <= item.deadline_us) break;
      this.#put(this.#heap[parent], place);
      place = parent;
    }
    this.#put(item, place);
  }

  #down(place: number): void {
    const heap = this.#heap;
    const item = heap[place];
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].deadline_us < heap[child].deadline_us) child++;
      if (item.deadline_us <= heap[child].deadline_us) break;
      this.#put(heap[child], place);
      place = child;
    }
    this.#put(item, place);
  }
}
