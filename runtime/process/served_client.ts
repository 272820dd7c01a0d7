/**
 * One program as the stack's side sees it: its ring, its calls, its descriptors, and its end.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { EnginePanic, SocketError } from "../errors.ts";
import { soon } from "../loop_timers.ts";
import type { Syscalls } from "../socket/syscalls.ts";
import { Descriptors } from "./descriptors.ts";
import { watchLock } from "./locks.ts";
import { Patience } from "./patience.ts";
import { CANCEL, Closed, Presence, SlotWord, State, Word } from "./ring.ts";
import { type RingHandle, RingMemory } from "./ring.ts";
import { HANDLERS } from "./serve_calls.ts";
import { type CallOwner, ServedCall } from "./served_call.ts";

/** Entries taken from one ring before others get their turn. */
const ENTRIES_A_LOOK = 64;

/** What a program has done, and why it has gone. */
export interface ClientStats {
  /** Calls carried out. */
  calls: number;
  /** Of those, calls whose arguments were impossible, so that no program of ours makes them. */
  faults: number;
}

/** How a program is served. */
export interface ClientOptions {
  readonly sys: Syscalls;
  readonly descriptors: number;
  readonly privileged: boolean;
  readonly poll_us: number;
  /** Told once, when it has gone and its sockets are closed. */
  readonly gone: (client: ServedClient, why: Gone) => void;
}

/** Why a program has gone. */
export type Gone = "closed" | "died" | "dropped" | "hostile";

/** A program and its sockets. */
export class ServedClient implements CallOwner {
  readonly handle: RingHandle;
  readonly sys: Syscalls;
  readonly memory: RingMemory;
  readonly fds: Descriptors;
  readonly privileged: boolean;
  readonly rechecks: Set<ServedCall> = new Set();
  readonly stats: ClientStats = { calls: 0, faults: 0 };
  readonly #options: ClientOptions;
  readonly #calls: (ServedCall | undefined)[] = [];
  readonly #look = (): void => this.look();
  readonly #woken = (): void => {
    Atomics.store(this.memory.words, Word.SERVER_ASLEEP, 0);
    this.look();
  };
  #taken = 0;
  readonly #patience: Patience;
  #unwatch: (() => Promise<void>) | undefined = undefined;
  #dropped = false;
  #ending: Promise<void> | undefined = undefined;

  /** Serves the program with this handle. */
  constructor(handle: RingHandle, options: ClientOptions) {
    this.handle = handle;
    this.#options = options;
    this.#patience = new Patience(options.poll_us);
    this.sys = options.sys;
    this.memory = new RingMemory(handle);
    this.fds = new Descriptors(options.descriptors);
    this.privileged = options.privileged;
    soon(this.#look);
  }

  /** The program is gone. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** Calls that are under way. */
  get outstanding(): number {
    let count = 0;
    for (const call of this.#calls) if (call?.running) count++;
    return count;
  }

  /** Tells the program that the stack lives. */
  beat(): void {
    Atomics.add(this.memory.words, Word.BEAT, 1);
  }

  /** Carries out what was submitted, and comes back, or sleeps until there is more. */
  look(): void {
    if (this.#dropped) return;
    const { words } = this.memory;
    if (Atomics.load(words, Word.CLOSED) !== Closed.OPEN) return this.drop("closed");
    const bell = Atomics.load(words, Word.BELL);
    this.#watch();
    const found = this.#drain();
    if (this.#dropped) return;
    if (found > 0) {
      this.#patience.end();
      this.#patience.begin();
    }
    if (found === ENTRIES_A_LOOK || this.#patience.lasts()) return soon(this.#look);
    Atomics.store(words, Word.SERVER_ASLEEP, 1);
    const slept = Atomics.waitAsync(words, Word.BELL, bell);
    if (slept.async) slept.value.then(this.#woken);
    else soon(this.#woken);
  }

  /** A call has ended. */
  ended(error: unknown): void {
    this.stats.calls++;
    const known = error === undefined || error instanceof SocketError;
    const fault = !known && !(error instanceof EnginePanic);
    if (fault || error instanceof SocketError && error.errno === Errno.EFAULT) this.stats.faults++;
  }

  /**
   * Ends the program's connection: its calls are interrupted, its sockets closed, and whoever waits
   * in it gets ENETDOWN.
   */
  drop(why: Gone): void {
    if (this.#dropped) return;
    this.#dropped = true;
    const { memory: { words }, memory } = this;
    Atomics.compareExchange(words, Word.CLOSED, Closed.OPEN, Closed.DROPPED);
    for (const call of this.#calls) call?.cancel();
    for (const fd of this.fds.clear()) this.#close(fd);
    for (let slot = 0; slot < memory.calls; slot++) {
      const word = memory.slotWord(slot);
      const state = Atomics.load(words, word);
      if (state !== State.SUBMITTED && state !== State.SLEEPING) continue;
      words[word + SlotWord.ERROR] = Errno.ENETDOWN;
      Atomics.store(words, word, State.DONE);
      Atomics.notify(words, word);
    }
    Atomics.add(words, Word.DONE_BELL, 1);
    Atomics.notify(words, Word.DONE_BELL);
    // Whoever waits for the bell here is to come back too.
    Atomics.add(words, Word.BELL, 1);
    Atomics.notify(words, Word.BELL);
    this.#ending = this.#unwatch?.();
    this.#options.gone(this, why);
  }

  /** Settled when nothing waits here any more. */
  async ending(): Promise<void> {
    await this.#ending;
  }

  #close(fd: number): void {
    try {
      this.sys.nb.close(fd);
    } catch {
      // A stack that was closed, or has stopped, has closed it already.
    }
  }

  /** Once the program has said that it holds its lock, the lock tells when it dies. */
  #watch(): void {
    if (this.#unwatch !== undefined) return;
    if (Atomics.load(this.memory.words, Word.PRESENCE) === Presence.NONE) return;
    this.#unwatch = watchLock(this.handle.clientLock, () => {
      // Who leaves in an orderly way says so before it lets its lock go.
      const open = Atomics.load(this.memory.words, Word.CLOSED) === Closed.OPEN;
      this.drop(open ? "died" : "closed");
    });
  }

  #drain(): number {
    const { words, mask, submitted } = this.memory;
    const count = (Atomics.load(words, Word.SUBMITTED) - this.#taken) | 0;
    if (count === 0) return 0;
    if (count < 0 || count > mask + 1 || this.#unwatch === undefined) {
      this.drop("hostile");
      return 0;
    }
    const taken = Math.min(count, ENTRIES_A_LOOK);
    for (let i = 0; i < taken && !this.#dropped; i++) {
      const entry = words[submitted + (this.#taken & mask)];
      this.#taken = (this.#taken + 1) | 0;
      this.#take(entry);
    }
    return taken;
  }

  #take(entry: number): void {
    const slot = entry & ~CANCEL;
    if (slot < 0 || slot >= this.memory.calls) return this.drop("hostile");
    if ((entry & CANCEL) !== 0) return this.#calls[slot]?.cancel();
    const call = this.#calls[slot] ??= new ServedCall(this, slot);
    if (!call.begin(HANDLERS)) this.drop("hostile");
  }
}
