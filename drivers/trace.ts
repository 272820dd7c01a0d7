/**
 * A wrapper that lets another driver work and keeps a copy of every frame that goes through it.
 *
 * ```ts
 * import { PcapngWriter } from "@godwit/godwit/drivers/pcapng";
 * import { pipe } from "@godwit/godwit/drivers/pipe";
 * import { TraceDriver } from "@godwit/godwit/drivers/trace";
 * const pieces: Uint8Array<ArrayBuffer>[] = []; // or write them to a file
 * const writer = new PcapngWriter((bytes) => pieces.push(bytes));
 * const [left, right] = pipe();
 * const traced = new TraceDriver(left, { writer });
 * ```
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { FrameFilter, type FrameFilterSource } from "../filter/mod.ts";
import { type CaptureWriter, type Direction, Linktype } from "./capture_types.ts";
import { ObservedBatch } from "./observed_batch.ts";

/** Bytes of a virtio_net_hdr, which is no part of a frame and is left out. */
const VNET_HEADER_BYTES = 10;

/** What to do with the frames. */
export interface TraceOptions {
  /** Where to write them. Several drivers may share one; it is flushed, not closed, at the end. */
  readonly writer?: CaptureWriter;
  /** Called with a view of each frame, valid during the call; `out` is what the stack sends. */
  readonly onFrame?: (
    direction: Direction,
    frame: Uint8Array<ArrayBuffer>,
    time_us: number,
  ) => void;
  /**
   * Which frames to trace: an expression of tcpdump's language, such as `tcp port 80 or arp`, or a
   * program; all of them unless told. What a program does not keep of a frame is cut off.
   */
  readonly filter?: FrameFilterSource;
  /**
   * Added to the stack's clock to make the times written, in microseconds; 0 unless told. For the
   * time of day: `Date.now() * 1000` less the stack's clock at the same moment.
   */
  readonly epoch_us?: number;
}

/**
 * A driver that taps another. Frames that the other did not take are not in the trace. Should the
 * trace fail, for want of disk space or by an exception of the callback, it ends there and the
 * network goes on.
 *
 * Of a driver with virtio headers (`caps.vnetHeader`) the frames are traced as they are without:
 * some are longer than those of the wire, or have a checksum that the device was to compute.
 */
export class TraceDriver implements NetDriver {
  /** `trace(...)` with the name of the tapped driver. */
  readonly name: string;
  /** Present if the tapped driver has it. */
  readonly poll?: (timeout_us: number) => boolean;
  /** Present if the tapped driver has it. */
  readonly watch?: () => boolean;
  /** Why the trace ended before the driver was detached; undefined while all is well. */
  failure: unknown = undefined;
  /** How many frames were traced, both ways; without those that the filter rejects. */
  frames = 0;
  readonly #inner: NetDriver;
  readonly #options: TraceOptions;
  readonly #observed = new ObservedBatch();
  #ifp: Ifnet | undefined = undefined;
  #interface = 0;
  readonly #filter: FrameFilter | undefined;
  #linktype: number = Linktype.ETHERNET;
  /** Bytes before each frame that are not traced. */
  #before = 0;

  /**
   * Taps `inner`, which must not be attached anywhere else. `FilterError` for a filter that has a
   * fault.
   */
  constructor(inner: NetDriver, options: TraceOptions) {
    if (options.filter !== undefined) this.#filter = new FrameFilter(options.filter);
    this.#inner = inner;
    this.#options = options;
    this.name = `trace(${inner.name})`;
    if (inner.poll) this.poll = (timeout_us) => inner.poll!(timeout_us);
    if (inner.watch) this.watch = () => inner.watch!();
  }

  /** Those of the tapped driver. */
  get caps(): DriverCaps {
    return this.#inner.caps;
  }

  /**
   * Attaches the tapped driver and names the interface in the trace. `RangeError` if the writer
   * cannot hold this interface: a pcap file only has one link type.
   */
  async attach(ifp: Ifnet): Promise<void> {
    await this.#inner.attach(ifp);
    try {
      const linktype = this.caps.medium === "ethernet" ? Linktype.ETHERNET : Linktype.RAW;
      this.#linktype = linktype;
      this.#filter?.program(linktype);
      this.#before = this.caps.vnetHeader ? VNET_HEADER_BYTES : 0;
      this.#interface = this.#options.writer?.addInterface({ name: ifp.name, linktype }) ?? 0;
    } catch (error) {
      await this.#inner.detach();
      throw error;
    }
    this.#ifp = ifp;
  }

  /** Sends through the tapped driver and traces what it took. */
  start(tx: FrameBatch): number {
    const taken = this.#inner.start(tx);
    for (let i = 0; i < taken; i++) this.#trace("out", tx, i, tx.length(i));
    return taken;
  }

  /** Receives from the tapped driver and traces what it got. */
  rx(free: FrameBatch): number {
    const filled = this.#inner.rx(this.#observed.over(free));
    for (let i = 0; i < filled; i++) this.#trace("in", free, i, this.#observed.filledLength(i));
    return filled;
  }

  /** Detaches the tapped driver and flushes the trace. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    try {
      if (this.failure === undefined) this.#options.writer?.flush();
    } catch (error) {
      this.failure = error;
    }
    await this.#inner.detach();
  }

  #trace(direction: Direction, batch: FrameBatch, i: number, length: number): void {
    if (!this.#ifp || this.failure !== undefined || length <= this.#before) return;
    const { writer, onFrame, epoch_us = 0 } = this.#options;
    const address = batch.address(i);
    const whole = batch.memory.subarray(address + this.#before, address + length);
    const time_us = this.#ifp.now();
    try {
      const kept = this.#filter ? this.#filter.keep(this.#linktype, whole) : whole.length;
      if (kept === 0) return;
      const data = kept < whole.length ? whole.subarray(0, kept) : whole;
      writer?.write({
        originalLength: whole.length,
        timestamp_us: epoch_us + time_us,
        data,
        interface: this.#interface,
        direction,
      });
      onFrame?.(direction, data, time_us);
      this.frames++;
    } catch (error) {
      this.failure = error;
    }
  }
}
