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
import { Rounds } from "./device/rounds.ts";
import type { Engine } from "./engine.ts";
import { chain, claim, isNext } from "./loop_chain.ts";
import { Gather } from "./loop_gather.ts";
import type { Ring } from "./protocol/ring.ts";
import type { Scheduler } from "./socket/wait.ts";
import { EngineDeadline } from "./loop_deadline.ts";
import { PolledDevices, type PolledParts } from "./loop_devices.ts";
import * as platform from "./loop_timers.ts";

/** How long turns may follow each other before the event loop gets a round. */
const SLICE_US = 1000;
/** Turns of stacks on one thread in which a connection begins, or ends, when both sides want it. */
const HANDSHAKE_TURNS = 3;

/** Time at which a stack on the machine's clock is handing out frames just now; NaN if none is. */
let passing_us = NaN;

/** What the loop drives. */
export interface LoopParts extends PolledParts {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Packets for protocols outside the engine. */
  readonly ring: Ring;
  /** Called once if the engine stops. */
  readonly died: (panic: unknown) => void;
}

/** The loop of one stack. */
export class Loop implements Scheduler {
  readonly #parts: LoopParts;
  readonly #manual: boolean;
  readonly #real: boolean;
  readonly #rounds: Rounds;
  readonly #devices: PolledDevices;
  /** Index of the word that is not 0 while sockets have events to report. */
  readonly #events: number;
  readonly #deadline: EngineDeadline;
  readonly #gather = new Gather();
  readonly #anchor = new platform.Anchor();
  readonly #run: () => void = () => {
    this.#coming = false;
    if (!this.#scheduled) return;
    if (this.#gather.waits()) this.#come();
    else this.#turnAndGoOn();
  };
  readonly #round: () => void = () => {
    this.#coming = false;
    this.#beginRound();
  };
  readonly #idle: () => boolean = () => this.#parts.waits.pending === 0;
  /** A microtask or a round of the event loop that takes the turn is on its way. */
  #coming = false;
  readonly #alarm = new platform.Alarm(() => this.#beginRound());
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

  /** Begins asleep. */
  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#manual = parts.clock.manual;
    this.#real = parts.clock instanceof RealClock;
    this.#rounds = new Rounds(parts.engine, parts.attachments);
    this.#devices = new PolledDevices(parts, () => this.#beginRound());
    this.#events = parts.engine.calls.ev_list() >>> 2;
    this.#deadline = new EngineDeadline(parts.engine);
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
    if (this.#scheduled || isNext(this)) return;
    // What another stack of this program sends arrives at the time of that stack's turn.
    this.#lent = this.#real && passing_us >= this.#now_us;
    this.#fresh = this.#lent;
    if (this.#lent) this.#now_us = passing_us;
    if (!this.#turning && !this.#coming && this.#inTime() && claim(this)) return;
    this.#ask();
  }

  /**
   * After a call that began with {@link enter}, whose time will do: hands out what it has sent. The
   * first call after a turn or a read does so at once, so that a message alone costs no turn; those
   * that follow are collected for the next turn.
   */
  sent(): void {
    this.#send(1);
  }

  /** The same after a call that sent a message, which may wait for those that follow at once. */
  posted(bytes: number): void {
    this.#gather.add(bytes);
    this.sent();
  }

  /**
   * The same after a call that begins or ends a connection: at home, and with another stack of this
   * program, the segments that do it go to and fro at once.
   */
  told(): void {
    if (this.#rounds.looped) this.#direct = !this.#manual;
    this.#send(HANDSHAKE_TURNS);
  }

  #send(turns: number): void {
    if (this.#scheduled || this.#closed) return;
    if (this.#direct && !this.#turning && chain(this, turns)) return;
    this.#ask();
  }

  /** True while the event loop need not have a round yet. */
  #inTime(): boolean {
    return !this.#manual && !this.#closed && this.#now_us - this.#slice_us <= SLICE_US;
  }

  #ask(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    if (this.#manual || this.#coming) return;
    this.#come();
  }

  #come(): void {
    this.#coming = true;
    if (this.#starving) platform.soon(this.#round);
    else platform.microtask(this.#run);
  }

  /**
   * Takes a turn soon if the engine has something to do before the loop would look again, or an
   * event to tell: who reads may have made room for who sends.
   */
  touch(): void {
    this.#gather.reset();
    if (this.#scheduled) return;
    this.#direct = !this.#manual;
    const told = this.#parts.engine.u32[this.#events] !== 0;
    if (told || this.#engineDeadline() < this.#alarm.at_us || this.#rounds.waiting) this.kick();
  }

  /** A wait with this deadline has begun. */
  sleepUntil(deadline_us: number): void {
    if (deadline_us < this.#alarm.at_us) this.kick();
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

  #engineDeadline(): number {
    return this.#deadline.us(this.#now_us, this.#rounds.looped);
  }

  /**
   * Takes one turn for who drives the stack, and has the thread for it; answers how much work there
   * was: frames, timers and events.
   */
  turn(): number {
    const work = this.#turn();
    this.#slice_us = this.#now_us;
    return work;
  }

  #turn(): number {
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
      // What came in has been answered: then there is only what the clock wants, or we ourselves.
      if (work === 0 || this.#deadline.reached(now_us) || rounds.looped) work += calls.poll(now_us);
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

  /** The turn that follows at once on that of a stack which has handed frames to this one. */
  follow(): void {
    this.#scheduled = true;
    this.#turnAndGoOn();
  }

  /**
   * Hands out frames, also those of the loopback interface to ourselves; true if nothing is left
   * that a turn is wanted for.
   */
  handOut(): boolean {
    const { engine, ring, waits } = this.#parts;
    const rounds = this.#rounds;
    const now_us = this.#now_us;
    this.#direct = false;
    this.#turning = true;
    passing_us = this.#real ? now_us : NaN;
    try {
      rounds.transmit();
      if (rounds.looped && this.#inTime()) {
        engine.calls.poll(now_us);
        rounds.transmit();
      }
      if (engine.u32[this.#events] !== 0 && this.#inTime()) {
        this.#direct = waits.dispatch() > 0;
      }
      if (rounds.looped || rounds.more || engine.u32[this.#events] !== 0) return false;
      if (ring.waiting) return false;
      return this.#engineDeadline() >= this.#alarm.at_us;
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
    this.#alarm.clear();
    this.#devices.close();
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
      work = this.#turn();
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
    this.#devices.wait(now_us, deadline_us, this.#worked_us);
    this.#alarm.set(now_us, deadline_us);
  }
}
