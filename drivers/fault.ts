/**
 * A wrapper that makes the network behind another driver bad: loss, duplication, reordering,
 * corruption, delay and jitter, each direction by itself. The same seed and the same frames at the
 * same times give the same faults.
 *
 * ```ts
 * import { FaultDriver } from "@godwit/godwit/drivers/fault";
 * import { pipe } from "@godwit/godwit/drivers/pipe";
 * const [left, right] = pipe();
 * const lossy = new FaultDriver(left, { seed: 7, tx: { loss: 0.01, delay_us: 20_000 } });
 * ```
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { FaultLine, type FaultOptions, type FaultStats } from "./fault_line.ts";
import { FrameStore, StoreBatch } from "./frame_store.ts";
import {
  ETHERNET_HEADER_BYTES,
  frameBytesMax,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { type Schedule, timeoutSchedule } from "./schedule.ts";

export type { Schedule } from "./schedule.ts";
export type { FaultOptions, FaultStats } from "./fault_line.ts";

/** What goes wrong, and where. */
export interface FaultDriverOptions {
  /** Seed of both random streams; 1 unless told. */
  readonly seed?: number;
  /** Faults on what the stack sends. */
  readonly tx?: FaultOptions;
  /** Faults on what the stack receives. */
  readonly rx?: FaultOptions;
  /** Frames held at most in each direction; 1024 unless told. */
  readonly limit?: number;
  /** How to be called when the next frame is due; `setTimeout` unless told. */
  readonly schedule?: Schedule;
}

const BATCH = 64;
/** Slots are at least this large, for a driver that only learns its MTU when it is attached. */
const SLOT_BYTES_MIN = 2048;
/** When to offer frames again to a driver that was busy, should it not wake the stack itself. */
const BUSY_RETRY_US = 1000;

/** A driver that damages what another one carries. */
export class FaultDriver implements NetDriver {
  /** `fault(...)` with the name of the wrapped driver. */
  readonly name: string;
  /** Present if the wrapped driver has it. */
  readonly poll?: (timeout_us: number) => boolean;
  /** Present if the wrapped driver has it. */
  readonly watch?: () => boolean;
  readonly #inner: NetDriver;
  readonly #schedule: Schedule;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #txStore: FrameStore;
  readonly #rxStore: FrameStore;
  readonly #txLine: FaultLine;
  readonly #rxLine: FaultLine;
  readonly #txBatch: StoreBatch;
  readonly #rxBatch: StoreBatch;
  #ifp: Ifnet | undefined = undefined;
  #blocked = false;
  #innerBusy = false;
  #timer_us = Infinity;
  #cancel: (() => void) | void = undefined;

  /** Wraps `inner`, which must not be attached anywhere; `RangeError` for a bad option. */
  constructor(inner: NetDriver, options: FaultDriverOptions = {}) {
    this.#inner = inner;
    this.name = `fault(${inner.name})`;
    this.#schedule = options.schedule ?? timeoutSchedule;
    const limit = wholeInRange("limit", options.limit ?? 1024, 1, 65536);
    const seed = options.seed ?? 1;
    const { medium, mtu, vnetHeader } = inner.caps;
    if (vnetHeader) {
      // A damaged checksum would pass for one that the device has verified, or has yet to compute.
      throw new RangeError(
        `${this.name}: frames with virtio headers cannot be damaged; ` +
          `give the ${inner.name} driver offload: false`,
      );
    }
    const bytes = Math.max(SLOT_BYTES_MIN, frameBytesMax(medium, mtu));
    const half = limit * FrameStore.slotBytes(bytes);
    this.#memory = new Uint8Array(2 * half);
    this.#txStore = new FrameStore(this.#memory, 0, limit, bytes);
    this.#rxStore = new FrameStore(this.#memory, half, limit, bytes);
    const header = medium === "ethernet" ? ETHERNET_HEADER_BYTES : 0;
    this.#txLine = new FaultLine(options.tx ?? {}, header, seed, this.#txStore);
    this.#rxLine = new FaultLine(options.rx ?? {}, header, ~seed, this.#rxStore);
    this.#txBatch = new StoreBatch(this.#txStore, BATCH);
    this.#rxBatch = new StoreBatch(this.#rxStore, BATCH);
    if (inner.poll) this.poll = (timeout_us) => this.#poll(timeout_us);
    // What is late or waits for room wakes the stack by a timer of its own.
    if (inner.watch) this.watch = () => inner.watch!();
  }

