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

import type { Clock } from "./clock.ts";
import type { Attachment } from "./device/attach.ts";
import type { Engine } from "./engine.ts";
import * as field from "./layout.ts";
import type { Scheduler, Waits } from "./socket/waits.ts";
import * as platform from "./loop_timers.ts";
import * as layout from "./wasm/layout.gen.ts";

/** How long turns may follow each other before the event loop gets a round. */
const SLICE_US = 1000;
/** Longest wait inside a device on this thread. */
const POLL_US = 1000;
/** A device that has to be polled is watched closely for this long after the last frame ... */
const ACTIVE_US = 50_000;
/** ... and this often after that, while nobody waits on the stack. */
const IDLE_POLL_US = 10_000;
/** Deadlines nearer than this are reached by turns of the event loop: timers are too coarse. */
const SPIN_US = 1000;
/** Index of the loopback interface. */
const LOOPBACK = 1;

/** What the loop drives. */
export interface LoopParts {
  /** The engine. */
  readonly engine: Engine;
  /** The time. */
  readonly clock: Clock;
  /** Those who wait on sockets. */
  readonly waits: Waits;
  /** The interfaces; the list may change between turns. */
  readonly attachments: readonly Attachment[];
  /** Called once if the engine stops. */
  readonly died: (panic: unknown) => void;
}

/** The loop of one stack. */
export class Loop implements Scheduler {
  readonly #parts: LoopParts;
  readonly #manual: boolean;
  readonly #loopback: number;
  readonly #anchor = new platform.Anchor();
  readonly #run: () => void = () => {
    if (this.#scheduled) this.#turnAndGoOn();
  };
  readonly #round: () => void = () => this.#beginRound();
  #timer: platform.TimerHandle | undefined = undefined;
  /** When the timer fires; `Infinity` without one. */
  #armed_us = Infinity;
  #now_us = 0;
  /** The clock was read since the last turn, by a call; it serves while a turn is about to run. */
  #fresh = false;
  #scheduled = false;
  #turning = false;
  #closed = false;
  #first = 0;
  #slice_us = 0;
  #starving = false;
  #worked_us = 0;
  #polling = false;
  /** The last turn has left something to do at once. */
  #more = false;

  /** Begins asleep. */
  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#manual = parts.clock.manual;
    this.#loopback = parts.engine.calls.if_ptr(LOOPBACK);
  }

  /** True if a turn was asked for and has not run; for those who drive a stack by hand. */
  get wanted(): boolean {
    return this.#scheduled || this.#more;
  }

  /** Time of the stack's clock in microseconds. */
  now_us(): number {
    return this.#parts.clock.now_us();
  }

  /** Sets the engine's clock before a call that may send; calls in quick succession share it. */
  enter(): void {
    if (this.#fresh && this.#scheduled || this.#turning || this.#closed) return;
    this.#readClock();
    this.#parts.engine.calls.set_clock(this.#now_us);
  }

  /** Takes a turn soon: something happened outside. */
  kick(): void {
    if (this.#scheduled) return;
    this.#fresh = false;
    this.sent();
  }

  /** Takes a turn soon, after a call that began with {@link enter}: its time will do. */
  sent(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    if (this.#manual) return;
    if (this.#starving) platform.soon(this.#round);
    else platform.microtask(this.#run);
  }

  /** Takes a turn soon if the engine has something to do before the loop would look again. */
  touch(): void {
    if (this.#scheduled) return;
    const { engine } = this.#parts;
    const next_us = engine.calls.nextDeadline();
    if (next_us < this.#armed_us || this.#queued(this.#loopback)) return this.kick();
    for (const attachment of this.#parts.attachments) {
      if (this.#queued(attachment.ifnet) || attachment.resumable) return this.kick();
    }
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
    if (!this.#manual) this.#anchor.release(() => this.#parts.waits.pending === 0);
  }

  /** When the stack wants its next turn, in microseconds of its clock; `Infinity` if never. */
  nextDeadline(): number {
    return Math.min(this.#parts.engine.calls.nextDeadline(), this.#parts.waits.next_us);
  }

  /** Takes one turn; answers how much work there was: frames, timers and events. */
  turn(): number {
    if (this.#turning || this.#closed) return 0;
    const fresh = this.#fresh && this.#scheduled && !this.#manual;
    this.#turning = true;
    this.#scheduled = false;
    this.#more = false;
    try {
      if (!fresh) this.#readClock();
      const now_us = this.#now_us;
      let work = this.#receive(now_us);
      work += this.#parts.engine.calls.poll(now_us);
      work += this.#transmit();
      work += this.#parts.waits.dispatch();
      work += this.#parts.waits.expire(now_us);
      if (!this.#more) this.#more = this.#resumable();
      return work;
    } catch (panic) {
      this.close();
      this.#parts.died(panic);
      throw panic;
    } finally {
      this.#turning = false;
      this.#fresh = false;
    }
  }

  /** Ends the loop. */
  close(): void {
    this.#closed = true;
    this.#scheduled = false;
    this.#more = false;
    this.#disarm();
    this.#anchor.drop();
  }

  #readClock(): void {
    this.#now_us = this.#parts.clock.now_us();
    this.#fresh = true;
  }

  /** Answers the number of frames; begins with another interface each turn. */
  #receive(now_us: number): number {
    const { attachments } = this.#parts;
    const count = attachments.length;
    if (count === 0) return 0;
    this.#first = (this.#first + 1) % count;
    let frames = 0;
    for (let i = 0; i < count; i++) {
      // A driver may have taken its interface away meanwhile, or closed the stack.
      const attachment = attachments[(this.#first + i) % count];
      const taken = attachment?.receive(now_us) ?? 0;
      if (attachment?.isFull(taken)) this.#more = true;
      frames += taken;
    }
    return frames;
  }

  #transmit(): number {
    const { attachments } = this.#parts;
    const count = attachments.length;
    let frames = 0;
    for (let i = 0; i < count; i++) {
      const attachment = attachments[(this.#first + i) % count];
      const sent = attachment?.transmit() ?? 0;
      if (sent > 0 && this.#queued(attachment.ifnet)) this.#more = true;
      frames += sent;
    }
    return frames;
  }

  /** True if frames that mbufs were lacking for can be taken in now. */
  #resumable(): boolean {
    for (const attachment of this.#parts.attachments) {
      if (attachment.resumable) return true;
    }
    return false;
  }

  /** True if frames wait in the send queue of the interface at an address. */
  #queued(ifnet: number): boolean {
    if (ifnet === 0) return false;
    const { engine } = this.#parts;
    const { Ifnet } = layout;
    const head = field.getU32(engine, ifnet, Ifnet.snd_head);
    return head !== field.getU32(engine, ifnet, Ifnet.snd_tail);
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
    if (this.#more) this.kick();
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
    const deadline_us = this.nextDeadline();
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

  /** Watches devices that cannot call: waits inside them, in short pieces, between rounds. */
  #watch(deadline_us: number): void {
    if (this.#polling) return;
    this.#polling = true;
    const idle = this.#now_us - this.#worked_us > ACTIVE_US && this.#parts.waits.pending === 0;
    if (idle) {
      platform.after(IDLE_POLL_US / 1000, () => this.#look(0));
    } else {
      const left_us = Math.max(0, Math.min(POLL_US, deadline_us - this.#now_us));
      platform.soon(() => this.#look(left_us));
    }
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
