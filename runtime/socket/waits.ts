/**
 * Waiting for events of sockets: who waits for what, until when, and what wakes them. Interest in
 * an event is told to the engine once (`so_want`) and the engine reports it once (`ev_drain`).
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import type { Engine } from "../engine.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { Deadlines } from "./deadlines.ts";
import { CLOSED, EventWait, INTERRUPTED, type Scheduler, TIMED_OUT } from "./wait.ts";
import type { Wait, Waitable, WaitTarget } from "./wait.ts";

/** Where in the scratch area events are drained to: behind the records of requests. */
const EVENTS_AT = 2048;
const SCRATCH_BYTES = 4096;
const EVENT_BYTES = 8;
/** The word of a socket that holds both kinds of Ev bits: wanted, and to be reported. */
const EVENTS = layout.Socket.evwant & ~3;
const WANT_SHIFT = 8 * (layout.Socket.evwant & 3);
/** Events taken by one call. */
const EVENTS_MAX = Math.min(Limits.EVENT_BATCH, (SCRATCH_BYTES - EVENTS_AT) / EVENT_BYTES);

/** All waits of a stack. */
export class Waits {
  readonly #engine: Engine;
  readonly #find: (ptr: number) => Waitable | undefined;
  readonly #deadlines: Deadlines<Wait> = new Deadlines();
  readonly #sleepers: Waitable = { ptr: 0, waiters: undefined, refd: true };
  #scheduler: Scheduler | undefined = undefined;
  #ended = false;
  #pending = 0;

  /** @param find the socket at an address, if the runtime has a descriptor for it */
  constructor(engine: Engine, find: (ptr: number) => Waitable | undefined) {
    this.#engine = engine;
    this.#find = find;
  }

  /** Gives the waits their loop; before the first wait. */
  begin(scheduler: Scheduler): void {
    this.#scheduler = scheduler;
  }

  /** The loop. */
  get scheduler(): Scheduler {
    return this.#scheduler!;
  }

  /** Waits under way that keep the process alive. */
  get pending(): number {
    return this.#pending;
  }

  /** Earliest deadline of a wait in microseconds, or `Infinity`. */
  get next_us(): number {
    return this.#deadlines.next_us;
  }

  /**
   * Waits for an event of `mask`, for at most `timeout_us` microseconds unless that is 0.
   *
   * @returns the events that came, or TIMED_OUT, INTERRUPTED or CLOSED
   */
  wait(so: Waitable, mask: number, timeout_us = 0, signal?: AbortSignal): Promise<number> {
    return this.work(new EventWait(so, mask), false, timeout_us, signal);
  }

