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

/** Another clock, set forward: a stack that was restored goes on from the time of its snapshot. */
export class ShiftedClock implements Clock {
  /** As the other clock. */
  readonly manual: boolean;
  readonly #clock: Clock;
  readonly #shift_us: number;

  /** Shows the time of `clock`, moved on so that it is at least `from_us` now. */
  constructor(clock: Clock, from_us: number) {
    this.#clock = clock;
    this.#shift_us = Math.max(0, from_us - clock.now_us());
    this.manual = clock.manual;
  }

  /** The time of the other clock and the shift. */
  now_us(): number {
    return this.#clock.now_us() + this.#shift_us;
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
