/**
 * When to try again to reach a peer that was lost.
 *
 * @module
 */

import { wholeInRange } from "./options.ts";

/** How to try again. */
export interface ReconnectOptions {
  /** Milliseconds until the first try; 200 unless told. Each further wait is twice as long. */
  readonly first_ms?: number;
  /** Longest wait in milliseconds; 30,000 unless told. */
  readonly most_ms?: number;
  /** Tries in a row without a single frame received, until the interface goes down; no limit
   * unless told. */
  readonly attempts?: number;
  /** Numbers from 0 to 1 that spread the waits of many programs; `Math.random` unless told. */
  readonly random?: () => number;
}

const US_PER_MS = 1000;

/** Waits that grow, with a part left to chance so that many programs do not come all at once. */
export class Backoff {
  readonly #first_ms: number;
  readonly #most_ms: number;
  readonly #attempts: number;
  readonly #random: () => number;
  #tries = 0;

  /** `RangeError` for an option out of its range. */
  constructor(options: ReconnectOptions) {
    this.#first_ms = wholeInRange("first_ms", options.first_ms ?? 200, 1, 3_600_000);
    const most_ms = options.most_ms ?? Math.max(30_000, this.#first_ms);
    this.#most_ms = wholeInRange("most_ms", most_ms, this.#first_ms, 3_600_000);
    this.#attempts = options.attempts === undefined
      ? Infinity
      : wholeInRange("attempts", options.attempts, 1, 1_000_000);
    this.#random = options.random ?? Math.random;
  }

  /** Microseconds to wait before the next try: half to all of the wait; undefined to give up. */
  next_us(): number | undefined {
    if (this.#tries >= this.#attempts) return undefined;
    const wait_ms = Math.min(this.#most_ms, this.#first_ms * 2 ** Math.min(this.#tries, 32));
    this.#tries++;
    return wait_ms * US_PER_MS * (0.5 + 0.5 * this.#random());
  }

  /** The peer is there and has said something: the next loss begins anew. */
  reset(): void {
    this.#tries = 0;
  }
}

/** The back-off of an option `reconnect`; undefined if it is off. */
export function backoffOf(option: boolean | ReconnectOptions | undefined): Backoff | undefined {
  if (!option) return undefined;
  return new Backoff(option === true ? {} : option);
}
