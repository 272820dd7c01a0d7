/**
 * One call of a program as the stack's side sees it: what was asked, copied once and checked, and
 * the answer. A slot's object serves all calls of that slot.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { EnginePanic, errnoNote, SocketError } from "../errors.ts";
import type { WaitOptions } from "../socket/so_wait.ts";
import type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
import type { Syscalls } from "../socket/syscalls.ts";
import { Arg, Named } from "./arguments.ts";
import { encode, type Value } from "./codec.ts";
import type { Descriptors } from "./descriptors.ts";
import { AGAIN, AREA_BYTES, ARGUMENTS, Call, RESULT, SlotWord, State } from "./ring.ts";
import { isAsleep, type RingMemory, Word } from "./ring.ts";

/** What a call needs to know of its program. */
export interface CallOwner {
  readonly sys: Syscalls;
  readonly memory: RingMemory;
  readonly fds: Descriptors;
  /** It may change interfaces, routes and names, and open raw sockets. */
  readonly privileged: boolean;
  /** The program is gone. */
  readonly dropped: boolean;
  /** Waits that must look again at which sockets their descriptors are. */
  readonly rechecks: Set<ServedCall>;
  /** A call has ended. */
  ended(error: unknown): void;
}

/** Carries out a call; answers its result, or AGAIN. */
export type Handler = (call: ServedCall) => number | Promise<number>;

const EMPTY = new Uint8Array(0);

/** A call in a slot. */
export class ServedCall {
  /** The program that made it. */
  readonly owner: CallOwner;
  /** The arguments. */
  readonly numbers: Float64Array<ArrayBuffer> = new Float64Array(ARGUMENTS);
  /** Its part of the arena, which the program can write to at any time. */
  area: Uint8Array = EMPTY;
  /** The address, or what else is text. */
  text = "";
  /** It must answer AGAIN instead of waiting. */
  tries = false;
  /** It was submitted, and is not done. */
  running = false;
  #rechecked = false;
  #cancelled = false;
  #blocking = false;
  #controller: AbortController | undefined = undefined;
  #options: WaitOptions | undefined = undefined;
  readonly #slot: number;
  readonly #word: number;
  readonly #number: number;
  // Made once, so that a call makes none.
  readonly #finish = (result: number): void => this.finish(result);
  readonly #fail = (error: unknown): void => this.fail(error);

  /** The calls in slot number `slot`. */
  constructor(owner: CallOwner, slot: number) {
    this.owner = owner;
    this.#slot = slot;
    this.#word = owner.memory.slotWord(slot);
    this.#number = owner.memory.slotNumber(slot);
  }

  /** How a call that waits can be interrupted. */
  get options(): WaitOptions {
    if (this.#options === undefined) {
      this.#controller = new AbortController();
      this.#options = { signal: this.#controller.signal };
    }
    return this.#options;
  }

  /** The descriptor of the stack that the program means. */
  fd(syscall: string): number {
    return this.owner.fds.get(this.numbers[Arg.FD], syscall);
  }

  /** The address given; `undefined` for none. */
  get name(): SockAddrInit | undefined {
    const named = this.numbers[Arg.NAMED];
    if ((named & Named.GIVEN) === 0) return undefined;
    // No name of an interface has the end of a line in it.
    const end = (named & Named.IFNAME) === 0 ? -1 : this.text.indexOf("\n");
    return {
      family: (named & Named.FAMILY) === 0 ? undefined : this.numbers[Arg.FAMILY],
      address: (named & Named.TEXT) === 0 ? undefined : this.text.slice(end + 1),
      path: (named & Named.PATH) === 0 ? undefined : this.text,
      port: (named & Named.PORT) === 0 ? undefined : this.numbers[Arg.PORT],
      interface: end >= 0
        ? this.text.slice(0, end)
        : (named & Named.INTERFACE) === 0
        ? undefined
        : this.numbers[Arg.INTERFACE],
    };
  }

