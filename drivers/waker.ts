/**
 * Wakes the stack for frames that the host hands over one by one. The first frame wakes it at
 * once, so that an answer waits for nothing; those that come in the same round of the event loop
 * wait for its end, so that the stack takes them in one batch. That saves a fifth of the CPU time
 * of bulk data, and costs no round trip.
 *
 * @module
 */

/** Calls at the end of the event loop's round; answers what takes the call back. */
type AtEnd = (fn: () => void) => () => void;

/** The host's, if it has one: a browser has not, and its stack is woken for each frame. */
function atEndOfHost(): AtEnd | undefined {
  const host = globalThis as unknown as {
    setImmediate?(fn: () => void): unknown;
    clearImmediate?(id: unknown): void;
  };
  const { setImmediate, clearImmediate } = host;
  if (!setImmediate || !clearImmediate) return undefined;
  return (fn) => {
    const id = setImmediate(fn);
    return () => clearImmediate(id);
  };
}

/** Wakes one stack. */
export class Waker {
  readonly #wake: () => void;
  readonly #atEnd: AtEnd | undefined;
  /** Takes the call back that comes at the end of this round. */
  #cancel: (() => void) | undefined = undefined;
  #missed = false;

  /**
   * @param wake wakes the stack
   * @param atEnd calls at the end of a round; the host's own unless told
   */
  constructor(wake: () => void, atEnd: AtEnd | undefined = atEndOfHost()) {
    this.#wake = wake;
    this.#atEnd = atEnd;
  }

  /** A frame has come; an urgent one must be taken now, as the next may have no room. */
  arrived(urgent: boolean): void {
    if (this.#cancel !== undefined && !urgent) {
      this.#missed = true;
      return;
    }
    this.#wake();
    this.#missed = false;
    if (this.#atEnd !== undefined) this.#cancel ??= this.#atEnd(() => this.#end());
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#missed = false;
  }

  #end(): void {
    this.#cancel = undefined;
    if (!this.#missed) return;
    // What comes in the next round is likely to be more of the same: it is gathered too.
    this.arrived(false);
  }
}
