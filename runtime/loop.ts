/**
 * The loop: the only place that waits. A turn reads the clock once, takes in frames (at most 64 an
 * interface, each turn beginning with another one), runs the engine, hands out frames, and wakes
 * those whose events came. Turns follow each other while there is work; then the loop sleeps until
 * the engine's next deadline, a frame, or a call.
 *
 * A turn that a call or a frame asks for runs as a microtask, so that a message crosses two stacks
 * of one program without a round of the event loop; after `SLICE_US` of that the event loop gets
 * its round. A stack nobody waits on leaves the process free to end.
 *
 * @module
 */

import { type Clock, RealClock } from "./clock.ts";
import type { Attachment } from "./device/attach.ts";
import { Rounds } from "./device/rounds.ts";
import type { Engine } from "./engine.ts";
import type { Ring } from "./protocol/ring.ts";
import type { Scheduler } from "./socket/wait.ts";
import type { Waits } from "./socket/waits.ts";
import * as platform from "./loop_timers.ts";
import * as layout from "./wasm/layout.gen.ts";

/** How long turns may follow each other before the event loop gets a round. */
const SLICE_US = 1000;
/** Longest wait inside a device on this thread; and if the stack has the thread to itself. */
const POLL_US = 1000;
const BLOCK_US = 10_000;
/** Devices that must be polled are waited for on this thread for this long after the last work. */
const ACTIVE_US = 50_000;
/** Then one that cannot be watched is looked at this often, while nobody waits on the stack. */
const IDLE_POLL_US = 10_000;
/** Deadlines nearer than this are reached by turns of the event loop: timers are too coarse. */
const SPIN_US = 1000;

/** Time at which a stack on the machine's clock is handing out frames just now; NaN if none is. */
let passing_us = NaN;

/** What the loop drives. */
export interface LoopParts {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Those who wait on sockets. */
  readonly waits: Waits;
  /** Packets for protocols outside the engine. */
  readonly ring: Ring;
  /** The stack has its thread to itself: it waits inside its device while somebody waits on it. */
  readonly blocking: boolean;
  /** The interfaces; the list may change between turns. */
  readonly attachments: readonly Attachment[];
  /** Called once if the engine stops. */
  readonly died: (panic: unknown) => void;
}

