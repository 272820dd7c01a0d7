/**
 * A driver with nothing behind it: swallows what is sent and never receives.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
import { checkMtu, refuseSecondAttach } from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { DriverStats } from "./stats.ts";

export { NullDriver as default };

/** How the null driver presents itself. */
export interface NullOptions {
  /** Largest IP packet in bytes; 1500 unless told. */
  readonly mtu?: number;
  /** What it pretends to carry; `ethernet` unless told. */
  readonly medium?: Medium;
}

/** An interface to nowhere: for stacks that only use loopback, and for measuring the send path. */
export class NullDriver implements NetDriver {
  /** `null` */
  readonly name = "null";
  /** As asked for in the options. */
  readonly caps: DriverCaps;
  /** Frames swallowed are in `txFrames`. */
  readonly stats: DriverStats = newStats();
  #ifp: Ifnet | undefined = undefined;

  /** Throws a `RangeError` if the MTU is not in 68..65535. */
  constructor(options: NullOptions = {}) {
    const medium = options.medium ?? "ethernet";
    this.caps = {
      mtu: checkMtu(options.mtu ?? 1500),
      medium,
      pointToPoint: medium === "ip",
    };
  }

  /** Remembers the interface; `SocketError` EBUSY if there is one already. */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    this.#ifp = ifp;
  }

  /** Takes and forgets every frame. */
  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) this.stats.txBytes += tx.length(i);
    this.stats.txFrames += tx.count;
    return tx.count;
  }

  /** Always 0. */
  rx(_free: FrameBatch): number {
    return 0;
  }

  /** Forgets the interface. */
  detach(): void {
    this.#ifp = undefined;
  }
}
