/**
 * One direction of a link: a queue, a rate, a delay, and all that goes wrong on the way.
 *
 * A frame meets, in this order: the cut (partition), the queue with its marks and drops, the rate,
 * then loss, damage and duplication on the wire, and at last the delay with jitter and reordering.
 *
 * @module
 */

import type { Medium } from "../runtime/device/driver.ts";
import { Codel } from "./codel.ts";
import { damage, markCe } from "./frame.ts";
import { type Bursts, Gilbert } from "./gilbert.ts";
import type { Random } from "./random.ts";

/** How frames wait for the wire. */
export interface QueueSpec {
  /** `tail`: what finds the queue full is dropped. `codel`: RFC 8289. */
  readonly kind: "tail" | "codel";
  /** Most bytes that wait, the frame on the wire included. */
  readonly limit_bytes: number;
  /** Marks packets of senders that take part in ECN instead of dropping them (RFC 3168). */
  readonly ecn: boolean;
  /** `tail` with ECN: marks from this fill on; half of the limit unless told. */
  readonly mark_bytes?: number;
  /** `codel`: standing delay that is acceptable. */
  readonly target_us?: number;
  /** `codel`: the interval. */
  readonly interval_us?: number;
}

/** What one direction of a link is like; shares are from 0 to 1. */
export interface LineSpec {
  /** Bits a second; `Infinity` for a wire that is never busy. */
  readonly rate_bps: number;
  /** How long a frame is on its way. */
  readonly delay_us: number;
  /** Up to so much more, at random; the order stays. */
  readonly jitter_us: number;
  /** Frames wait here. */
  readonly queue: QueueSpec;
  /** Share of frames lost, each by itself. */
  readonly loss: number;
  /** Losses in bursts. */
  readonly bursts?: Bursts;
  /** Share of frames that arrive damaged. */
  readonly corrupt: number;
  /** Share of frames that arrive twice. */
  readonly duplicate: number;
  /** Share of frames that come late, so that others overtake them ... */
  readonly reorder: number;
  /** ... by up to so much. */
  readonly reorder_us: number;
  /** Longer frames vanish, and nobody is told: a black hole (RFC 2923 2.1). */
  readonly hole_bytes?: number;
  /** Arrivals are put off to a multiple of this, as a device that saves interrupts does. */
  readonly grain_us?: number;
}

/** What happened on a line. */
export interface LineStats {
  /** Frames that came to it. */
  frames: number;
  /** Frames that the cut swallowed. */
  cut: number;
  /** Frames that were too long for a black hole. */
  swallowed: number;
  /** Frames that the queue dropped. */
  dropped: number;
  /** Frames marked CE. */
  marked: number;
  /** Frames lost on the wire. */
  lost: number;
  /** Frames that arrived damaged. */
  corrupted: number;
  /** Frames that arrived twice. */
  duplicated: number;
  /** Frames that came late. */
  reordered: number;
}

/** The world around a line. */
export interface LineWorld {
  /** The time, in whole microseconds. */
  readonly now_us: number;
  /** Does something later. */
  at(at_us: number, action: () => void): void;
}

interface Waiting {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number;
  since_us: number;
}

/** One direction of a link. */
export class Line {
  /** What happened so far. */
  readonly stats: LineStats = {
    frames: 0,
    cut: 0,
    swallowed: 0,
    dropped: 0,
    marked: 0,
    lost: 0,
    corrupted: 0,
    duplicated: 0,
    reordered: 0,
  };
  /** True while nothing gets through. */
  severed = false;
  readonly #world: LineWorld;
  readonly #random: Random;
  readonly #gilbert: Gilbert | undefined;
  readonly #codel: Codel<Waiting> | undefined;
  readonly #arrive: (at_us: number, bytes: Uint8Array<ArrayBuffer>) => void;
  /** When the wire has sent all that was given to it. */
  #free_us = 0;
  #sending = false;
  #last_us = 0;

  /** `arrive` is told when and what comes out at the other end. */
  constructor(
    readonly spec: LineSpec,
    readonly medium: Medium,
    world: LineWorld,
    random: Random,
    arrive: (at_us: number, bytes: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.#world = world;
    this.#random = random;
    this.#arrive = arrive;
    this.#gilbert = spec.bursts && new Gilbert(spec.bursts, random);
    if (spec.queue.kind === "codel") this.#codel = this.#newCodel();
  }

  #newCodel(): Codel<Waiting> {
    const { limit_bytes, ecn, target_us, interval_us } = this.spec.queue;
    return new Codel<Waiting>({
      limit_bytes,
      target_us,
      interval_us,
      maxpacket_bytes: 1514,
      mark: (packet) => ecn && this.#mark((packet as Waiting).bytes),
      dropped: () => void this.stats.dropped++,
    });
  }

