/**
 * Plays a capture file to a stack as if it came from a wire, and swallows or records what the stack
 * sends.
 *
 * ```ts ignore
 * import { openCapture } from "@godwit/godwit/drivers/capture";
 * import { CaptureWire } from "@godwit/godwit/drivers/capture_wire";
 * const capture = openCapture(Deno.readFileSync("some.pcap"));
 * const wire = new CaptureWire(capture, { pacing: "original" });
 * // attach it to a stack, then:
 * await wire.done;
 * ```
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { type CapturedFrame, type CaptureWriter, Linktype } from "./capture_types.ts";
import { carriesIp, ipPacketOf } from "./link_strip.ts";
import { checkMtu, refuseSecondAttach, wholeInRange } from "./options.ts";
import { type Schedule, timeoutSchedule } from "./schedule.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { DriverStats } from "./stats.ts";
export type { Schedule } from "./schedule.ts";

/** How a capture is played. */
export interface CaptureWireOptions {
  /**
   * `none` (unless told): as fast as the stack takes frames. `original`: with the gaps of the file.
   * A number: that many times as fast as the file.
   */
  readonly pacing?: "none" | "original" | number;
  /** Largest IP packet in bytes that the stack may send; 1500 unless told. */
  readonly mtu?: number;
  /** Hardware address for the stack to use, 6 bytes: the one that the captured frames go to. */
  readonly hwaddr?: Uint8Array;
  /** Frames handed over in one call at most; 1 lets a program look at the stack after each. */
  readonly batch?: number;
  /** Told of each frame as it is handed to the stack, with its number in the file from 0. */
  readonly onFrame?: (frame: CapturedFrame, index: number) => void;
  /** Where frames that the stack sends are recorded; thrown away unless told. */
  readonly record?: CaptureWriter;
  /** How to be called when the next frame is due; `setTimeout` unless told. */
  readonly schedule?: Schedule;
}

/** A wire on which a capture is played once. */
export class CaptureWire implements NetDriver {
  /** `capture` */
  readonly name = "capture";
  /** Ethernet if the first frame of the capture is, bare IP otherwise. */
  readonly caps: DriverCaps;
  /** Frames skipped, because of another link type or for want of room, are in `rxDropped`. */
  readonly stats: DriverStats = newStats();
  /**
   * Resolves when the stack has been given the last frame, or when the driver is detached; rejects
   * with the `CaptureError` if the file turns out bad, and then the interface goes down.
   */
  readonly done: Promise<void>;
  readonly #frames: Iterator<CapturedFrame>;
  readonly #record: CaptureWriter | undefined;
  readonly #onFrame: ((frame: CapturedFrame, index: number) => void) | undefined;
  readonly #schedule: Schedule;
  readonly #speed: number;
  readonly #batch: number;
  readonly #finish: () => void;
  readonly #fail: (error: unknown) => void;
  #ifp: Ifnet | undefined = undefined;
  #next: CapturedFrame | undefined;
  #index = 0;
  #first_us = 0;
  #attached_us = 0;
  #recordInterface = 0;
  #cancel: (() => void) | void = undefined;

  /**
   * Reads the first frame; `CaptureError` if that fails, `RangeError` for an option out of range or
   * a capture of a link type that carries neither Ethernet nor IP.
   */
  constructor(capture: Iterable<CapturedFrame>, options: CaptureWireOptions = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A program that does not look at `done` learns of the failure from the interface going down.
    promise.catch(() => {});
    this.done = promise;
    this.#finish = resolve;
    this.#fail = reject;
    this.#speed = speedOf(options.pacing ?? "none");
    this.#batch = wholeInRange("batch", options.batch ?? 65536, 1, 65536);
    this.#schedule = options.schedule ?? timeoutSchedule;
    this.#onFrame = options.onFrame;
    this.#record = options.record;
    this.#frames = capture[Symbol.iterator]();
    this.#pull();
    const linktype = this.#next?.linktype ?? Linktype.ETHERNET;
    if (linktype !== Linktype.ETHERNET && !carriesIp(linktype)) {
      throw new RangeError(`a capture of link type ${linktype} is neither Ethernet nor IP`);
    }
    const ethernet = linktype === Linktype.ETHERNET;
    this.#first_us = this.#next?.timestamp_us ?? 0;
    this.caps = {
      mtu: checkMtu(options.mtu ?? 1500),
      medium: ethernet ? "ethernet" : "ip",
      hwaddr: ethernet ? options.hwaddr : undefined,
      pointToPoint: !ethernet,
    };
  }

