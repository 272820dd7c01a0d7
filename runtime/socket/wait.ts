/**
 * What a wait is: for which events of a socket, until when, and what is done when it ends.
 *
 * @module
 */

import type { Timed } from "./deadlines.ts";

/** A wait ended because its time was over. */
export const TIMED_OUT = 0;
/** A wait ended because its AbortSignal said so. */
export const INTERRUPTED = -1;
/** A wait ended because the descriptor was closed. */
export const CLOSED = -2;

/** What the waiting half needs of the loop. */
export interface Scheduler {
  /** Time of the stack's clock in microseconds. */
  now_us(): number;
  /** Before a call that may send: sets the engine's clock. */
  enter(): void;
  /** Something happened: take a turn soon. */
  kick(): void;
  /** The same after a call that began with `enter`. */
  sent(): void;
  /** The same after a call that began with `enter` and sent a message. */
  posted(bytes: number): void;
  /** The same after a call that began with `enter` and begins or ends a connection. */
  told(): void;
  /** The same after a call that rarely makes work: look first, cheaply. */
  touch(): void;
  /** A wait with this deadline has begun. */
  sleepUntil(deadline_us: number): void;
  /** Somebody waits: the process must live on. */
  hold(): void;
  /** Nobody waits any more. */
  release(): void;
}

/** The part of a socket that waiting needs. */
export interface Waitable {
  /** Address of its struct Socket; 0 for a wait on time alone. */
  readonly ptr: number;
  /** First of those that wait on it. */
  waiters: Wait | undefined;
  /** True if waiting on it keeps the process alive. */
  refd: boolean;
}

/** A socket and the Ev bits waited for. */
export interface WaitTarget {
  /** The socket. */
  readonly so: Waitable;
  /** Ev bits. */
  readonly mask: number;
}

/** One wait on one socket. */
export abstract class Wait implements Timed {
  timeout_us = Infinity;
  deadline_us = Infinity;
  place = -1;
  next: Wait | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** The wait counts among those that keep the process alive. */
  held = false;
  resolve: (result: never) => void = nobody;
  reject: (error: unknown) => void = nobody;

  constructor(readonly so: Waitable, readonly mask: number) {}

  /**
   * Tries when an event came (`result` above 0), or ends the call when none did (TIMED_OUT,
   * INTERRUPTED, CLOSED). Answers EAGAIN negated to go on waiting, and else what is settled.
   */
  abstract retry(result: number): number;

  /** What the caller gets; throws what it is to catch. */
  abstract finish(got: number): unknown;
}

/** The wait of somebody who only asks for the event, or how the wait ended. */
export class EventWait extends Wait {
  /** Nothing to try. */
  override retry(result: number): number {
    return result;
  }

  /** The same. */
  override finish(got: number): number {
    return got;
  }
}

function nobody(): void {}
