/**
 * A driver with virtio headers, made to look like one without: an empty header goes before each
 * frame sent, and is taken off each frame received. So the contract can be held against it.
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";
import { FakeIfnet, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";

const HEADER_BYTES = 10;

/** The wrapped driver reads and writes in a memory of its own. */
export class WithoutVnet implements NetDriver {
  readonly name: string;
  readonly #inner: NetDriver;
  readonly #own = new FakeIfnet("own", new VirtualClock());

  constructor(inner: NetDriver) {
    this.#inner = inner;
    this.name = inner.name;
  }

  get caps(): DriverCaps {
    if (!this.#inner.caps.vnetHeader) throw new Error(`${this.name} has no virtio headers`);
    return { ...this.#inner.caps, vnetHeader: false };
  }

  attach(ifp: Ifnet): void | Promise<void> {
    return this.#inner.attach(ifp);
  }

  start(tx: FrameBatch): number {
    const frames = Array.from({ length: tx.count }, (_, i) => {
      const frame = new Uint8Array(tx.length(i) === 0 ? 0 : HEADER_BYTES + tx.length(i));
      if (frame.length > 0) frame.set(tx.view(i), HEADER_BYTES);
      return frame;
    });
    return this.#inner.start(this.#own.txBatch(frames));
  }

  rx(free: FrameBatch): number {
    const room = free.count === 0 ? 0 : HEADER_BYTES + free.length(0);
    const batch = this.#own.freeBatch(free.count, room);
    const filled = this.#inner.rx(batch);
    if (this.#own.strayWrite(batch) !== -1) throw new Error("rx wrote outside the empty frames");
    this.#own.filled(batch, filled).forEach((frame, i) => {
      free.memory.set(frame.subarray(HEADER_BYTES), free.address(i));
      free.setLength(i, frame.length - HEADER_BYTES);
    });
    return filled;
  }

  poll(timeout_us: number): boolean {
    return this.#inner.poll!(timeout_us);
  }

  detach(): void | Promise<void> {
    return this.#inner.detach();
  }
}