  /**
   * Waits as `wait` says, each time for at most `timeout_us` microseconds unless that is 0. What it
   * does is tried where the event is reported, so that a call which waits once costs one promise.
   *
   * @param quiet what is waited for is known not to be true yet
   */
  work<T>(
    wait: Wait & { finish(got: number): T },
    quiet: boolean,
    timeout_us: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#begin(wait, quiet, resolve, reject);
      if (timeout_us !== 0 || signal !== undefined || this.#ended) {
        this.#limit(wait, timeout_us === 0 ? Infinity : timeout_us, signal);
      }
    });
  }

  /** Waits for any event of any target, for at most `timeout_us` microseconds. */
  waitAny(
    targets: readonly WaitTarget[],
    timeout_us: number,
    signal?: AbortSignal,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const waits: Wait[] = [];
      const leave = () => waits.forEach((wait) => this.#leave(wait));
      const done = (result: number) => {
        leave();
        resolve(result);
      };
      const fail = (error: unknown) => {
        leave();
        reject(error);
      };
      for (const { so, mask } of targets) {
        waits.push(this.#begin(new EventWait(so, mask), false, done, fail));
      }
      const timer = this.#begin(new EventWait(this.#sleepers, 0), true, done, fail);
      waits.push(timer);
      this.#limit(timer, timeout_us, signal);
    });
  }

  /** Wakes those whose events the engine reports; answers how many events there were. */
  dispatch(): number {
    const { calls, scratch, u32 } = this.#engine;
    const events = scratch + EVENTS_AT;
    let total = 0;
    for (;;) {
      const count = calls.ev_drain(events, EVENTS_MAX);
      for (let i = 0; i < count; i++) {
        const word = (events + i * EVENT_BYTES) >>> 2;
        const so = this.#find(u32[word]);
        if (so !== undefined) this.#wake(so, u32[word + 1]);
      }
      total += count;
      if (count < EVENTS_MAX) return total;
    }
  }

  /** Ends the waits whose time is over; answers how many. */
  expire(now_us: number): number {
    let count = 0;
    for (;;) {
      const wait = this.#deadlines.takeDue(now_us);
      if (wait === undefined) return count;
      this.#done(wait, TIMED_OUT);
      count++;
    }
  }

  /** Ends all waits on a socket that is being closed. */
  close(so: Waitable): void {
    while (so.waiters !== undefined) this.#done(so.waiters, CLOSED);
  }

  /** The stack is closed: ends the waits on time alone, now and later. */
  end(): void {
    this.#ended = true;
    this.close(this.#sleepers);
  }

  /** Ends all waits on a socket, or those on time alone, with an exception. */
  fail(error: unknown, so: Waitable = this.#sleepers): void {
    while (so.waiters !== undefined) {
      const wait = so.waiters;
      this.#leave(wait);
      wait.reject(error);
    }
  }

  /** Says whether the waits on a socket, now and later, keep the process alive. */
  setRef(so: Waitable, refd: boolean): void {
    so.refd = refd;
    for (let wait = so.waiters; wait !== undefined; wait = wait.next) {
      if (wait.held === refd) continue;
      wait.held = refd;
      this.#count(refd ? 1 : -1);
    }
  }

  #begin(
    wait: Wait,
    quiet: boolean,
    resolve: (result: never) => void,
    reject: (error: unknown) => void,
  ): Wait {
    const { so } = wait;
    wait.resolve = resolve;
    wait.reject = reject;
    this.#join(wait);
    if (so.refd) {
      wait.held = true;
      this.#count(1);
    }
    if (!quiet) this.#want(so);
    // Of what is not true yet the engine need only know that it is wanted.
    else if (so.ptr !== 0) this.#engine.u32[(so.ptr + EVENTS) >>> 2] |= wait.mask << WANT_SHIFT;
    return wait;
  }

  /** Puts a wait behind the others of its socket: who came first is woken first. */
  #join(wait: Wait): void {
    const { so } = wait;
    let last = so.waiters;
    if (last === undefined || so.ptr === 0) {
      wait.next = last;
      so.waiters = wait;
      return;
    }
    while (last.next !== undefined) last = last.next;
    last.next = wait;
  }

  #limit(wait: Wait, timeout_us: number, signal: AbortSignal | undefined): void {
    if (this.#ended) return this.#done(wait, CLOSED);
    wait.signal = signal;
    if (signal?.aborted) return this.#done(wait, INTERRUPTED);
    if (signal !== undefined) {
      wait.onAbort = () => this.#done(wait, INTERRUPTED);
      signal.addEventListener("abort", wait.onAbort);
    }
    if (timeout_us === Infinity) return;
    wait.timeout_us = timeout_us;
    wait.deadline_us = this.scheduler.now_us() + timeout_us;
    this.#deadlines.add(wait);
    this.scheduler.sleepUntil(wait.deadline_us);
  }

  /** Tells the engine all that anybody waits for on a socket. */
  #want(so: Waitable): void {
    let mask = 0;
    for (let wait = so.waiters; wait !== undefined; wait = wait.next) mask |= wait.mask;
    this.#engine.calls.so_want(so.ptr, mask);
    // What is true already was put on the event list, and only a turn takes it from there.
    if (field.getU16(this.#engine, so.ptr, layout.Socket.evpending) !== 0) this.scheduler.kick();
  }

  #wake(so: Waitable, events: number): void {
    let wait = so.waiters;
    while (wait !== undefined) {
      const { next }: Wait = wait;
      const news = wait.mask & events;
      if (news !== 0) this.#done(wait, news);
      wait = next;
    }
    if (so.waiters !== undefined) this.#want(so);
  }

  /** Ends a wait, unless it wants to go on after an event. */
  #done(wait: Wait, result: number): void {
    try {
      const got = wait.retry(result);
      if (got === -Errno.EAGAIN && result > 0) return this.#extend(wait);
      this.#leave(wait);
      wait.resolve(wait.finish(got) as never);
    } catch (error) {
      this.#leave(wait);
      wait.reject(error);
      // What ends the engine is told to everybody else, too.
      if (this.#engine.panic !== undefined) throw error;
    }
  }

  /** A wait goes on; a timeout counts from each beginning. */
  #extend(wait: Wait): void {
    if (wait.timeout_us === Infinity) return;
    this.#deadlines.remove(wait);
    wait.deadline_us = this.scheduler.now_us() + wait.timeout_us;
    this.#deadlines.add(wait);
    this.scheduler.sleepUntil(wait.deadline_us);
  }

  /** Takes a wait off its socket and off the clock; nothing happens the second time. */
  #leave(wait: Wait): void {
    const { so } = wait;
    if (so.waiters === wait) so.waiters = wait.next;
    else {
      let before = so.waiters;
      while (before !== undefined && before.next !== wait) before = before.next;
      if (before === undefined) return;
      before.next = wait.next;
    }
    this.#deadlines.remove(wait);
    if (wait.onAbort !== undefined) wait.signal!.removeEventListener("abort", wait.onAbort);
    if (wait.held) this.#count(-1);
  }

  #count(change: 1 | -1): void {
    this.#pending += change;
    if (change === 1 && this.#pending === 1) this.scheduler.hold();
    if (change === -1 && this.#pending === 0) this.scheduler.release();
  }
}
