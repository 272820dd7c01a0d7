/**
 * What an untrusted protocol is told of interfaces: those that are new, have changed or are gone.
 *
 * @module
 */

import { RecordFlag, RecordKind } from "../../assembly/abi/untrusted.ts";
import type { KernelInterface } from "./interfaces.ts";
import type { Kernel } from "./kernel.ts";
import type { RecordQueue } from "./records.ts";

/** What one protocol was told. */
export class InterfaceNews {
  readonly #queue: RecordQueue;
  /** What was said of each, by index. */
  readonly #told = new Map<number, string>();

  /** With the queue for its records. */
  constructor(queue: RecordQueue) {
    this.#queue = queue;
  }

  /** Tells what is new since the last time; what finds no room is told the next time. */
  tell(kernel: Kernel): void {
    const gone = new Set(this.#told.keys());
    for (const it of kernel.interfaces()) {
      gone.delete(it.index);
      const now = [it.name, it.up, it.mtu, it.hwaddr, it.addresses].join();
      if (this.#told.get(it.index) === now) continue;
      if (this.#tellOf(it)) this.#told.set(it.index, now);
    }
    for (const index of gone) {
      const fields = { index, flags: RecordFlag.GONE };
      if (this.#queue.add(RecordKind.INTERFACE, 0, fields) >= 0) this.#told.delete(index);
    }
  }

  #tellOf({ index, name, up, ethernet, hwaddr, addresses }: KernelInterface): boolean {
    const flags = (up ? RecordFlag.UP : 0) | (ethernet ? RecordFlag.ETHERNET : 0);
    const fields = { index, flags, source: addresses[0] ?? 0 };
    const text = new TextEncoder().encode(name);
    const at = this.#queue.add(RecordKind.INTERFACE, text.length, fields);
    if (at < 0) return false;
    this.#queue.data(at, text.length).set(text);
    this.#queue.setHwaddr(at, hwaddr);
    return true;
  }
}
