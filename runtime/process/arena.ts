/**
 * Gives out parts of a range of bytes, first fit from the beginning, so that little of the memory
 * is ever touched.
 *
 * @module
 */

/** Parts begin at multiples of so many bytes. */
const UNIT_BYTES = 64;

function rounded(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;
}

/** A range of bytes. */
export class Arena {
  /** What is free, by place: where each piece begins and how long it is. */
  readonly #at: number[];
  readonly #bytes: number[];
  /** Bytes that are free. */
  free: number;
  /** Bytes that there are. */
  readonly total: number;

  /** The `length` bytes from `start` on. */
  constructor(start: number, length: number) {
    this.total = Math.floor(length / UNIT_BYTES) * UNIT_BYTES;
    this.free = this.total;
    this.#at = [start];
    this.#bytes = [this.total];
  }

  /** Where a part of so many bytes begins; -1 if there is none. */
  take(bytes: number): number {
    const wanted = rounded(bytes);
    for (let i = 0; i < this.#at.length; i++) {
      const left = this.#bytes[i] - wanted;
      if (left < 0) continue;
      const at = this.#at[i];
      if (left === 0) {
        this.#at.splice(i, 1);
        this.#bytes.splice(i, 1);
      } else {
        this.#at[i] = at + wanted;
        this.#bytes[i] = left;
      }
      this.free -= wanted;
      return at;
    }
    return -1;
  }

  /** Takes back a part that {@link take} gave. */
  giveBack(at: number, bytes: number): void {
    const length = rounded(bytes);
    this.free += length;
    let i = 0;
    while (i < this.#at.length && this.#at[i] < at) i++;
    const joinsLast = i > 0 && this.#at[i - 1] + this.#bytes[i - 1] === at;
    const joinsNext = i < this.#at.length && at + length === this.#at[i];
    if (joinsLast && joinsNext) {
      this.#bytes[i - 1] += length + this.#bytes[i];
      this.#at.splice(i, 1);
      this.#bytes.splice(i, 1);
    } else if (joinsLast) this.#bytes[i - 1] += length;
    else if (joinsNext) {
      this.#at[i] = at;
      this.#bytes[i] += length;
    } else {
      this.#at.splice(i, 0, at);
      this.#bytes.splice(i, 0, length);
    }
  }
}