  /** Those of the wrapped driver, but checksums are left to the stack: they are what is tested. */
  get caps(): DriverCaps {
    return { ...this.#inner.caps, rxChecksum: false, txChecksum: false };
  }

  /** What went wrong with frames that the stack sent. */
  get txFaults(): Readonly<FaultStats> {
    return this.#txLine.stats;
  }

  /** What went wrong with frames on their way to the stack. */
  get rxFaults(): Readonly<FaultStats> {
    return this.#rxLine.stats;
  }

  /** How many frames are held back at the moment, both ways. */
  get held(): number {
    return this.#txLine.held + this.#txBatch.count + this.#rxLine.held;
  }

  /** Attaches the wrapped driver; `SocketError` EMSGSIZE if its frames are too large to hold. */
  async attach(ifp: Ifnet): Promise<void> {
    refuseSecondAttach(this.name, this.#ifp);
    const memory = this.#memory;
    await this.#inner.attach({
      name: ifp.name,
      // Neither is known before the driver is attached.
      get index() {
        return ifp.index;
      },
      get hwaddr() {
        return ifp.hwaddr;
      },
      memory,
      now: () => ifp.now(),
      wake: () => ifp.wake(),
      down: (reason) => ifp.down(reason),
    });
    const { medium, mtu } = this.#inner.caps;
    if (frameBytesMax(medium, mtu) > this.#txStore.slotBytes) {
      await this.#inner.detach();
      throw new SocketError(
        Errno.EMSGSIZE,
        "if_attach",
        `${this.name}: the MTU grew to ${mtu} when the driver was attached; give it the MTU before`,
      );
    }
    this.#ifp = ifp;
  }

