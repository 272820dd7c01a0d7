/**
 * What a driver needs of a stack, without the stack: memory, batches of frames, a clock that only
 * moves when told, and a record of what the driver asked for.
 *
 * @module
 */

import type { FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import type { Schedule } from "../schedule.ts";

/** Bytes around each frame in the fake memory; they must keep this value. */
const GUARD = 0xa5;
const GUARD_BYTES = 64;

/** A clock that moves when told, and calls what was scheduled on its way. */
export class VirtualClock {
  /** What it says, in microseconds. */
  now_us = 1_000_000;
  readonly #timers: { due_us: number; fn: () => void }[] = [];

  /** For the `schedule` option of the drivers. */
  readonly schedule: Schedule = (delay_us, fn) => {
    const timer = { due_us: this.now_us + Math.max(0, delay_us), fn };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  };

  /** How many calls are scheduled. */
  get pending(): number {
    return this.#timers.length;
  }

  /** When the first call is due; Infinity if there is none. */
  get nextDue_us(): number {
    return Math.min(...this.#timers.map((timer) => timer.due_us));
  }

  /** Moves on, and calls what is due. */
  advance(by_us: number): void {
    const end_us = this.now_us + by_us;
    for (;;) {
      const due = this.#timers.filter((t) => t.due_us <= end_us);
      if (due.length === 0) break;
      const first = due.reduce((a, b) => (b.due_us < a.due_us ? b : a));
      this.#timers.splice(this.#timers.indexOf(first), 1);
      this.now_us = Math.max(this.now_us, first.due_us);
      first.fn();
    }
    this.now_us = end_us;
  }
}

/** Frames in the fake memory, with guard bytes before and after each. */
export class FakeBatch implements FrameBatch {
  /** Frames in the batch. */
  count: number;
  /** Their lengths, or room. */
  readonly lengths: number[];
  /** Lengths that the driver has set. */
  readonly set: (number | undefined)[];
  readonly #addresses: number[];

  /** The whole fake memory. */
  readonly memory: Uint8Array<ArrayBuffer>;

  /** Frames at these addresses, of these lengths. */
  constructor(memory: Uint8Array<ArrayBuffer>, addresses: number[], lengths: number[]) {
    this.memory = memory;
    this.count = lengths.length;
    this.#addresses = addresses;
    this.lengths = lengths;
    this.set = lengths.map(() => undefined);
  }

  /** Offset of frame `i`. */
  address(i: number): number {
    return this.#addresses[this.#check(i)];
  }

  /** Length of frame `i`, or the room in it. */
  length(i: number): number {
    return this.lengths[this.#check(i)];
  }

  /** Notes how long frame `i` is. */
  setLength(i: number, length: number): void {
    this.set[this.#check(i)] = length;
  }

  /** A view of frame `i`. */
  view(i: number): Uint8Array<ArrayBuffer> {
    const from = this.address(i);
    return this.memory.subarray(from, from + this.length(i));
  }

  #check(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.count) {
      throw new RangeError(`frame ${i} of a batch of ${this.count}`);
    }
    return i;
  }
}

/** An interface with nothing above it. */
export class FakeIfnet implements Ifnet {
  /** Its name. */
  readonly name: string;
  /** Its index. */
  readonly index = 1;
  /** Its hardware address. */
  readonly hwaddr: Uint8Array<ArrayBuffer>;
  /** Where frames lie. */
  readonly memory: Uint8Array<ArrayBuffer> = new Uint8Array(2 << 20);
  /** What its time is told by. */
  readonly clock: VirtualClock;
  /** How often the driver called `wake`. */
  wakes = 0;
  /** Reasons with which the driver called `down`. */
  downs: string[] = [];

  /** An interface of this name; the last byte of its hardware address is 1 unless told. */
  constructor(name: string, clock: VirtualClock = new VirtualClock(), lastByte = 1) {
    this.name = name;
    this.clock = clock;
    this.hwaddr = Uint8Array.of(2, 0, 0, 0, 0, lastByte);
    this.memory.fill(GUARD);
  }

  /** Time of its clock. */
  now(): number {
    return this.clock.now_us;
  }

  /** Counts. */
  wake(): void {
    this.wakes++;
  }

  /** Notes the reason. */
  down(reason: string): void {
    this.downs.push(reason);
  }

  /** A batch of frames to send, with copies of `frames` in it, at odd and even addresses. */
  txBatch(frames: readonly Uint8Array[]): FakeBatch {
    const batch = this.#lay(frames.map((frame) => frame.length));
    frames.forEach((frame, i) => this.memory.set(frame, batch.address(i)));
    return batch;
  }

  /** A batch of `count` empty frames with `room` bytes each. */
  freeBatch(count: number, room: number): FakeBatch {
    return this.#lay(new Array<number>(count).fill(room));
  }

  /** The frames that a driver put into a batch of empty ones. */
  filled(batch: FakeBatch, count: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const length = batch.set[i];
      if (length === undefined) throw new Error(`no length was set for frame ${i} of ${count}`);
      if (length > batch.length(i)) throw new Error(`frame ${i} of ${length} bytes has no room`);
      frames.push(this.memory.slice(batch.address(i), batch.address(i) + length));
    }
    return frames;
  }

  /** Offset of the first byte outside the frames of a batch that changed; -1 if none did. */
  strayWrite(batch: FakeBatch): number {
    let at = 0;
    for (let i = 0; i <= batch.count; i++) {
      const end = i < batch.count ? batch.address(i) : Math.min(at + 4096, this.memory.length);
      for (; at < end; at++) if (this.memory[at] !== GUARD) return at;
      if (i < batch.count) at = batch.address(i) + batch.length(i);
    }
    return -1;
  }

  #lay(lengths: number[]): FakeBatch {
    this.memory.fill(GUARD);
    let at = GUARD_BYTES;
    const addresses = lengths.map((length, i) => {
      const address = at + i % 3;
      at = address + length + GUARD_BYTES;
      return address;
    });
    if (at > this.memory.length) throw new RangeError("the batch does not fit into the memory");
    return new FakeBatch(this.memory, addresses, lengths);
  }
}

/** The other end of a cable: a driver with a fake interface, used to send and to receive. */
export class FarEnd {
  /** The driver there. */
  readonly driver: NetDriver;
  /** Its interface, to which it is attached. */
  readonly ifp: FakeIfnet;
  /** Room for each frame that arrives, in bytes. */
  readonly room: number;

  /** For an attached driver. */
  constructor(driver: NetDriver, ifp: FakeIfnet, room: number) {
    this.driver = driver;
    this.ifp = ifp;
    this.room = room;
  }

  /** Sends frames in batches of 64; throws if the driver stays busy. */
  send(frames: readonly Uint8Array[]): void {
    for (let at = 0; at < frames.length;) {
      const taken = this.driver.start(this.ifp.txBatch(frames.slice(at, at + 64)));
      if (taken === 0) throw new Error("the far end is busy");
      at += taken;
    }
  }

  /** Everything that has arrived. */
  receive(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const batch = this.ifp.freeBatch(64, this.room);
      const count = this.driver.rx(batch);
      frames.push(...this.ifp.filled(batch, count));
      if (count < batch.count) return frames;
    }
  }
}
