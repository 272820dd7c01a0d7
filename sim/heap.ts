/**
 * What will happen, by time: a binary heap. Events of the same time come in the order in which they
 * were added, so that a run depends on nothing but its seed.
 *
 * @module
 */

/** Something that happens at a time of the virtual clock. */
export interface Happening {
  /** When, in whole microseconds. */
  readonly at_us: number;
  /** Does it. */
  happen(): void;
}

/** The events to come. */
export class Heap {
  readonly #events: Happening[] = [];
  readonly #orders: number[] = [];
  #next = 0;

  /** How many there are. */
  get length(): number {
    return this.#events.length;
  }

  /** When the first one happens; `Infinity` if there is none. */
  get next_us(): number {
    return this.#events.length > 0 ? this.#events[0].at_us : Infinity;
  }

  /** Adds one. */
  push(event: Happening): void {
    const events = this.#events;
    const orders = this.#orders;
    const order = this.#next++;
    let at = events.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      // A later order never comes before an equal time.
      if (events[up].at_us <= event.at_us) break;
      events[at] = events[up];
      orders[at] = orders[up];
      at = up;
    }
    events[at] = event;
    orders[at] = order;
  }

  /** Takes the first one; there must be one. */
  pop(): Happening {
    const events = this.#events;
    const orders = this.#orders;
    const first = events[0];
    const event = events.pop()!;
    const order = orders.pop()!;
    const { length } = events;
    if (length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= length) break;
      if (down + 1 < length && this.#before(down + 1, down)) down++;
      const sooner = events[down].at_us - event.at_us || orders[down] - order;
      if (sooner > 0) break;
      events[at] = events[down];
      orders[at] = orders[down];
      at = down;
    }
    events[at] = event;
    orders[at] = order;
    return first;
  }

  #before(left: number, right: number): boolean {
    const by = this.#events[left].at_us - this.#events[right].at_us;
    return by < 0 || by === 0 && this.#orders[left] < this.#orders[right];
  }
}
