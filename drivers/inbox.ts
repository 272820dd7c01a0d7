/**
 * Frames that a socket of the host has brought and the stack has not taken yet: a bounded queue.
 *
 * @module
 */

import type { FrameBatch, Medium } from "../runtime/device/driver.ts";
import { FrameRing } from "./frame_ring.ts";
import { frameBytesMax } from "./options.ts";
import type { TunnelStats } from "./tunnel_stats.ts";

/** Every host on an Ethernet may send this much, whatever is said here. */
const MTU_USUAL = 1500;

/**
 * Longest frame taken in, in bytes: that of the MTU, and at least that of an ordinary Ethernet, so
 * that a tunnel with a small MTU of its own still hears a peer that does not know of it.
 */
export function receiveBytesMax(medium: Medium, mtu: number): number {
  return frameBytesMax(medium, Math.max(mtu, MTU_USUAL));
}

/** The queue, which counts what it does not take. */
export class Inbox {
  readonly #ring: FrameRing;
  readonly #bytesMax: number;
  readonly #stats: TunnelStats;

  /** A queue of at most `slots` frames of at most `bytesMax` bytes each. */
  constructor(slots: number, bytesMax: number, stats: TunnelStats) {
    this.#ring = new FrameRing(slots, bytesMax);
    this.#bytesMax = bytesMax;
    this.#stats = stats;
  }

  /** Copies a frame to the end of the queue; false if it was dropped, and counted. */
  put(frame: Uint8Array<ArrayBuffer>): boolean {
    const length = frame.length;
    if (length < 1 || length > this.#bytesMax) {
      this.refuse();
      return false;
    }
    if (this.#ring.push(frame)) return true;
    this.#stats.rxQueueFull++;
    this.#stats.rxDropped++;
    return false;
  }

  /** True if half of the room is taken: the stack should not be long in coming. */
  get filling(): boolean {
    return 2 * this.#ring.count >= this.#ring.capacity;
  }

  /** Counts something that came and is no frame. */
  refuse(): void {
    this.#stats.rxInvalid++;
    this.#stats.rxDropped++;
  }

  /** Copies frames into the empty ones of a driver's `rx`; answers how many. */
  fill(free: FrameBatch): number {
    const ring = this.#ring;
    const memory = free.memory;
    const stats = this.#stats;
    let filled = 0;
    while (filled < free.count && ring.count > 0) {
      const length = ring.headLength;
      if (length > free.length(filled)) {
        ring.drop();
        this.refuse();
        continue;
      }
      ring.shift(memory, free.address(filled));
      free.setLength(filled, length);
      stats.rxBytes += length;
      filled++;
    }
    stats.rxFrames += filled;
    return filled;
  }

  /** Empties the queue; what was in it counts as dropped. */
  clear(): void {
    this.#stats.rxDropped += this.#ring.clear();
  }
}
