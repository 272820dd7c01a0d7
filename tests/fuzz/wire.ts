/** A driver whose other end is the test: it hands frames in and looks at those that come out. */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import type { Bytes } from "./packets.ts";

/** One end of a cable that the test holds. */
export class Wire implements NetDriver {
  readonly name = "fuzz";
  readonly caps: DriverCaps;
  /** Frames that the stack has sent and nobody has taken yet. */
  readonly sent: Bytes[] = [];
  /** Frames handed to the stack so far. */
  delivered = 0;
  readonly #arriving: Uint8Array[] = [];

  constructor(hwaddr: Uint8Array) {
    this.caps = { mtu: 1500, medium: "ethernet", hwaddr };
  }

  attach(_ifp: Ifnet): void {}

  detach(): void {}

  /** Frames for the stack's next turn. */
  arrive(frames: readonly Uint8Array[]): void {
    this.#arriving.push(...frames);
  }

  /** How many frames the stack has not taken yet. */
  get waiting(): number {
    return this.#arriving.length;
  }

  /** Takes what the stack has sent. */
  take(): Bytes[] {
    return this.sent.splice(0);
  }

  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) this.sent.push(tx.view(i).slice());
    return tx.count;
  }

  rx(free: FrameBatch): number {
    const count = Math.min(free.count, this.#arriving.length);
    for (let i = 0; i < count; i++) {
      const frame = this.#arriving[i];
      const length = Math.min(frame.length, free.length(i));
      free.memory.set(frame.subarray(0, length), free.address(i));
      free.setLength(i, length);
    }
    this.#arriving.splice(0, count);
    this.delivered += count;
    return count;
  }
}
