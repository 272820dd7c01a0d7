/**
 * Devices that cannot call when a frame has come: the loop waits inside them, in short pieces,
 * between rounds of the event loop. When there has been no work for a while they are watched by
 * another thread, if they know how.
 *
 * @module
 */

import type { Attachment } from "./device/attach.ts";
import type { Waits } from "./socket/waits.ts";
import * as platform from "./loop_timers.ts";

/** Longest wait inside a device on this thread. */
const POLL_US = 1000;
/** The same if the stack has the thread to itself. */
const BLOCK_US = 10_000;
/** Devices that must be polled are waited for on this thread for this long after the last work. */
const ACTIVE_US = 50_000;
/** Then one that cannot be watched is looked at this often, while nobody waits on the stack. */
const IDLE_POLL_US = 10_000;

/** What is waited for, and for whom. */
export interface PolledParts {
  /** Those who wait on sockets. */
  readonly waits: Waits;
  /** The stack has its thread to itself: it waits inside its device while somebody waits on it. */
  readonly blocking: boolean;
  /** The interfaces; the list may change between turns. */
  readonly attachments: readonly Attachment[];
}

/** The polled devices of one stack. */
export class PolledDevices {
  readonly #parts: PolledParts;
  readonly #round: () => void;
  #polling = false;
  #closed = false;

  /** @param round takes a turn, in a new round of the event loop */
  constructor(parts: PolledParts, round: () => void) {
    this.#parts = parts;
    this.#round = round;
  }

  /** Waits for a frame until `deadline_us`; there was work at `worked_us` last. */
  wait(now_us: number, deadline_us: number, worked_us: number): void {
    const { attachments } = this.#parts;
    for (let i = 0; i < attachments.length && !this.#polling; i++) {
      if (attachments[i].polled) this.#wait(now_us, deadline_us, worked_us);
    }
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
  }

  #wait(now_us: number, deadline_us: number, worked_us: number): void {
    const { blocking, waits } = this.#parts;
    const wanted = waits.pending > 0;
    const idle = now_us - worked_us > ACTIVE_US;
    if (idle && !(blocking && wanted) && this.#watched()) return;
    this.#polling = true;
    if (idle && !wanted) {
      platform.after(IDLE_POLL_US / 1000, () => this.#look(0));
    } else {
      const longest_us = blocking && wanted ? BLOCK_US : POLL_US;
      const left_us = Math.max(0, Math.min(longest_us, deadline_us - now_us));
      platform.soon(() => this.#look(left_us));
    }
  }

  /** True if every device that cannot call is watched, and will wake the stack. */
  #watched(): boolean {
    const { attachments } = this.#parts;
    for (let i = 0; i < attachments.length; i++) {
      if (attachments[i].polled && !attachments[i].watch()) return false;
    }
    return true;
  }

  #look(timeout_us: number): void {
    this.#polling = false;
    if (this.#closed) return;
    const polled = this.#parts.attachments.filter((attachment) => attachment.polled);
    // With several devices each gets a part of the time, and the first frame ends the wait.
    for (const attachment of polled) {
      if (attachment.poll(Math.floor(timeout_us / polled.length))) break;
    }
    this.#round();
  }
}
