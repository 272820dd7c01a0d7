/**
 * A program's end of a ring: puts requests into slots and takes answers out, for calls that are
 * awaited and for calls that block the thread.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { soon } from "../loop_timers.ts";
import type { SockAddr } from "../socket/sockaddr.ts";
import { Arena } from "./arena.ts";
import { isLocal } from "./local.ts";
import { Patience } from "./patience.ts";
import { interrupted, type Pending, type Request } from "./request.ts";
import { AGAIN, AREA_BYTES, Call, CANCEL, Closed, endRing, RESULT } from "./ring.ts";
import { isAsleep, type RingHandle, RingMemory, SlotWord, State, Word } from "./ring.ts";

/** The slot and the part of the arena that blocking calls use. */
const BLOCKING_SLOT = 0;
const BLOCKING_AREA = 0;
/** A thread that blocks looks up this often, whether the stack still lives. */
const SLICE_MS = 1000;

/** How a program waits for answers. */
export interface LinkOptions {
  /** How long to look for an answer before the thread sleeps, in µs. */
  readonly spin_us: number;
  /** How long the stack may show no sign of life to a thread that blocks. */
  readonly silence_ms: number;
}

/** A program's end of a ring. */
export class Link {
  readonly #handle: RingHandle;
  readonly #memory: RingMemory;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #arena: Arena;
  readonly #options: LinkOptions;
  /** Slots to use. */
  readonly #free: number[] = [];
  readonly #pending: (Pending | undefined)[] = [];
  /** Requests that wait for a slot or for room, in order. */
  #queue: Pending[] = [];
  #outstanding = 0;
  #submitted = 0;
  #taken = 0;
  #listening = false;
  /** For answers to calls that block, by call, and to those that are awaited. */
  readonly #blocking: Patience[] = [];
  readonly #awaited: Patience;
  #closed: string | undefined = undefined;
  /** The reply that is being taken. */
  #slot = 0;
  readonly #name = (): SockAddr | undefined => this.#memory.name(this.#slot);

  /** The program's end of a handle's ring. */
  constructor(handle: RingHandle, options: LinkOptions) {
    this.#handle = handle;
    this.#memory = new RingMemory(handle);
    this.#words = this.#memory.words;
    this.#arena = new Arena(AREA_BYTES, handle.arenaBytes - AREA_BYTES);
    this.#options = options;
    this.#awaited = new Patience(options.spin_us);
    for (let slot = handle.calls - 1; slot > BLOCKING_SLOT; slot--) this.#free.push(slot);
  }

  /** True once the connection has ended. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** True while less than half of the arena is free: what would wait is then only tried. */
  get scarce(): boolean {
    return this.#arena.free < this.#arena.total / 2;
  }

  /** Makes a request; the answer is awaited. `undefined` stands for AGAIN. */
  run<T>(request: Request<T>, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        request: request as Request<unknown>,
        resolve: resolve as (value: unknown) => void,
        reject,
        signal,
        onAbort: undefined,
        slot: -1,
        areaAt: 0,
      };
      if (this.#ended()) return reject(this.#refusal(request));
      if (this.#queue.length > 0 || !this.#submit(pending)) this.#queue.push(pending);
      if (signal !== undefined) this.#heed(pending, signal);
      if (this.#ended()) return this.end();
      this.#listen();
    });
  }

