/**
 * What the event loop offers, on Deno, Node and in browsers alike: a timer that does not keep the
 * process alive, the next round of the event loop, and something that does keep it alive.
 *
 * @module
 */

/** Handle of a platform timer: an object on Deno and Node, a number in browsers. */
interface Refable {
  ref?(): unknown;
  unref?(): unknown;
}

interface Platform {
  setTimeout(callback: () => void, delay_ms: number): number & Refable;
  setInterval(callback: () => void, delay_ms: number): number & Refable;
  clearTimeout(handle: number): void;
  clearInterval(handle: number): void;
  setImmediate?(callback: () => void): Refable;
  clearImmediate?(handle: Refable): void;
}

const host = globalThis as unknown as Platform;
/** Longest delay of a timer. */
const DELAY_MAX_MS = 0x7fffffff;

/** A timer that was set. */
export interface TimerHandle {
  /** Stops it. */
  cancel(): void;
}

/** Calls `callback` after `delay_ms`, without keeping the process alive; 0 is the next round. */
export function after(delay_ms: number, callback: () => void): TimerHandle {
  if (delay_ms <= 0) {
    let cancelled = false;
    soon(() => cancelled || callback());
    return { cancel: () => void (cancelled = true) };
  }
  const handle = host.setTimeout(callback, Math.min(Math.ceil(delay_ms), DELAY_MAX_MS));
  handle.unref?.();
  return { cancel: () => host.clearTimeout(handle) };
}

/** Deadlines nearer than this are reached by turns of the event loop: timers are too coarse. */
const SPIN_US = 1000;

/** One timer, which is set to earlier times only. */
export class Alarm {
  readonly #callback: () => void;
  #timer: TimerHandle | undefined = undefined;
  #at_us = Infinity;

  /** Calls `callback` when its time has come; it is not set. */
  constructor(callback: () => void) {
    this.#callback = callback;
  }

  /** When it fires; `Infinity` if it is not set. */
  get at_us(): number {
    return this.#at_us;
  }

  /** Sets it to `at_us`, unless it fires before. */
  set(now_us: number, at_us: number): void {
    if (at_us >= this.#at_us) return;
    this.clear();
    this.#at_us = at_us;
    const delay_us = at_us - now_us;
    this.#timer = after(delay_us < SPIN_US ? 0 : delay_us / 1000, () => {
      this.#timer = undefined;
      this.#at_us = Infinity;
      this.#callback();
    });
  }

  /** Stops it. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at_us = Infinity;
  }
}

const resolved: Promise<void> = Promise.resolve();

/** Calls `callback`, which must not throw, when the running code has ended; faster than others. */
export function microtask(callback: () => void): void {
  resolved.then(callback);
}

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/** Calls `callback` in the next round of the event loop. */
export function soon(callback: () => void): void {
  if (host.setImmediate !== undefined) {
    host.setImmediate(callback);
    return;
  }
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  waiting.push(callback);
  channel.port2.postMessage(null);
}

/** Keeps the process alive while it is held. Holding and releasing again and again is cheap. */
export class Anchor {
  #interval: (number & Refable) | undefined = undefined;
  #held = false;
  #checking = false;
  #dropped = false;

  /** From now on the process lives. */
  hold(): void {
    if (this.#held || this.#dropped) return;
    this.#held = true;
    if (this.#interval === undefined) this.#interval = host.setInterval(() => {}, DELAY_MAX_MS);
    else this.#interval.ref?.();
  }

  /** Lets go in the next round of the event loop, if `free` then says so. */
  release(free: () => boolean): void {
    if (this.#checking || !this.#held) return;
    this.#checking = true;
    soon(() => {
      this.#checking = false;
      if (!this.#held || !free()) return;
      this.#held = false;
      this.#interval?.unref?.();
    });
  }

  /** Lets go for good. */
  drop(): void {
    this.#dropped = true;
    this.#held = false;
    if (this.#interval !== undefined) host.clearInterval(this.#interval);
    this.#interval = undefined;
  }
}
