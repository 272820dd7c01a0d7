/**
 * Losses that come in bursts: the model of Gilbert and Elliott, a chain of a good and a bad state
 * that takes a step with each packet.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** A chain; all are chances from 0 to 1 for each packet. */
export interface Bursts {
  /** From good to bad. */
  readonly enter: number;
  /** From bad to good: bursts last 1 / leave packets on average. */
  readonly leave: number;
  /** A packet is lost in the bad state. */
  readonly bad: number;
  /** A packet is lost in the good state. */
  readonly good: number;
}

/** The share of packets that a chain loses in the long run. */
export function burstLoss({ enter, leave, bad, good }: Bursts): number {
  const inBad = enter + leave === 0 ? 0 : enter / (enter + leave);
  return inBad * bad + (1 - inBad) * good;
}

/** A chain at work; it begins in the good state. */
export class Gilbert {
  readonly #bursts: Bursts;
  readonly #random: Random;
  #bad = false;

  /** Draws from `random`. */
  constructor(bursts: Bursts, random: Random) {
    this.#bursts = bursts;
    this.#random = random;
  }

  /** Takes a step; true if this packet is lost. */
  loses(): boolean {
    const { enter, leave, bad, good } = this.#bursts;
    this.#bad = this.#random.chance(this.#bad ? 1 - leave : enter);
    return this.#random.chance(this.#bad ? bad : good);
  }
}