  /** Makes a request and blocks the thread until it is answered. */
  runBlocking<T>(request: Request<T>): T {
    if (this.#ended()) throw this.#refusal(request);
    if (isLocal(this.#handle.clientLock)) {
      const words = "a call that blocks the stack's own thread would wait for itself";
      throw new SocketError(Errno.EINVAL, request.syscall, words);
    }
    const area = this.#areaOf(BLOCKING_AREA, request.areaBytes);
    request.fill?.(area);
    this.#put(BLOCKING_SLOT, request as Request<unknown>, BLOCKING_AREA, Call.BLOCKING);
    this.#push(BLOCKING_SLOT);
    this.#block(request as Request<unknown>);
    try {
      return this.#take(BLOCKING_SLOT, request, area) as T;
    } finally {
      Atomics.store(this.#words, this.#memory.slotWord(BLOCKING_SLOT), State.FREE);
    }
  }

  /** Ends the connection: who waits for an answer gets ENETDOWN. */
  end(why = "the connection to the stack has ended"): void {
    this.#closed ??= why;
    endRing(this.#handle);
    const waiting = [...this.#queue, ...this.#pending];
    this.#queue = [];
    this.#pending.length = 0;
    for (const pending of waiting) {
      if (pending === undefined) continue;
      this.#unheed(pending);
      pending.reject(this.#refusal(pending.request));
    }
    this.#outstanding = 0;
    Atomics.add(this.#words, Word.DONE_BELL, 1);
    Atomics.notify(this.#words, Word.DONE_BELL);
  }

  #ended(): boolean {
    return this.#closed !== undefined || Atomics.load(this.#words, Word.CLOSED) !== Closed.OPEN;
  }

  #refusal({ syscall, as }: Request<unknown>): SocketError {
    const words = this.#closed ?? "the stack has dropped this program";
    return new SocketError(Errno.ENETDOWN, as ?? syscall, words);
  }

  /** Puts a request into a slot; false if there is none, or no room for its data. */
  #submit(pending: Pending): boolean {
    const { request } = pending;
    if (this.#free.length === 0) return false;
    if (request.areaBytes > 0) {
      const at = this.#arena.take(request.areaBytes);
      if (at < 0) return false;
      pending.areaAt = at;
    }
    const slot = this.#free.pop()!;
    try {
      request.fill?.(this.#areaOf(pending.areaAt, request.areaBytes));
    } catch (error) {
      this.#release(slot, pending);
      pending.reject(error);
      return true;
    }
    // What may wait for long leaves at least half of the arena to what is done at once.
    const tries = request.mayTry && this.scarce;
    request.tried = tries;
    pending.slot = slot;
    this.#pending[slot] = pending;
    this.#outstanding++;
    this.#put(slot, request, pending.areaAt, tries ? Call.TRY : 0);
    this.#push(slot);
    return true;
  }

  #put(slot: number, request: Request<unknown>, areaAt: number, flags: number): void {
    const memory = this.#memory;
    const word = memory.slotWord(slot);
    const at = memory.slotNumber(slot);
    const { words, numbers } = memory;
    words[word + SlotWord.OP] = request.op;
    words[word + SlotWord.AREA_AT] = areaAt;
    words[word + SlotWord.AREA_LENGTH] = request.areaBytes;
    words[word + SlotWord.FLAGS] = flags;
    for (let i = 0; i < request.numbers.length; i++) numbers[at + i] = request.numbers[i];
    memory.putText(slot, request.text);
    Atomics.store(words, word, State.SUBMITTED);
  }

  #push(entry: number): void {
    const words = this.#words;
    const { submitted, mask } = this.#memory;
    words[submitted + (this.#submitted & mask)] = entry;
    this.#submitted = (this.#submitted + 1) | 0;
    Atomics.store(words, Word.SUBMITTED, this.#submitted);
    Atomics.add(words, Word.BELL, 1);
    if (isAsleep(words, Word.SERVER_ASLEEP)) Atomics.notify(words, Word.BELL);
  }

  /** Sleeps until the blocking slot's call is done. Throws if the stack is gone. */
  #block(request: Request<unknown>): void {
    const words = this.#words;
    const word = this.#memory.slotWord(BLOCKING_SLOT);
    const { spin_us, silence_ms } = this.#options;
    const patience = this.#blocking[request.op] ??= new Patience(spin_us);
    patience.begin();
    while (Atomics.load(words, word) !== State.DONE && patience.lasts());
    patience.end();
    let beat = Atomics.load(words, Word.BEAT);
    let silent_ms = 0;
    while (Atomics.load(words, word) !== State.DONE) {
      if (this.#ended()) throw this.#refusal(request);
      const state = Atomics.compareExchange(words, word, State.SUBMITTED, State.SLEEPING);
      if (state === State.DONE) return;
      const slice_ms = Math.min(SLICE_MS, silence_ms);
      if (Atomics.wait(words, word, State.SLEEPING, slice_ms) !== "timed-out") continue;
      const now = Atomics.load(words, Word.BEAT);
      silent_ms = now === beat ? silent_ms + slice_ms : 0;
      beat = now;
      if (silent_ms >= silence_ms) this.end("the stack shows no sign of life");
    }
  }

  #heed(pending: Pending, signal: AbortSignal): void {
    const onAbort = () => this.#interrupt(pending);
    pending.onAbort = onAbort;
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
  }

  #unheed({ signal, onAbort }: Pending): void {
    if (onAbort !== undefined) signal!.removeEventListener("abort", onAbort);
  }

  /** Asks the stack to interrupt a call; one that is not there yet ends at once. */
  #interrupt(pending: Pending): void {
    if (pending.slot >= 0) {
      if (this.#pending[pending.slot] === pending) this.#push(pending.slot | CANCEL);
      return;
    }
    const at = this.#queue.indexOf(pending);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#unheed(pending);
    pending.reject(interrupted(pending));
  }

  /** Takes answers as they come, while any are awaited. */
  async #listen(): Promise<void> {
    if (this.#listening) return;
    this.#listening = true;
    const words = this.#words;
    const patience = this.#awaited;
    patience.begin();
    while (this.#outstanding > 0) {
      const bell = Atomics.load(words, Word.DONE_BELL);
      const found = this.#reap() > 0;
      if (this.#ended()) this.end();
      if (found) {
        patience.end();
        patience.begin();
      }
      if (this.#outstanding === 0) break;
      if (patience.lasts()) {
        await new Promise<void>(soon);
        continue;
      }
      Atomics.store(words, Word.CLIENT_ASLEEP, 1);
      const slept = Atomics.waitAsync(words, Word.DONE_BELL, bell);
      if (slept.async) await slept.value;
      Atomics.store(words, Word.CLIENT_ASLEEP, 0);
    }
    this.#listening = false;
  }

  /** Takes the answers that have come; answers how many. */
  #reap(): number {
    const words = this.#words;
    const { completed, mask } = this.#memory;
    const end = Atomics.load(words, Word.COMPLETED);
    let count = 0;
    for (; this.#taken !== end; count++) {
      const slot = words[completed + (this.#taken & mask)];
      this.#taken = (this.#taken + 1) | 0;
      const pending = this.#pending[slot];
      if (pending !== undefined) this.#settle(slot, pending);
    }
    if (count > 0) this.#pump();
    return count;
  }

  #settle(slot: number, pending: Pending): void {
    this.#pending[slot] = undefined;
    this.#outstanding--;
    this.#unheed(pending);
    const { request } = pending;
    try {
      pending.resolve(this.#take(slot, request, this.#areaOf(pending.areaAt, request.areaBytes)));
    } catch (error) {
      const { signal } = pending;
      const ended = error instanceof SocketError && error.errno === Errno.EINTR && signal?.aborted;
      pending.reject(ended ? interrupted(pending) : error);
    }
    this.#release(slot, pending);
  }

  #release(slot: number, { request, areaAt }: Pending): void {
    this.#words[this.#memory.slotWord(slot)] = State.FREE;
    this.#free.push(slot);
    if (request.areaBytes > 0) this.#arena.giveBack(areaAt, request.areaBytes);
  }

  /** Submits what has waited. */
  #pump(): void {
    let sent = 0;
    while (sent < this.#queue.length && this.#submit(this.#queue[sent])) sent++;
    if (sent > 0) this.#queue.splice(0, sent);
  }

  /** What the program gets of an answer; throws the error if it is one. */
  #take(slot: number, request: Request<unknown>, area: Uint8Array): unknown {
    const memory = this.#memory;
    const error = memory.words[memory.slotWord(slot) + SlotWord.ERROR];
    if (error === AGAIN) return undefined;
    if (error !== 0) {
      if (this.#ended()) throw this.#refusal(request);
      const [syscall, words] = (memory.text(slot) ?? "").split("\n");
      const { as } = request;
      const made = as ?? (syscall === "call" ? request.syscall : syscall);
      throw new SocketError(error, made, words === "" ? undefined : words);
    }
    this.#slot = slot;
    const result = memory.numbers[memory.slotNumber(slot) + RESULT];
    return request.take({ result, area, name: this.#name });
  }

  #areaOf(at: number, bytes: number): Uint8Array {
    const { arena, bytes: all } = this.#memory;
    return new Uint8Array(all.buffer, arena + at, bytes);
  }
}
