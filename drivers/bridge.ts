/**
 * A learning Ethernet bridge for any number of stacks of one process, after IEEE 802.1D.
 *
 * ```ts
 * import { Bridge } from "@godwit/godwit/drivers/bridge";
 * const bridge = new Bridge();
 * const [a, b, c] = [bridge.port(), bridge.port(), bridge.port()];
 * ```
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { FrameRing, ViewCache } from "./frame_ring.ts";
import { MacTable } from "./mac_table.ts";
import {
  checkMtu,
  ETHERNET_HEADER_BYTES,
  frameBytesMax,
  queueFrames,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { DriverStats } from "./stats.ts";

/** How the bridge is made. */
export interface BridgeOptions {
  /** Largest IP packet in bytes on every port; 1500 unless told. */
  readonly mtu?: number;
  /** Frames that may wait at each port; 1024 unless told, fewer of large ones. */
  readonly queue?: number;
  /** Hardware addresses remembered at most; 1024 unless told. */
  readonly addresses?: number;
  /** Seconds after which an address not seen is forgotten; 300 unless told (802.1D table 7-5). */
  readonly age_s?: number;
  /** The clock for ageing in microseconds; that of the first port's interface unless told. */
  readonly now?: () => number;
}

/** What a bridge did with the frames of all its ports. */
export interface BridgeStats {
  /** Frames put out on the one port where the destination is known to be. */
  forwarded: number;
  /** Frames put out on all other ports: broadcast, multicast, or destination unknown. */
  flooded: number;
  /** Frames whose destination is on the port they came from. */
  filtered: number;
  /** Frames too short or too long, from a group address, or to a reserved group address. */
  invalid: number;
  /** Copies of frames lost because the queue of a port was full. */
  queueFull: number;
  /** Addresses not learnt because the table was full. */
  tableFull: number;
}

/** The bridge; its ports are the drivers. */
export class Bridge {
  /** What the bridge did so far. */
  readonly stats: BridgeStats = {
    forwarded: 0,
    flooded: 0,
    filtered: 0,
    invalid: 0,
    queueFull: 0,
    tableFull: 0,
  };
  readonly #mtu: number;
  readonly #queue: number;
  readonly #now: (() => number) | undefined;
  readonly #table: MacTable<BridgePort>;
  readonly #ports: BridgePort[] = [];
  #nextPort = 1;

