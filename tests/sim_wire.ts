/**
 * A virtual wire for simulations: what is sent into one end comes out of all others, after a delay,
 * unless it gets lost.
 *
 * @module
 */

import type { ManualClock } from "../runtime/clock.ts";
import type { FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";

/** A frame on the wire. */
export interface WireFrame {
  /** The whole frame. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the port that sent it: the place of its stack, or of the raw endpoint. */
  readonly from: number;
  /** When it was sent, in microseconds. */
  readonly sent_us: number;
  /** How many frames were sent before it on this wire. */
  readonly n: number;
}

/** What the wire does. */
export interface WireOptions {
  /** How long a frame takes, in microseconds; 0 unless told. */
  readonly delay_us?: number | ((frame: WireFrame) => number);
  /** True for a frame that gets lost. */
  readonly loss?: (frame: WireFrame) => boolean;
  /** What arrives instead of a frame: changed, doubled or nothing. */
  readonly change?: (frame: WireFrame) => readonly Uint8Array<ArrayBuffer>[];
  /** Largest IP packet, 1500 unless told. */
  readonly mtu?: number;
  /** What the wire carries; `ethernet` unless told. */
  readonly medium?: Medium;
}

interface InFlight {
  readonly due_us: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An end of the wire: the driver of a stack, or a test that writes frames by hand. */
export class Port implements NetDriver {
  readonly name = "wire";
  readonly caps: { mtu: number; medium: Medium; hwaddr?: Uint8Array };
  /** Frames on their way to this end, by time of arrival. */
  readonly inbound: InFlight[] = [];
  ifp: Ifnet | undefined = undefined;

  constructor(readonly wire: Wire, readonly index: number) {
    const { mtu = 1500, medium = "ethernet" } = wire.options;
    this.caps = { mtu, medium, hwaddr: hwaddrOf(index) };
  }

  attach(ifp: Ifnet): void {
    this.ifp = ifp;
  }

  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) this.wire.send(this.index, tx.view(i).slice());
    return tx.count;
  }

  rx(free: FrameBatch): number {
    let filled = 0;
    while (filled < free.count && this.due(this.wire.clock.now_us())) {
      const { bytes } = this.inbound.shift()!;
      if (bytes.length > free.length(filled)) continue;
      free.memory.set(bytes, free.address(filled));
      free.setLength(filled, bytes.length);
      filled++;
    }
    return filled;
  }

  due(now_us: number): boolean {
    return this.inbound.length > 0 && this.inbound[0].due_us <= now_us;
  }

  detach(): void {
    this.ifp = undefined;
  }
}

/** Hardware address of the end with a number: 02:00:00:00:00:01 and so on. */
export function hwaddrOf(index: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(2, 0, 0, 0, 0, index + 1);
}

/** Address of the host with a number: 10.0.0.1 and so on. */
export function addressOf(host: number): string {
  return `10.0.0.${host + 1}`;
}

/** The wire: every frame reaches every other end, as on a hub. */
export class Wire {
  /** All frames that were sent, lost ones too, in order. */
  readonly capture: WireFrame[] = [];
  /** What the wire does; may be changed between frames. */
  options: WireOptions;
  /** Its ends. */
  readonly ports: Port[] = [];

  /** `clock` tells when frames are sent and arrive. */
  constructor(readonly clock: ManualClock, options: WireOptions) {
    this.options = options;
  }

  /** Adds an end. */
  addPort(): Port {
    const port = new Port(this, this.ports.length);
    this.ports.push(port);
    return port;
  }

  /** Sends a frame from an end. */
  send(from: number, bytes: Uint8Array<ArrayBuffer>): void {
    const now_us = this.clock.now_us();
    const frame: WireFrame = { bytes, from, sent_us: now_us, n: this.capture.length };
    this.capture.push(frame);
    const { delay_us = 0, loss, change } = this.options;
    if (loss?.(frame)) return;
    const arriving = change === undefined ? [bytes] : change(frame);
    const due_us = now_us + (typeof delay_us === "number" ? delay_us : delay_us(frame));
    for (const port of this.ports) {
      if (port.index === from) continue;
      for (const copy of arriving) {
        const later = port.inbound.findIndex((other) => other.due_us > due_us);
        port.inbound.splice(later < 0 ? port.inbound.length : later, 0, { due_us, bytes: copy });
      }
    }
  }

  /** When the next frame arrives; `Infinity` if none is on its way. */
  get next_us(): number {
    return Math.min(...this.ports.map(({ inbound }) => inbound[0]?.due_us ?? Infinity), Infinity);
  }
}
