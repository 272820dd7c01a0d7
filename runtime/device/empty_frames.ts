/**
 * The empty frames of an interface: for one call of its driver, or lent until the next one.
 *
 * @module
 */

import type { Engine } from "../engine.ts";
import type { Descriptors } from "./batch.ts";
import type { NetDriver } from "./driver.ts";
import { answeredWords } from "./link.ts";

/** Empty frames of one interface, as long as it has this driver. */
export class EmptyFrames {
  readonly #engine: Engine;
  readonly #index: number;
  readonly #most: number;
  readonly #batch: Descriptors;
  readonly #lends: boolean;
  readonly #fail: (call: string, error: unknown) => void;
  /** Those that the driver was lent for its next `rx`. */
  #lent = 0;

  /**
   * @param most frames in a batch
   * @param lends whether the driver is lent frames before it is asked for any
   * @param fail told what the driver has done wrong, in words or as it was thrown
   */
  constructor(
    engine: Engine,
    index: number,
    most: number,
    batch: Descriptors,
    lends: boolean,
    fail: (call: string, error: unknown) => void,
  ) {
    this.#engine = engine;
    this.#index = index;
    this.#most = most;
    this.#batch = batch;
    this.#lends = lends;
    this.#fail = fail;
  }

  /** How many there are for a call of the driver. */
  get room(): number {
    return this.#lent === this.#most ? this.#most : this.#prepare();
  }

  /**
   * Has the driver fill some of the first `room`, those that are lent among them, and takes them
   * back if it has. Answers how many, or -1 if it has failed.
   */
  fill(driver: NetDriver, room: number): number {
    let filled = -1;
    try {
      filled = driver.rx(this.#batch.begin(room));
    } catch (error) {
      this.#fail("rx", error);
      return -1;
    }
    if (!(filled >= 0 && filled <= room && filled >>> 0 === filled)) {
      this.#fail("rx", answeredWords(filled, room));
      return -1;
    }
    if (filled > 0) this.takeBack();
    return filled;
  }

  /** Lends the driver some, if it wants them and has none. */
  lend(driver: NetDriver): void {
    if (!this.#lends || this.#lent !== 0) return;
    const room = this.#prepare();
    if (room <= 0) return;
    this.#lent = room;
    try {
      driver.lend!(this.#batch.begin(room));
    } catch (error) {
      this.#fail("lend", error);
    }
  }

  /** The driver has none of them any more. */
  takeBack(): void {
    this.#lent = 0;
    this.#batch.count = 0;
  }

  #prepare(): number {
    return this.#engine.calls.if_rx_prepare(this.#index, this.#most);
  }
}