  /** Starts the clock of the playback. */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    if (this.#record) {
      const linktype = this.caps.medium === "ethernet" ? Linktype.ETHERNET : Linktype.RAW;
      this.#recordInterface = this.#record.addInterface({ name: ifp.name, linktype });
    }
    this.#ifp = ifp;
    this.#attached_us = ifp.now();
    ifp.wake();
  }

  /** Takes every frame, and records it with the time on the clock of the capture. */
  start(tx: FrameBatch): number {
    const count = tx.count;
    for (let i = 0; i < count; i++) {
      const length = tx.length(i);
      if (length < 1) {
        this.stats.txDropped++;
        continue;
      }
      this.stats.txFrames++;
      this.stats.txBytes += length;
      if (!this.#record || !this.#ifp) continue;
      this.#record.write({
        timestamp_us: Math.max(0, this.#first_us + this.#ifp.now() - this.#attached_us),
        data: tx.view(i),
        interface: this.#recordInterface,
        direction: "out",
      });
    }
    return count;
  }

  /** Hands over the frames that are due. */
  rx(free: FrameBatch): number {
    const ifp = this.#ifp;
    if (!ifp) return 0;
    const limit = Math.min(free.count, this.#batch);
    let filled = 0;
    while (filled < limit && this.#next) {
      const frame = this.#next;
      const wait_us = this.#wait_us(frame, ifp);
      if (wait_us > 0) {
        this.#arm(wait_us, ifp);
        break;
      }
      const data = this.#wireBytes(frame);
      if (data && data.length <= free.length(filled)) {
        free.memory.set(data, free.address(filled));
        free.setLength(filled, data.length);
        this.stats.rxBytes += data.length;
        this.stats.rxFrames++;
        filled++;
        this.#onFrame?.(frame, this.#index);
      } else {
        this.stats.rxDropped++;
      }
      this.#index++;
      if (!this.#advance(ifp)) break;
    }
    if (!this.#next) this.#finish();
    else if (filled > 0) this.#wakeForMore(ifp, free.count > limit);
    return filled;
  }

  /** Stops the playback; `done` resolves. */
  detach(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#ifp = undefined;
    this.#next = undefined;
    this.#record?.flush();
    this.#finish();
  }

  /** With a small `batch` the stack sees fewer frames than it asked for and would go to sleep. */
  #wakeForMore(ifp: Ifnet, shortened: boolean): void {
    if (shortened && this.#cancel === undefined) ifp.wake();
  }

  #wait_us(frame: CapturedFrame, ifp: Ifnet): number {
    if (this.#speed === 0) return 0;
    const due_us = this.#attached_us + (frame.timestamp_us - this.#first_us) / this.#speed;
    return due_us - ifp.now();
  }

  #arm(wait_us: number, ifp: Ifnet): void {
    if (this.#cancel !== undefined) return;
    let fired = false;
    const cancel = this.#schedule(wait_us, () => {
      fired = true;
      this.#cancel = undefined;
      if (this.#ifp === ifp) ifp.wake();
    });
    if (!fired) this.#cancel = cancel ?? (() => {});
  }

  /** Reads on; false if the file turned out bad. */
  #advance(ifp: Ifnet): boolean {
    try {
      this.#pull();
      return true;
    } catch (error) {
      this.#next = undefined;
      this.#fail(error);
      ifp.down(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #pull(): void {
    const step = this.#frames.next();
    this.#next = step.done ? undefined : step.value;
  }

  /** What of a frame goes over the wire: without FCS, and without the header of an IP capture. */
  #wireBytes(frame: CapturedFrame): Uint8Array<ArrayBuffer> | undefined {
    if (this.caps.medium === "ip") return ipPacketOf(frame);
    if (frame.linktype !== Linktype.ETHERNET) return undefined;
    const end = Math.min(frame.data.length, frame.originalLength - frame.fcsLength);
    return end < 1 ? undefined : frame.data.subarray(0, end);
  }
}

/** Speed relative to the file; 0 means that its times do not matter. */
function speedOf(pacing: "none" | "original" | number): number {
  if (pacing === "none") return 0;
  if (pacing === "original") return 1;
  if (!Number.isFinite(pacing) || pacing <= 0) {
    throw new RangeError(`pacing must be "none", "original" or a number above 0, not ${pacing}`);
  }
  return pacing;
}