  /** Bytes that wait, what is on the wire included. */
  get backlog_bytes(): number {
    if (this.#codel) return this.#codel.bytes;
    const left_us = this.#free_us - this.#world.now_us;
    return left_us > 0 ? left_us * this.spec.rate_bps / 8e6 : 0;
  }

  /** When it is worth trying again to put a frame of `length` bytes into a full queue. */
  roomAt_us(length: number): number {
    const { rate_bps, queue } = this.spec;
    // CoDel takes the next one from its queue when the wire is free.
    const ahead_us = this.#codel ? 0 : (queue.limit_bytes - length) * 8e6 / rate_bps;
    return Math.max(Math.ceil(this.#free_us - ahead_us), this.#world.now_us + 1);
  }

  /** True if a frame of `length` bytes finds room now. */
  hasRoom(length: number): boolean {
    return this.backlog_bytes + length <= this.spec.queue.limit_bytes;
  }

  /** Takes a frame; the bytes are the line's from here on. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.stats.frames++;
    if (this.severed) {
      this.stats.cut++;
      return;
    }
    if (bytes.length > (this.spec.hole_bytes ?? Infinity)) {
      this.stats.swallowed++;
      return;
    }
    const now_us = this.#world.now_us;
    if (this.#codel) {
      this.#codel.enqueue({ bytes, length: bytes.length, since_us: now_us }, now_us);
      if (!this.#sending) this.#sendNext();
      return;
    }
    const { queue, rate_bps } = this.spec;
    const backlog = this.backlog_bytes;
    // The frame on the wire may be longer than the queue: an idle wire takes every frame.
    if (backlog > 0 && backlog + bytes.length > queue.limit_bytes) {
      this.stats.dropped++;
      return;
    }
    if (queue.ecn && backlog > (queue.mark_bytes ?? queue.limit_bytes / 2)) this.#mark(bytes);
    this.#free_us = Math.max(this.#free_us, now_us) + bytes.length * 8e6 / rate_bps;
    this.#wire(bytes, this.#free_us);
  }

  /** CoDel decides when a frame leaves the queue, so that is an event of its own. */
  #sendNext(): void {
    const now_us = this.#world.now_us;
    const packet = this.#codel!.dequeue(now_us);
    this.#sending = packet !== undefined;
    if (!packet) return;
    this.#free_us = Math.max(this.#free_us, now_us) + packet.length * 8e6 / this.spec.rate_bps;
    this.#wire(packet.bytes, this.#free_us);
    this.#world.at(Math.ceil(this.#free_us), () => this.#sendNext());
  }

  #mark(bytes: Uint8Array): boolean {
    const marked = markCe(bytes, this.medium);
    if (marked) this.stats.marked++;
    return marked;
  }

  /** A frame whose last bit leaves at `sent_us`. */
  #wire(bytes: Uint8Array<ArrayBuffer>, sent_us: number): void {
    const random = this.#random;
    const { spec, stats } = this;
    const lost = spec.loss > 0 && random.chance(spec.loss);
    if (this.#gilbert?.loses() || lost) {
      stats.lost++;
      return;
    }
    if (spec.duplicate > 0 && random.chance(spec.duplicate)) {
      stats.duplicated++;
      this.#travel(bytes.slice(), sent_us);
    }
    if (spec.corrupt > 0 && random.chance(spec.corrupt)) {
      stats.corrupted++;
      if (!damage(bytes, this.medium, random)) return;
    }
    this.#travel(bytes, sent_us);
  }

  #travel(bytes: Uint8Array<ArrayBuffer>, sent_us: number): void {
    const random = this.#random;
    const { jitter_us, delay_us, reorder, reorder_us, grain_us = 1 } = this.spec;
    let at_us = sent_us + delay_us;
    if (jitter_us > 0) at_us += random.unit() * jitter_us;
    if (reorder > 0 && random.chance(reorder)) {
      this.stats.reordered++;
      at_us += random.unit() * reorder_us;
    } else {
      at_us = Math.max(at_us, this.#last_us);
      this.#last_us = at_us;
    }
    this.#arrive(Math.ceil(at_us / grain_us) * grain_us, bytes);
  }
}