  /** Begins the call that was submitted; false if there is none in the slot. */
  begin(handlers: readonly (Handler | undefined)[]): boolean {
    const { memory } = this.owner;
    const { words } = memory;
    const state = Atomics.load(words, this.#word);
    if (this.running || state !== State.SUBMITTED && state !== State.SLEEPING) return false;
    this.running = true;
    const flags = words[this.#word + SlotWord.FLAGS];
    this.#blocking = (flags & Call.BLOCKING) !== 0;
    this.tries = (flags & Call.TRY) !== 0;
    for (let i = 0; i < ARGUMENTS; i++) this.numbers[i] = memory.numbers[this.#number + i];
    try {
      this.#takeArea();
      const text = memory.text(this.#slot);
      if (text === undefined) throw new SocketError(Errno.EFAULT, "call", "an impossible text");
      this.text = text;
      const op = words[this.#word + SlotWord.OP];
      const handler = handlers[op];
      if (handler === undefined) throw new SocketError(Errno.EINVAL, "call", `no call ${op}`);
      const result = handler(this);
      if (typeof result === "number") this.finish(result);
      else result.then(this.#finish, this.#fail);
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  /** Interrupts the call if it waits. */
  cancel(): void {
    if (!this.running) return;
    this.#cancelled = true;
    this.#controller?.abort();
  }

  /** Lets a wait look again at what its descriptors are. */
  recheck(): void {
    this.#rechecked = true;
    this.#controller?.abort();
  }

  /** True if the wait ended only to look again; then it can be waited anew. */
  takeRecheck(): boolean {
    if (!this.#rechecked || this.#cancelled) return false;
    this.#rechecked = false;
    this.#forgetSignal();
    return true;
  }

  /** Puts an address into the answer. */
  answerName(name: SockAddr | undefined): void {
    this.owner.memory.putName(this.#slot, name);
  }

  /** Puts a value into the program's part of the arena; answers its length. */
  answerValue(value: Value): number {
    return encode(value, this.area);
  }

  /** Answers a result, or AGAIN. */
  finish(result: number): void {
    const { memory } = this.owner;
    memory.words[this.#word + SlotWord.ERROR] = result === AGAIN ? AGAIN : 0;
    memory.numbers[this.#number + RESULT] = result;
    this.#done(undefined);
  }

  /** Answers an error. */
  fail(error: unknown): void {
    const { memory } = this.owner;
    const { errno, syscall, words } = describe(error);
    memory.words[this.#word + SlotWord.ERROR] = errno;
    memory.putText(this.#slot, `${syscall}\n${words}`);
    this.#done(error);
  }

  #done(error: unknown): void {
    this.running = false;
    this.#rechecked = false;
    this.#cancelled = false;
    this.area = EMPTY;
    if (this.#controller?.signal.aborted) this.#forgetSignal();
    const { memory } = this.owner;
    const { words } = memory;
    const before = Atomics.exchange(words, this.#word, State.DONE);
    if (this.#blocking) {
      if (before === State.SLEEPING) Atomics.notify(words, this.#word);
    } else {
      const at = words[Word.COMPLETED];
      words[memory.completed + (at & memory.mask)] = this.#slot;
      Atomics.store(words, Word.COMPLETED, (at + 1) | 0);
      Atomics.add(words, Word.DONE_BELL, 1);
      if (isAsleep(words, Word.CLIENT_ASLEEP)) Atomics.notify(words, Word.DONE_BELL);
    }
    this.owner.ended(error);
  }

  #forgetSignal(): void {
    this.#controller = undefined;
    this.#options = undefined;
  }

  #takeArea(): void {
    const { words, arena, arenaBytes, bytes } = this.owner.memory;
    const at = words[this.#word + SlotWord.AREA_AT];
    const length = words[this.#word + SlotWord.AREA_LENGTH];
    if (length === 0) {
      this.area = EMPTY;
      return;
    }
    const fits = at >= 0 && length > 0 && length <= AREA_BYTES && at + length <= arenaBytes;
    if (!fits) throw new SocketError(Errno.EFAULT, "call", "data outside of the arena");
    this.area = new Uint8Array(bytes.buffer, arena + at, length);
  }
}

/** An error in the words of a call. */
function describe(error: unknown): { errno: number; syscall: string; words: string } {
  if (error instanceof SocketError) {
    const { errno, syscall, code, message } = error;
    const words = message.slice(`${syscall}: ${code}: `.length);
    return { errno, syscall, words: words === errnoNote(errno) ? "" : words };
  }
  const words = error instanceof Error ? error.message : "";
  if (error instanceof EnginePanic) {
    return { errno: Errno.ENETDOWN, syscall: "call", words: `the stack has stopped: ${words}` };
  }
  return { errno: Errno.EINVAL, syscall: "call", words };
}
