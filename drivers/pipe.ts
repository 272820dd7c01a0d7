/**
 * A virtual Ethernet cable between two stacks of one process.
 *
 * ```ts
 * import { pipe } from "@godwit/godwit/drivers/pipe";
 * const [left, right] = pipe({ mtu: 1500 });
 * ```
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
import { FrameCopy, FrameRing } from "./frame_ring.ts";
import {
  checkMtu,
  frameBytesMax,
  queueFrames,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { DriverStats } from "./stats.ts";

/** Short queues keep round trips short, and what waits in them in the cache. */
const QUEUE_FRAMES = 128;

/** How the cable is made. */
export interface PipeOptions {
  /** Largest IP packet in bytes; 1500 unless told. */
  readonly mtu?: number;
  /** Frames that may wait in each direction; 128 unless told, fewer of large ones. */
  readonly queue?: number;
  /** What the cable carries; `ethernet` unless told. */
  readonly medium?: Medium;
}

/**
 * One end of a cable. A full queue makes the sender busy and loses nothing; frames towards an end
 * that nobody is attached to are counted as dropped, as on a cable without a far end.
 */
export class PipeEnd implements NetDriver {
  /** `pipe` */
  readonly name = "pipe";
  /** MTU and medium of the cable. */
  readonly caps: DriverCaps;
  /** What went through this end. */
  readonly stats: DriverStats = newStats();
  readonly #frameBytesMax: number;
  /** Frames on their way to this end. */
  readonly #inbound: FrameRing;
  readonly #half: number;
  readonly #copy = new FrameCopy();
  /** Empty frames of this end's stack, for what comes before the stack asks for it. */
  #lent: FrameBatch | undefined = undefined;
  /** Frames that were put there, and their lengths. */
  #placed = 0;
  readonly #lengths: number[] = [];
  #peer: PipeEnd = this;
  #ifp: Ifnet | undefined = undefined;
  /** This end was told "busy" and waits for a wake-up. */
  #blocked = false;

  /** Made by `pipe`, in pairs. */
  constructor(medium: Medium, mtu: number, queue: number) {
    const point = medium === "ip";
    this.caps = { mtu, medium, pointToPoint: point };
    this.#frameBytesMax = frameBytesMax(medium, mtu);
    this.#inbound = new FrameRing(queue, this.#frameBytesMax);
    this.#half = queue >> 1;
  }

  /** Joins two ends to one cable. */
  static join(left: PipeEnd, right: PipeEnd): void {
    left.#peer = right;
    right.#peer = left;
  }

  /** Plugs the end into an interface; `SocketError` EBUSY if it is in one. */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    this.#ifp = ifp;
  }

  /** Queues frames for the other end and wakes it once. */
  start(tx: FrameBatch): number {
    const count = tx.count;
    const peer = this.#peer.#ifp;
    if (!peer) {
      this.stats.txDropped += count;
      return count;
    }
    const end = this.#peer;
    const memory = tx.memory;
    const stats = this.stats;
    let queued = 0;
    let bytes = 0;
    let taken = 0;
    for (; taken < count; taken++) {
      const length = tx.length(taken);
      if (length < 1 || length > this.#frameBytesMax) {
        stats.txDropped++;
        continue;
      }
      if (!end.#take(memory, tx.address(taken), length)) {
        this.#blocked = true;
        stats.txBusy++;
        break;
      }
      queued++;
      bytes += length;
    }
    if (queued > 0) {
      stats.txFrames += queued;
      stats.txBytes += bytes;
      peer.wake();
    }
    return taken;
  }

  /** Takes a frame from the other end: into an empty one, or the queue; false if that is full. */
  #take(memory: Uint8Array<ArrayBuffer>, address: number, length: number): boolean {
    const ring = this.#inbound;
    const lent = this.#lent;
    const placed = this.#placed;
    if (placed + ring.count >= ring.capacity) return false;
    if (lent === undefined || ring.count > 0 || placed >= lent.count) {
      return ring.pushFrom(memory, address, length);
    }
    if (length > lent.length(placed)) return ring.pushFrom(memory, address, length);
    this.#copy.copy(memory, address, lent.memory, lent.address(placed), length);
    this.#lengths[placed] = length;
    this.#placed = placed + 1;
    return true;
  }

  /** What the other end sends goes into these, as long as there are some. */
  lend(free: FrameBatch): void {
    this.#lent = free;
    this.#lose();
  }

  /** What was put into frames that the stack has taken back is lost. */
  #lose(): void {
    this.stats.rxDropped += this.#placed;
    this.#placed = 0;
  }

  /** Copies what the other end sent into the empty frames, where it is not there already. */
  rx(free: FrameBatch): number {
    const ring = this.#inbound;
    const memory = free.memory;
    const stats = this.stats;
    let bytes = 0;
    let filled = 0;
    if (free !== this.#lent) this.#lose();
    for (const placed = this.#placed; filled < placed; filled++) {
      const length = this.#lengths[filled];
      free.setLength(filled, length);
      bytes += length;
    }
    this.#placed = 0;
    while (filled < free.count && ring.count > 0) {
      const length = ring.headLength;
      if (length > free.length(filled)) {
        ring.drop();
        stats.rxDropped++;
        continue;
      }
      ring.shift(memory, free.address(filled));
      free.setLength(filled, length);
      bytes += length;
      filled++;
    }
    stats.rxFrames += filled;
    stats.rxBytes += bytes;
    // Half empty, not merely no longer full: a sender woken for every frame would crawl.
    if (this.#peer.#blocked && ring.count <= this.#half) this.#peer.#unblock();
    return filled;
  }

  /** Unplugs the end; frames still on their way to it are counted as dropped. */
  detach(): void {
    this.#ifp = undefined;
    this.#blocked = false;
    this.#lent = undefined;
    this.#lose();
    this.#copy.clear();
    this.stats.rxDropped += this.#inbound.clear();
    if (this.#peer.#blocked) this.#peer.#unblock();
  }

  #unblock(): void {
    this.#blocked = false;
    this.#ifp?.wake();
  }
}

/**
 * Makes a cable and returns its two ends, one for each stack.
 *
 * @throws RangeError if the MTU is not in 68..65535 or the queue not in 1..65536 frames.
 */
export function pipe(options: PipeOptions = {}): [PipeEnd, PipeEnd] {
  const mtu = checkMtu(options.mtu ?? 1500);
  const medium = options.medium ?? "ethernet";
  const most = Math.min(QUEUE_FRAMES, queueFrames(frameBytesMax(medium, mtu)));
  const queue = wholeInRange("queue", options.queue ?? most, 1, 65536);
  const left = new PipeEnd(medium, mtu, queue);
  const right = new PipeEnd(medium, mtu, queue);
  PipeEnd.join(left, right);
  return [left, right];
}
