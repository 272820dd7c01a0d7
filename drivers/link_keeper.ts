/**
 * Keeps a driver connected: serves one connection after the other, and waits in between as its
 * back-off says; without one, the first loss is the end.
 *
 * @module
 */

import type { Backoff } from "./backoff.ts";
import { hostWords } from "./host_error.ts";
import { quietSchedule, type Schedule } from "./schedule.ts";

/** What a driver does with its connections. */
export interface LinkWork<Connection> {
  /** True if a peer comes by itself, so that there is no use in waiting before `next`. */
  readonly passive: boolean;
  /** The next connection; fails if there is none now. */
  next(): Promise<Connection>;
  /**
   * Uses a connection until it is lost, closes it, and says why it was lost; nothing if there is no
   * reason to wait before the next, or to end.
   */
  serve(connection: Connection): Promise<string>;
  /** There will be no more connections. */
  down(reason: string): void;
}

/** The loop of one attached driver. */
export class LinkKeeper<Connection> {
  readonly #work: LinkWork<Connection>;
  readonly #backoff: Backoff | undefined;
  readonly #schedule: Schedule;
  readonly #loop: Promise<void>;
  #ended = false;
  #cancel: (() => void) | void = undefined;
  #awake: (() => void) | undefined = undefined;

  /** Begins with a connection, if there is one already, or with the words why there is none. */
  constructor(
    work: LinkWork<Connection>,
    first: Connection | string | undefined,
    backoff: Backoff | undefined,
    schedule: Schedule = quietSchedule,
  ) {
    this.#work = work;
    this.#backoff = backoff;
    this.#schedule = schedule;
    this.#loop = this.#run(first);
  }

  /** True once nothing more is wanted: `serve` and `next` are to end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Waits no more; settled when the last connection is closed. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#cancel?.();
    this.#awake?.();
    await this.#loop;
  }

  async #run(first: Connection | string | undefined): Promise<void> {
    let lost = typeof first === "string" ? first : "";
    let connection = typeof first === "string" ? undefined : first;
    while (!this.#ended) {
      if (connection === undefined) {
        if (lost !== "" && !await this.#again()) {
          if (!this.#ended) this.#work.down(lost);
          return;
        }
        try {
          connection = await this.#work.next();
        } catch (error) {
          lost = hostWords(error);
          continue;
        }
      }
      lost = await this.#work.serve(connection);
      connection = undefined;
    }
  }

  /** Waits until the next try; false if there is to be none. */
  async #again(): Promise<boolean> {
    if (!this.#backoff) return false;
    const delay_us = this.#backoff.next_us();
    if (delay_us === undefined) return false;
    if (this.#work.passive) return true;
    await new Promise<void>((resolve) => {
      this.#awake = resolve;
      this.#cancel = this.#schedule(delay_us, resolve);
    });
    this.#cancel = this.#awake = undefined;
    return !this.#ended;
  }
}