/** The loop of one stack. */
export class Loop implements Scheduler {
  readonly #parts: LoopParts;
  readonly #manual: boolean;
  readonly #real: boolean;
  readonly #rounds: Rounds;
  /** Index of the word that is not 0 while sockets have events to report. */
  readonly #events: number;
  /** Index of the word that is not 0 if the engine wants a turn sooner than it said. */
  readonly #sooner: number;
  readonly #anchor = new platform.Anchor();
  readonly #run: () => void = () => {
    this.#coming = false;
    if (this.#scheduled) this.#turnAndGoOn();
  };
  readonly #round: () => void = () => {
    this.#coming = false;
    this.#beginRound();
  };
  readonly #idle: () => boolean = () => this.#parts.waits.pending === 0;
  /** A microtask or a round of the event loop that takes the turn is on its way. */
  #coming = false;
  #timer: platform.TimerHandle | undefined = undefined;
  /** When the timer fires; `Infinity` without one. */
  #armed_us = Infinity;
  /** When the engine wants its next turn, as it said last. */
  #engine_us = 0;
  #now_us = 0;
  /** The clock was read since the last turn, by a call; it serves while a turn is about to run. */
  #fresh = false;
  /** The time is that of another stack's turn; the engine has not been told. */
  #lent = false;
  #scheduled = false;
  /** No call has sent anything since the last turn. */
  #direct = false;
  #turning = false;
  #closed = false;
  #slice_us = 0;
  #starving = false;
  #worked_us = 0;
  #polling = false;

  /** Begins asleep. */
  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#manual = parts.clock.manual;
    this.#real = parts.clock instanceof RealClock;
    this.#rounds = new Rounds(parts.engine, parts.attachments);
    this.#events = parts.engine.calls.ev_list() >>> 2;
    this.#sooner = (parts.engine.calls.timer_state() + layout.WheelState.sooner) >>> 2;
  }

  /** True if a turn was asked for and has not run; for those who drive a stack by hand. */
  get wanted(): boolean {
    return this.#scheduled || this.#rounds.more;
  }

  /** Time of the stack's clock in microseconds. */
  now_us(): number {
    return this.#parts.clock.now_us();
  }

  /** Sets the engine's clock before a call that may send; calls in quick succession share it. */
  enter(): void {
    if (this.#fresh && this.#scheduled && !this.#lent || this.#turning || this.#closed) return;
    this.#readClock();
    this.#parts.engine.calls.set_clock(this.#now_us);
  }

  /** Takes a turn soon: something happened outside. */
  kick(): void {
    if (this.#scheduled) return;
    // What another stack of this program sends arrives at the time of that stack's turn.
    this.#lent = this.#real && passing_us >= this.#now_us;
    this.#fresh = this.#lent;
    if (this.#lent) this.#now_us = passing_us;
    this.#ask();
  }

  /**
   * After a call that began with {@link enter}, whose time will do: hands out what it has sent. The
   * first call after a turn does so at once, so that a message alone costs no turn; those that
   * follow are collected for the next turn.
   */
  sent(): void {
    if (this.#scheduled || this.#closed) return;
    if (this.#direct && !this.#turning && this.#pass()) return;
    this.#ask();
  }

  #ask(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    if (this.#manual || this.#coming) return;
    this.#coming = true;
    if (this.#starving) platform.soon(this.#round);
    else platform.microtask(this.#run);
  }

  /** Takes a turn soon if the engine has something to do before the loop would look again. */
  touch(): void {
    if (this.#scheduled) return;
    if (this.#engineDeadline() < this.#armed_us || this.#rounds.waiting) this.kick();
  }

  /** A wait with this deadline has begun. */
  sleepUntil(deadline_us: number): void {
    if (deadline_us < this.#armed_us) this.kick();
  }

  /** Somebody waits: keeps the process alive. */
  hold(): void {
    if (!this.#manual && !this.#closed) this.#anchor.hold();
  }

  /** Nobody waits any more: lets the process end, unless somebody soon waits again. */
  release(): void {
    if (!this.#manual) this.#anchor.release(this.#idle);
  }

  /** When the stack wants its next turn, in microseconds of its clock; `Infinity` if never. */
  nextDeadline(): number {
    return Math.min(this.#parts.engine.calls.nextDeadline(), this.#parts.waits.next_us);
  }

  /** The engine's own; asked only when it can have become earlier, or has passed. */
  #engineDeadline(): number {
    const { calls, u32 } = this.#parts.engine;
    const known = u32[this.#sooner] === 0 && this.#engine_us > this.#now_us;
    if (known && !this.#rounds.looped) return this.#engine_us;
    u32[this.#sooner] = 0;
    return this.#engine_us = calls.nextDeadline();
  }

  /** Takes one turn; answers how much work there was: frames, timers and events. */
  turn(): number {
    if (this.#turning || this.#closed) return 0;
    const fresh = this.#fresh && this.#scheduled && !this.#manual;
    this.#turning = true;
    this.#scheduled = false;
    this.#rounds.more = false;
    this.#direct = !this.#manual;
    try {
      if (!fresh) this.#readClock();
      const now_us = this.#now_us;
      passing_us = this.#real ? now_us : NaN;
      const { calls, u32 } = this.#parts.engine;
      const rounds = this.#rounds;
      let work = rounds.receive(now_us);
      work += calls.poll(now_us);
      if (this.#parts.ring.waiting) work += this.#parts.ring.drain();
      work += rounds.transmit();
      const { waits } = this.#parts;
      if (u32[this.#events] !== 0) work += waits.dispatch();
      if (waits.next_us <= now_us) work += waits.expire(now_us);
      if (!rounds.more) rounds.more = rounds.resumable;
      return work;
    } catch (panic) {
      this.#die(panic);
    } finally {
      passing_us = NaN;
      this.#turning = false;
      this.#fresh = false;
    }
  }

  /** Hands out frames between turns; true if nothing is left that a turn is wanted for. */
  #pass(): boolean {
    const { engine } = this.#parts;
    const rounds = this.#rounds;
    this.#direct = false;
    this.#turning = true;
    passing_us = this.#real ? this.#now_us : NaN;
    try {
      rounds.transmit();
      if (rounds.more || rounds.looped || engine.u32[this.#events] !== 0) return false;
      return this.#engineDeadline() >= this.#armed_us;
    } catch (panic) {
      this.#die(panic);
    } finally {
      passing_us = NaN;
      this.#turning = false;
    }
  }

  /** The engine has stopped. */
  #die(panic: unknown): never {
    this.close();
    this.#parts.died(panic);
    throw panic;
  }

  /** Ends the loop. */
  close(): void {
    this.#closed = true;
    this.#scheduled = false;
    this.#rounds.more = false;
    this.#disarm();
    this.#anchor.drop();
  }

  #readClock(): void {
    this.#now_us = this.#parts.clock.now_us();
    this.#fresh = true;
    this.#lent = false;
  }

  /** A turn of the running stack. A panic has reached those who wait when it comes here. */
  #turnAndGoOn(): void {
    if (this.#closed) return;
    let work = 0;
    try {
      work = this.turn();
    } catch {
      return;
    }
    if (work > 0) this.#worked_us = this.#now_us;
    this.#starving = this.#now_us - this.#slice_us > SLICE_US;
    if (this.#rounds.more) this.kick();
    if (!this.#scheduled) this.#sleep();
  }

  /** From a timer or a round of the event loop: a new slice begins. */
  #beginRound(): void {
    if (this.#closed) return;
    this.#readClock();
    this.#slice_us = this.#now_us;
    this.#starving = false;
    this.#scheduled = true;
    this.#turnAndGoOn();
  }

  #sleep(): void {
    const now_us = this.#now_us;
    const deadline_us = Math.min(this.#engineDeadline(), this.#parts.waits.next_us);
    if (deadline_us <= now_us) return this.kick();
    for (const { polled } of this.#parts.attachments) {
      if (polled) this.#watch(deadline_us);
    }
    if (deadline_us >= this.#armed_us) return;
    this.#disarm();
    this.#armed_us = deadline_us;
    const delay_us = deadline_us - now_us;
    this.#timer = platform.after(delay_us < SPIN_US ? 0 : delay_us / 1000, () => {
      this.#timer = undefined;
      this.#armed_us = Infinity;
      this.#beginRound();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armed_us = Infinity;
  }

  /**
   * Devices that cannot call: waits inside them, in short pieces, between rounds. When there has
   * been no work for a while, they are watched by another thread, if they know how.
   */
  #watch(deadline_us: number): void {
    if (this.#polling) return;
    const { blocking, waits } = this.#parts;
    const wanted = waits.pending > 0;
    const idle = this.#now_us - this.#worked_us > ACTIVE_US;
    if (idle && !(blocking && wanted) && this.#watched()) return;
    this.#polling = true;
    if (idle && !wanted) {
      platform.after(IDLE_POLL_US / 1000, () => this.#look(0));
    } else {
      const longest_us = blocking && wanted ? BLOCK_US : POLL_US;
      const left_us = Math.max(0, Math.min(longest_us, deadline_us - this.#now_us));
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
    this.#beginRound();
  }
}
