/**
 * Where a stack gets the time from. The engine never reads a clock: time is an argument of its
 * calls, so a stack on a `ManualClock` does the same in every run.
 *
 * @module
 */

/** A source of time, in microseconds from any beginning; it never goes back. */
export interface Clock {
  /** The time now, in microseconds. */
  now_us(): number;
  /**
   * True if the stack must not take turns by itself: whoever moves the clock calls `turn()`.
   * False if time passes without help.
   */
  readonly manual: boolean;
}

/** The machine's monotonic clock. */
export class RealClock implements Clock {
  /** Time passes by itself. */
  readonly manual = false;

  /** Microseconds since the program began. */
  now_us(): number {
    return performance.now() * 1000;
  }
}

/** A clock that stands still until it is moved: for tests and simulations. */
export class ManualClock implements Clock {
  /** Time is moved by hand. */
  readonly manual = true;
  #now_us: number;

  /** Begins at `start_us` microseconds. */
  constructor(start_us = 0) {
    this.#now_us = checkTime(start_us, 0);
  }

  /** The time that was set last. */
  now_us(): number {
    return this.#now_us;
  }

  /** Moves the clock forward by `us` microseconds; a `RangeError` if that is negative. */
  advance(us: number): void {
    this.#now_us = checkTime(this.#now_us + us, this.#now_us);
  }

  /** Sets the clock to `now_us`; a `RangeError` if that lies in the past. */
  set(now_us: number): void {
    this.#now_us = checkTime(now_us, this.#now_us);
  }
}

function checkTime(time_us: number, atLeast_us: number): number {
  if (!(time_us >= atLeast_us && time_us <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`a clock at ${atLeast_us} us cannot be set to ${time_us} us`);
  }
  return time_us;
}
