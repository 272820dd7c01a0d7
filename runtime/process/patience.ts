/**
 * How long to look for something before sleeping, which is quicker than to be woken where threads
 * have processors of their own and talk to each other without a pause. Elsewhere whoever looks
 * keeps the others from running, or what is looked for takes longer in any case: so what the last
 * looks have found decides whether there is another.
 *
 * @module
 */

/** Looks that are trusted to be of use, as many as may fail in a row. */
const SCORE_MAX = 8;
/** A look that finds something spares a wake-up, which takes about twice as long as a look. */
const SCORE_FOUND = 2;
/** Without luck, so many are left out before one is made to see whether that has changed. */
const LEFT_OUT = 15;

/** One thing that is looked for again and again. */
export class Patience {
  readonly #look_ms: number;
  readonly #now_ms: () => number;
  #score = SCORE_MAX;
  #leftOut = 0;
  #looks = false;
  #until_ms = 0;

  /** Looks take `look_us` at most; with 0 there are none. */
  constructor(look_us: number, now_ms: () => number = () => performance.now()) {
    this.#look_ms = look_us / 1000;
    this.#now_ms = now_ms;
  }

  /** Something is waited for from now on. */
  begin(): void {
    this.#looks = this.#look_ms > 0 && this.#isWorthIt();
    if (this.#looks) this.#until_ms = this.#now_ms() + this.#look_ms;
  }

  /** True if it is to be looked for once more, false if it is time to sleep. */
  lasts(): boolean {
    if (!this.#looks || this.#now_ms() < this.#until_ms) return this.#looks;
    this.#looks = false;
    this.#score = Math.max(0, this.#score - 1);
    return false;
  }

  /** It is there. */
  end(): void {
    if (this.#looks) this.#score = Math.min(SCORE_MAX, this.#score + SCORE_FOUND);
    this.#looks = false;
  }

  #isWorthIt(): boolean {
    if (this.#score > 0) return true;
    if (this.#leftOut++ < LEFT_OUT) return false;
    this.#leftOut = 0;
    return true;
  }
}
