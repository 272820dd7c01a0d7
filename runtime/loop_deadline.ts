/**
 * When the engine wants its next turn, as it said last: it is asked again only when that can have
 * become earlier, or has passed.
 *
 * @module
 */

import type { Engine } from "./engine.ts";
import * as layout from "./wasm/layout.gen.ts";

/** The engine's next deadline. */
export class EngineDeadline {
  readonly #engine: Engine;
  /** Index of the word that is not 0 if the engine wants a turn sooner than it said. */
  readonly #sooner: number;
  #said_us = 0;

  /** Of this engine, which was not asked yet. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#sooner = (engine.calls.timer_state() + layout.WheelState.sooner) >>> 2;
  }

  /** True if it has come, or may have become earlier than it was said to be. */
  reached(now_us: number): boolean {
    return this.#said_us <= now_us || this.#engine.u32[this.#sooner] !== 0;
  }

  /**
   * The deadline in microseconds of the stack's clock.
   *
   * @param looped packets of the loopback interface wait, which ask for a turn at once
   */
  us(now_us: number, looped: boolean): number {
    const { calls, u32 } = this.#engine;
    if (u32[this.#sooner] === 0 && this.#said_us > now_us && !looped) return this.#said_us;
    u32[this.#sooner] = 0;
    return this.#said_us = calls.nextDeadline();
  }
}
