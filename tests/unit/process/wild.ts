/** A program that is not one of ours, for tests: it writes what it wants to its ring. */

import { holdLock } from "../../../runtime/process/locks.ts";
import { Presence, RESULT, type RingHandle, RingMemory } from "../../../runtime/process/ring.ts";
import { SlotWord, State, Word } from "../../../runtime/process/ring.ts";
import { until } from "./kit.ts";

/** A program that does with its ring what it wants. */
export class Wild {
  readonly memory: RingMemory;
  readonly words: Int32Array<SharedArrayBuffer>;
  #submitted = 0;

  constructor(readonly handle: RingHandle) {
    this.memory = new RingMemory(handle);
    this.words = this.memory.words;
  }

  /** Says that it holds its lock, and holds it. */
  async appear(): Promise<() => Promise<void>> {
    const release = await holdLock(this.handle.clientLock)!;
    Atomics.store(this.words, Word.PRESENCE, Presence.LOCKED);
    return release;
  }

  /** Fills a slot. */
  fill(slot: number, op: number, numbers: readonly number[], areaAt = 0, areaLength = 0): void {
    const word = this.memory.slotWord(slot);
    this.words[word + SlotWord.OP] = op;
    this.words[word + SlotWord.AREA_AT] = areaAt;
    this.words[word + SlotWord.AREA_LENGTH] = areaLength;
    this.words[word + SlotWord.TEXT_LENGTH] = 0;
    numbers.forEach((n, i) => this.memory.numbers[this.memory.slotNumber(slot) + i] = n);
    Atomics.store(this.words, word, State.SUBMITTED);
  }

  push(entry: number): void {
    const { submitted, mask } = this.memory;
    this.words[submitted + (this.#submitted++ & mask)] = entry;
    Atomics.store(this.words, Word.SUBMITTED, this.#submitted);
    this.ring();
  }

  ring(): void {
    Atomics.add(this.words, Word.BELL, 1);
    Atomics.notify(this.words, Word.BELL);
  }

  async call(op: number, numbers: readonly number[], areaAt = 0, areaLength = 0) {
    const word = this.memory.slotWord(1);
    this.fill(1, op, numbers, areaAt, areaLength);
    this.push(1);
    await until(() => Atomics.load(this.words, word) === State.DONE);
    const result = this.memory.numbers[this.memory.slotNumber(1) + RESULT];
    return { error: this.words[word + SlotWord.ERROR], result };
  }
}