  /** Takes frames into the line; busy when `limit` frames are held. */
  start(tx: FrameBatch): number {
    const ifp = this.#ifp;
    if (!ifp) return 0;
    const now_us = ifp.now();
    let taken = 0;
    for (; taken < tx.count; taken++) {
      if (this.#txStore.freeCount === 0) this.#flush(now_us);
      if (this.#txStore.freeCount === 0) {
        this.#blocked = true;
        break;
      }
      this.#take(tx, taken, now_us);
    }
    this.#flush(now_us);
    this.#arm(now_us, ifp);
    return taken;
  }

  /** Moves what is due, both ways: the stack calls this on every turn. */
  rx(free: FrameBatch): number {
    const ifp = this.#ifp;
    if (!ifp) return 0;
    const now_us = ifp.now();
    this.#flush(now_us);
    if (this.#blocked && this.#txStore.freeCount > 0) {
      this.#blocked = false;
      ifp.wake();
    }
    const more = free.count > 0 && this.#receive(now_us);
    const filled = this.#deliver(free, now_us);
    // The wrapped driver may have more and will not say so again. If there is no room for it yet,
    // the timer of the frames that are held brings the next turn.
    if (more && this.#rxStore.freeCount > 0) ifp.wake();
    this.#arm(now_us, ifp);
    return filled;
  }

  /** Forgets what is held, counts it as dropped, and detaches the wrapped driver. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    this.#disarm();
    this.#txLine.stats.dropped += this.#txLine.clear() + this.#txBatch.count;
    for (let i = 0; i < this.#txBatch.count; i++) this.#txStore.release(this.#txBatch.slot(i));
    this.#txBatch.reset(false);
    this.#rxLine.stats.dropped += this.#rxLine.clear();
    await this.#inner.detach();
  }

  #take(tx: FrameBatch, i: number, now_us: number): void {
    const length = tx.length(i);
    const { medium, mtu } = this.#inner.caps;
    if (length < 1 || length > frameBytesMax(medium, mtu)) {
      this.#txLine.stats.dropped++;
      return;
    }
    const slot = this.#txStore.take();
    const from = tx.address(i);
    this.#memory.set(tx.memory.subarray(from, from + length), this.#txStore.address(slot));
    this.#txStore.lengths[slot] = length;
    this.#txLine.admit(slot, now_us);
  }

  /** Gives frames that are due to the wrapped driver until it is busy. */
  #flush(now_us: number): void {
    const batch = this.#txBatch;
    this.#innerBusy = false;
    for (;;) {
      while (batch.count < batch.capacity) {
        const slot = this.#txLine.takeDue(now_us);
        if (slot < 0) break;
        batch.add(slot);
      }
      if (batch.count === 0) return;
      const offered = batch.count;
      const taken = this.#inner.start(batch);
      for (let i = 0; i < taken; i++) this.#txStore.release(batch.slot(i));
      batch.removeFirst(taken);
      if (taken < offered) {
        this.#innerBusy = true;
        return;
      }
    }
  }

  /**
   * Takes what has arrived at the wrapped driver into the line.
   *
   * @returns true if that driver may have more.
   */
  #receive(now_us: number): boolean {
    const batch = this.#rxBatch;
    // Bounded: a flood of frames that are all lost must not keep the stack from its turn.
    for (let round = 0; round < 16; round++) {
      batch.reset(true);
      while (batch.count < batch.capacity && this.#rxStore.freeCount > 0) {
        batch.add(this.#rxStore.take());
      }
      const offered = batch.count;
      if (offered === 0) return true;
      const filled = this.#inner.rx(batch);
      for (let i = 0; i < offered; i++) {
        if (i >= filled) this.#rxStore.release(batch.slot(i));
        else this.#rxLine.admit(batch.slot(i), now_us);
      }
      if (filled < offered) return false;
    }
    return true;
  }

  /** Fills empty frames with those that are due. */
  #deliver(free: FrameBatch, now_us: number): number {
    let filled = 0;
    while (filled < free.count) {
      const slot = this.#rxLine.takeDue(now_us);
      if (slot < 0) break;
      const length = this.#rxStore.lengths[slot];
      if (length <= free.length(filled)) {
        free.memory.set(this.#rxStore.frame(slot), free.address(filled));
        free.setLength(filled, length);
        filled++;
      } else {
        this.#rxLine.stats.dropped++;
      }
      this.#rxStore.release(slot);
    }
    return filled;
  }

  #poll(timeout_us: number): boolean {
    const ifp = this.#ifp;
    if (!ifp) return false;
    const wait_us = Math.min(this.#rxLine.nextDue_us, this.#txLine.nextDue_us) - ifp.now();
    if (wait_us <= 0) return true;
    return this.#inner.poll!(Math.min(timeout_us, wait_us)) || this.#rxLine.nextDue_us <= ifp.now();
  }

  /** Asks to be called when the next frame is due, unless an earlier call is under way. */
  #arm(now_us: number, ifp: Ifnet): void {
    const retry_us = this.#innerBusy ? now_us + BUSY_RETRY_US : Infinity;
    const due_us = Math.min(this.#txLine.nextDue_us, this.#rxLine.nextDue_us, retry_us);
    if (due_us === Infinity || this.#timer_us <= due_us) return;
    this.#disarm();
    this.#timer_us = due_us;
    this.#cancel = this.#schedule(Math.max(0, due_us - now_us), () => {
      if (this.#timer_us !== due_us) return;
      this.#timer_us = Infinity;
      this.#cancel = undefined;
      if (this.#ifp === ifp) ifp.wake();
    });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timer_us = Infinity;
  }
}
