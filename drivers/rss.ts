/**
 * Receive-side scaling in software: one device, many stacks, which may live in Workers. Each flow
 * is served by one of them; all have the same addresses, and share nothing but rings of frames.
 *
 * ```ts
 * import { pipe } from "@godwit/godwit/drivers/pipe";
 * import { Rss, RssPort } from "@godwit/godwit/drivers/rss";
 * const [device] = pipe(); // or any other driver
 * const rss = await Rss.open(device, { shards: 2 });
 * const handle = rss.handle(0); // may be posted to a Worker
 * const driver = new RssPort(handle); // the driver of a stack there
 * await rss.close();
 * ```
 *
 * A frame goes to the stack that a symmetric hash of its addresses and ports names; ICMP errors go
 * by the packet they quote. Fragments and other protocols go by addresses alone. ARP replies,
 * broadcasts and multicasts reach all stacks; ARP requests and what is not IPv4 only the first. A
 * flow that a stack opens comes back to it.
 *
 * @module
 */

import type { Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { ANYONE, EVERYONE, FlowHash } from "./flow_hash.ts";
import { ETHERNET_HEADER_BYTES, frameBytesMax, wholeInRange } from "./options.ts";
import { PlainBatch } from "./plain_batch.ts";
import type { RssHandle } from "./rss_port.ts";
import { Bell, newRing, SharedRing } from "./shared_ring.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { DriverStats } from "./stats.ts";
export { type RssHandle, RssPort } from "./rss_port.ts";
export type { SharedRingHandle } from "./shared_ring.ts";

const SHARDS_MAX = 64;
/** Frames of one call of the device. */
const BATCH = 64;
/** Flows opened by stacks that are remembered; of too many the oldest is forgotten. */
const FLOWS_MAX = 1 << 16;
/** How often a device that cannot call is looked at. */
const POLL_MS = 1;

/** How the stacks are joined to the device. */
export interface RssOptions {
  /** How many stacks, 1 to 64. */
  readonly shards: number;
  /** Frames that may wait in each direction of each stack; 1024 unless told. */
  readonly queue?: number;
  /** Keeps peers from choosing who serves them; at random unless told. */
  readonly seed?: number;
}

/** A flow that a stack has opened, though its hash names another. */
interface Flow {
  readonly from: number;
  readonly to: number;
  readonly ports: number;
  readonly shard: number;
}

/** One stack as the owner of the device sees it. */
interface Shard {
  readonly handle: RssHandle;
  readonly inbound: SharedRing;
  readonly outbound: SharedRing;
  readonly bell: Bell;
  fresh: boolean;
}

/** The owner of a device. */
export class Rss {
  /** What went through the device; `rxDropped` counts frames for stacks whose ring was full. */
  readonly stats: DriverStats = newStats();
  readonly #device: NetDriver;
  readonly #shards: Shard[] = [];
  readonly #bell: Bell;
  readonly #batch: PlainBatch;
  readonly #flow: FlowHash;
  readonly #flows = new Map<number, Flow>();
  #polling: ReturnType<typeof setTimeout> | undefined = undefined;
  #closed = false;
  /** Why the device took its interface down. */
  #reason: string | undefined = undefined;

  private constructor(device: NetDriver, options: RssOptions, hwaddr: Uint8Array<ArrayBuffer>) {
    const { mtu, medium, pointToPoint, rxChecksum } = device.caps;
    const frameBytes = frameBytesMax(medium, mtu);
    this.#device = device;
    this.#batch = new PlainBatch(BATCH, frameBytes);
    const link = medium === "ethernet" ? ETHERNET_HEADER_BYTES : 0;
    const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
    this.#flow = new FlowHash(seed | 0, link);
    const ring = () => newRing(options.queue ?? 1024, frameBytes);
    const owner = new SharedArrayBuffer(4);
    this.#bell = new Bell(owner);
    for (let i = 0; i < options.shards; i++) {
      const bell = new SharedArrayBuffer(4);
      const handle: RssHandle = {
        caps: { mtu, medium, pointToPoint, rxChecksum, hwaddr },
        inbound: ring(),
        outbound: ring(),
        bells: [bell, owner],
      };
      this.#shards.push({
        handle,
        inbound: new SharedRing(handle.inbound),
        outbound: new SharedRing(handle.outbound),
        bell: new Bell(bell),
        fresh: false,
      });
    }
  }

  /**
   * Opens a device for so many stacks. `RangeError` for impossible options, and for a device whose
   * frames begin with a virtio_net_hdr; `SocketError`s of the device.
   */
  static async open(device: NetDriver, options: RssOptions): Promise<Rss> {
    wholeInRange("shards", options.shards, 1, SHARDS_MAX);
    wholeInRange("queue", options.queue ?? 1024, 1, 65536);
    let rss: Rss | undefined = undefined;
    const ifp: Ifnet = {
      name: "rss0",
      index: 1,
      hwaddr: crypto.getRandomValues(new Uint8Array(6)),
      memory: new Uint8Array(0),
      now: () => performance.now() * 1000,
      wake: () => rss?.wake(),
      down: (reason) => void rss?.fail(reason),
    };
    ifp.hwaddr[0] = (ifp.hwaddr[0] & 0xfc) | 2; // local, of one station
    await device.attach(ifp);
    if (device.caps.vnetHeader) {
      await device.detach();
      throw new RangeError("a device with vnetHeader cannot be shared by rss");
    }
    rss = new Rss(device, options, Uint8Array.from(device.caps.hwaddr ?? ifp.hwaddr));
    rss.#begin();
    return rss;
  }

  /** What the end of stack `i` is made from. */
  handle(i: number): RssHandle {
    return this.#shards[wholeInRange("shard", i, 0, this.#shards.length - 1)].handle;
  }

  /** Why the device took its interface down; `undefined` while it works. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Called by the device: frames have arrived, or it takes frames again. */
  wake(): void {
    this.#bell.ring();
  }

  /** Called by the device: it works no more. */
  fail(reason: string): void {
    this.#reason = reason;
  }

  /** Closes the device. The stacks keep their ends, on which nothing happens any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#polling);
    this.#bell.close();
    await this.#device.detach();
  }

  #begin(): void {
    this.#bell.listen(() => this.#pump());
    if (this.#device.poll) this.#poll();
    this.wake();
  }

  #poll(): void {
    this.#polling = setTimeout(() => {
      this.#pump();
      if (!this.#closed) this.#poll();
    }, POLL_MS);
  }

  /** Moves a batch in each direction, and rings for itself if there may be more. */
  #pump(): void {
    if (this.#closed || this.#reason !== undefined) return;
    let more = this.#receive() === BATCH;
    for (const [i, shard] of this.#shards.entries()) {
      if (this.#send(shard, i) === BATCH) more = true;
    }
    if (more) this.wake();
  }

  #receive(): number {
    const batch = this.#batch.begin(BATCH);
    const count = this.#device.rx(batch);
    for (let i = 0; i < count; i++) {
      const length = batch.length(i);
      this.#flow.read(batch.data, batch.address(i), length);
      this.stats.rxFrames++;
      this.stats.rxBytes += length;
      const to = this.#target();
      if (to !== EVERYONE) this.#deliver(this.#shards[to], i);
      else for (const shard of this.#shards) this.#deliver(shard, i);
    }
    for (const shard of this.#shards) {
      if (shard.fresh) shard.bell.ring();
      shard.fresh = false;
    }
    return count;
  }

  /** Who gets the frame that was read last: a number, or EVERYONE. */
  #target(): number {
    const { hash, from, to, ports } = this.#flow;
    if (hash < 0) return hash === ANYONE ? 0 : EVERYONE;
    const known = this.#flows.size > 0 ? this.#flows.get(hash | 0) : undefined;
    const back = (ports << 16 | ports >>> 16) >>> 0;
    const same = known !== undefined && (
      known.from === to && known.to === from && known.ports === back ||
      known.from === from && known.to === to && known.ports === ports // quoted by ICMP
    );
    return same ? known.shard : hash % this.#shards.length;
  }

  #deliver(shard: Shard, i: number): void {
    const batch = this.#batch;
    if (shard.inbound.push(batch.memory, batch.address(i), batch.length(i))) shard.fresh = true;
    else this.stats.rxDropped++;
  }

  /** Answers how many frames of a stack the device took. */
  #send(shard: Shard, index: number): number {
    const ring = shard.outbound;
    const count = Math.min(BATCH, ring.count);
    if (count === 0) return 0;
    const batch = this.#batch.begin(count);
    for (let i = 0; i < count; i++) {
      batch.setLength(i, ring.length(i));
      ring.copy(i, batch.memory, batch.address(i));
    }
    const taken = this.#device.start(batch);
    for (let i = 0; i < taken; i++) {
      this.stats.txBytes += batch.length(i);
      this.#learn(batch, i, index);
    }
    this.stats.txFrames += taken;
    if (taken < count) this.stats.txBusy++;
    ring.drop(taken);
    if (taken > 0) shard.bell.ring(); // there is room again
    return taken;
  }

  /** Remembers a flow that a stack opens, if the answer would go to another. */
  #learn(batch: PlainBatch, i: number, shard: number): void {
    if (this.#shards.length === 1) return;
    const flow = this.#flow;
    flow.read(batch.data, batch.address(i), batch.length(i));
    if (!flow.opens || flow.hash < 0) return;
    const key = flow.hash | 0;
    if (flow.hash % this.#shards.length === shard) return;
    const known = this.#flows.get(key);
    if (known?.shard === shard && known.from === flow.from && known.ports === flow.ports) return;
    // Answers of a flow that another stack opened go out too, and change nothing.
    if (known?.from === flow.to && known.to === flow.from) return;
    if (this.#flows.size >= FLOWS_MAX) this.#flows.delete(this.#flows.keys().next().value!);
    const { from, to, ports } = flow;
    this.#flows.set(key, { from, to, ports, shard });
  }
}