  /** Throws a `RangeError` for an option out of its range. */
  constructor(options: BridgeOptions = {}) {
    this.#mtu = checkMtu(options.mtu ?? 1500);
    const most = queueFrames(frameBytesMax("ethernet", this.#mtu));
    this.#queue = wholeInRange("queue", options.queue ?? most, 1, 65536);
    this.#now = options.now;
    const addresses = wholeInRange("addresses", options.addresses ?? 1024, 1, 1 << 20);
    const age_s = wholeInRange("age_s", options.age_s ?? 300, 1, 1_000_000);
    this.#table = new MacTable(addresses, age_s * 1e6);
  }

  /** Makes one more port; it takes part from its `attach` to its `detach`. */
  port(): BridgePort {
    return new BridgePort(this, this.#nextPort++, this.#mtu, this.#queue);
  }

  /** How many addresses are remembered. */
  get addresses(): number {
    return this.#table.size;
  }

  /** Called by a port that was attached. */
  add(port: BridgePort): void {
    this.#ports.push(port);
  }

  /** Called by a port that was detached. */
  remove(port: BridgePort): void {
    const at = this.#ports.indexOf(port);
    if (at >= 0) this.#ports.splice(at, 1);
    this.#table.forgetPort(port);
    // The clock changes with the first port, and times of two clocks cannot be compared.
    if (at === 0 && !this.#now) this.#table.clear();
  }

  /** Time for ageing in microseconds; read by a port once for a batch. */
  now(): number {
    return this.#now ? this.#now() : this.#ports[0].now();
  }

  /** Called by a port for each valid frame that its stack sends. */
  relay(from: BridgePort, frame: Uint8Array<ArrayBuffer>, now_us: number): void {
    // 802.1D section 7.8: a group address is never a source, so it is not learnt but discarded.
    if ((frame[6] & 1) !== 0 || isReservedGroup(frame)) {
      this.stats.invalid++;
      return;
    }
    if (!this.#table.learn(macNumber(frame, 6), from, now_us)) this.stats.tableFull++;
    const group = (frame[0] & 1) !== 0;
    const to = group ? undefined : this.#table.lookup(macNumber(frame, 0), now_us);
    if (to === from) {
      this.stats.filtered++;
    } else if (to) {
      this.stats.forwarded++;
      if (!to.deliver(frame)) this.stats.queueFull++;
    } else {
      this.#flood(from, frame);
    }
  }

  /** Called by a port at the end of a batch: wakes every port that frames were queued at. */
  wakePorts(): void {
    for (const port of this.#ports) port.wakeIfFresh();
  }

  #flood(from: BridgePort, frame: Uint8Array<ArrayBuffer>): void {
    this.stats.flooded++;
    for (const port of this.#ports) {
      if (port !== from && !port.deliver(frame)) this.stats.queueFull++;
    }
  }
}

/**
 * One port of a bridge. Never busy: a bridge whose one port is full must not hold up the others, so
 * the frame is dropped at that port and counted.
 */
export class BridgePort implements NetDriver {
  /** `bridge` */
  readonly name = "bridge";
  /** MTU of the bridge, Ethernet. */
  readonly caps: DriverCaps;
  /** Number of the port in its bridge, from 1. */
  readonly number: number;
  /** What went through this port. */
  readonly stats: DriverStats = newStats();
  readonly #bridge: Bridge;
  readonly #views = new ViewCache();
  readonly #outbound: FrameRing;
  readonly #frameBytesMax: number;
  #ifp: Ifnet | undefined = undefined;
  #fresh = false;

  /** Made by `Bridge.port`. */
  constructor(bridge: Bridge, number: number, mtu: number, queue: number) {
    this.#bridge = bridge;
    this.number = number;
    this.caps = { mtu, medium: "ethernet" };
    this.#frameBytesMax = frameBytesMax("ethernet", mtu);
    this.#outbound = new FrameRing(queue, this.#frameBytesMax);
  }

  /** Joins the bridge; `SocketError` EBUSY if the port is attached. */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    this.#ifp = ifp;
    this.#bridge.add(this);
  }

  /** Gives frames to the bridge; takes all of them. */
  start(tx: FrameBatch): number {
    const count = tx.count;
    if (count === 0 || !this.#ifp) return 0;
    const now_us = this.#bridge.now();
    for (let i = 0; i < count; i++) {
      const length = tx.length(i);
      if (length < ETHERNET_HEADER_BYTES || length > this.#frameBytesMax) {
        this.stats.txDropped++;
        this.#bridge.stats.invalid++;
        continue;
      }
      this.stats.txFrames++;
      this.stats.txBytes += length;
      this.#bridge.relay(this, this.#views.get(tx.memory, tx.address(i), length), now_us);
    }
    this.#bridge.wakePorts();
    return count;
  }

  /** Copies queued frames into the empty ones. */
  rx(free: FrameBatch): number {
    const ring = this.#outbound;
    let filled = 0;
    while (filled < free.count && ring.count > 0) {
      const length = ring.headLength;
      if (length > free.length(filled)) {
        ring.drop();
        this.stats.rxDropped++;
        continue;
      }
      ring.shift(free.memory, free.address(filled));
      free.setLength(filled, length);
      this.stats.rxBytes += length;
      filled++;
    }
    this.stats.rxFrames += filled;
    return filled;
  }

  /** Leaves the bridge; frames still queued at the port are counted as dropped. */
  detach(): void {
    this.#ifp = undefined;
    this.#fresh = false;
    this.#views.clear();
    this.stats.rxDropped += this.#outbound.clear();
    this.#bridge.remove(this);
  }

  /** Called by the bridge: the clock of the interface in microseconds, 0 without one. */
  now(): number {
    return this.#ifp ? this.#ifp.now() : 0;
  }

  /** Called by the bridge: queues a frame for the stack; false, and counted, without room. */
  deliver(frame: Uint8Array<ArrayBuffer>): boolean {
    if (!this.#outbound.push(frame)) {
      this.stats.rxDropped++;
      return false;
    }
    this.#fresh = true;
    return true;
  }

  /** Called by the bridge: wakes the stack if frames were queued since the last time. */
  wakeIfFresh(): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    this.#ifp?.wake();
  }
}

/** The 6 bytes at `at` as one number, which is exact: 48 bits. */
function macNumber(frame: Uint8Array, at: number): number {
  const high = (frame[at] << 8) | frame[at + 1];
  const low = (frame[at + 2] << 24) | (frame[at + 3] << 16) | (frame[at + 4] << 8) | frame[at + 5];
  return high * 0x1_0000_0000 + (low >>> 0);
}

/** 01-80-C2-00-00-00 to -0F: for the link itself, never relayed (802.1D section 7.12.6). */
function isReservedGroup(frame: Uint8Array): boolean {
  return frame[0] === 0x01 && frame[1] === 0x80 && frame[2] === 0xc2 && frame[3] === 0 &&
    frame[4] === 0 && frame[5] < 0x10;
}
