/**
 * The end of a link at a stack: a driver like any other, on the virtual clock.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import type { Line } from "./line.ts";

/** Sees every frame that a port sends or takes in. */
export type Tap = (port: Port, direction: "in" | "out", bytes: Uint8Array<ArrayBuffer>) => void;

/** What a port needs of the world. */
export interface PortWorld {
  /** Sees all frames. */
  readonly tap: Tap;
  /** Does something later. */
  at(at_us: number, action: () => void): void;
}

/** An end of a link. */
export class Port implements NetDriver {
  /** `sim` */
  readonly name = "sim";
  /** Frames that have arrived and were not taken in yet. */
  readonly inbound: Uint8Array<ArrayBuffer>[] = [];
  /** Where what is sent goes; set when the link is made. */
  line: Line | undefined = undefined;
  /** Frames that were longer than the frames lent by the stack. */
  oversized = 0;
  #ifp: Ifnet | undefined = undefined;
  #waking = false;

  /**
   * @param id number of the port in its world
   * @param label `h0/eth0`, for captures
   * @param backpressure the driver says that it is busy, rather than lose frames, when the line's
   * queue is full
   * @param arrived called when a frame waits in `inbound`
   */
  constructor(
    readonly id: number,
    readonly label: string,
    readonly caps: DriverCaps,
    readonly backpressure: boolean,
    readonly world: PortWorld,
    readonly arrived: () => void,
  ) {}

  /** Binds to an interface; of a restored stack too, which takes the place of its predecessor. */
  attach(ifp: Ifnet): void {
    this.#ifp = ifp;
  }

  /** Sends. */
  start(tx: FrameBatch): number {
    const line = this.line!;
    for (let i = 0; i < tx.count; i++) {
      const length = tx.length(i);
      if (this.backpressure && !line.severed && !line.hasRoom(length)) {
        if (line.backlog_bytes > 0) {
          this.#wakeAt(line.roomAt_us(length));
          return i;
        }
      }
      const at = tx.address(i);
      const bytes = tx.memory.slice(at, at + length);
      this.world.tap(this, "out", bytes);
      line.send(bytes);
    }
    return tx.count;
  }

  #wakeAt(at_us: number): void {
    if (this.#waking) return;
    this.#waking = true;
    this.world.at(at_us, () => {
      this.#waking = false;
      this.#ifp?.wake();
      this.arrived();
    });
  }

  /** A frame has come out of the other end's line. */
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    this.world.tap(this, "in", bytes);
    this.inbound.push(bytes);
    this.arrived();
  }

  /** Hands in what has arrived. */
  rx(free: FrameBatch): number {
    const { inbound } = this;
    let filled = 0;
    let taken = 0;
    while (filled < free.count && taken < inbound.length) {
      const bytes = inbound[taken++];
      if (bytes.length > free.length(filled)) {
        this.oversized++;
        continue;
      }
      free.memory.set(bytes, free.address(filled));
      free.setLength(filled++, bytes.length);
    }
    inbound.splice(0, taken);
    return filled;
  }

  /** Unbinds. */
  detach(): void {
    this.#ifp = undefined;
  }
}
