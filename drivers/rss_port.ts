/**
 * The end of one stack of those that share a device by receive-side scaling; see rss.ts.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { SocketError } from "../runtime/errors.ts";
import { refuseSecondAttach } from "./options.ts";
import { Bell, SharedRing, type SharedRingHandle } from "./shared_ring.ts";
import { type DriverStats, newStats } from "./stats.ts";

/** What a stack's end is made from; it can be posted to a Worker. */
export interface RssHandle {
  /** MTU, medium and hardware address of the device. */
  readonly caps: DriverCaps;
  /** Frames to the stack. */
  readonly inbound: SharedRingHandle;
  /** Frames from it. */
  readonly outbound: SharedRingHandle;
  /** What wakes the stack, and what wakes the owner of the device. */
  readonly bells: readonly [stack: SharedArrayBuffer, owner: SharedArrayBuffer];
}

/** The end of one stack: its driver. */
export class RssPort implements NetDriver {
  /** `rss` */
  readonly name = "rss";
  /** Those of the device. */
  readonly caps: DriverCaps;
  /** What went through this end. */
  readonly stats: DriverStats = newStats();
  readonly #inbound: SharedRing;
  readonly #outbound: SharedRing;
  readonly #handle: RssHandle;
  readonly #owner: Bell;
  #bell: Bell | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;

  /** The end that a handle is of; there must not be two. */
  constructor(handle: RssHandle) {
    this.caps = handle.caps;
    this.#handle = handle;
    this.#inbound = new SharedRing(handle.inbound);
    this.#outbound = new SharedRing(handle.outbound);
    this.#owner = new Bell(handle.bells[1]);
  }

  /** Begins to listen; `SocketError` EBUSY if it does. */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    if (typeof Atomics.waitAsync !== "function") {
      throw new SocketError(Errno.EOPNOTSUPP, "if_attach", "Atomics.waitAsync is missing");
    }
    this.#ifp = ifp;
    this.#bell = new Bell(this.#handle.bells[0]);
    this.#bell.listen(() => this.#ifp?.wake());
  }

  /** Puts frames into the ring; busy when it is full. */
  start(tx: FrameBatch): number {
    const { count, memory } = tx;
    const { stats } = this;
    let taken = 0;
    for (; taken < count; taken++) {
      const length = tx.length(taken);
      if (length < 1 || length > this.#outbound.frameBytes) {
        stats.txDropped++;
        continue;
      }
      if (!this.#outbound.push(memory, tx.address(taken), length)) {
        stats.txBusy++;
        break;
      }
      stats.txFrames++;
      stats.txBytes += length;
    }
    this.#owner.ring();
    return taken;
  }

  /** Copies frames from the ring. */
  rx(free: FrameBatch): number {
    const ring = this.#inbound;
    const waiting = ring.count;
    let filled = 0;
    let seen = 0;
    for (; seen < waiting && filled < free.count; seen++) {
      const length = ring.length(seen);
      if (length < 1 || length > free.length(filled)) {
        this.stats.rxDropped++;
        continue;
      }
      ring.copy(seen, free.memory, free.address(filled));
      free.setLength(filled++, length);
      this.stats.rxBytes += length;
    }
    ring.drop(seen);
    this.stats.rxFrames += filled;
    return filled;
  }

  /** Stops listening. */
  detach(): void {
    this.#bell?.close();
    this.#bell = undefined;
    this.#ifp = undefined;
    const left = this.#inbound.count;
    this.stats.rxDropped += left;
    this.#inbound.drop(left);
  }
}
