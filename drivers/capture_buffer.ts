/**
 * The output buffer of the capture writers: numbers in either byte order, handed to the sink in
 * large pieces.
 *
 * @module
 */

import type { CaptureSink, FrameToWrite } from "./capture_types.ts";

const BUFFER_BYTES = 65_536;

/** Collects bytes and gives them to a sink, 64 KiB or one large item at a time. */
export class CaptureBuffer {
  readonly #sink: CaptureSink;
  readonly #littleEndian: boolean;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  #view: DataView = new DataView(this.#bytes.buffer);
  #used = 0;
  #closed = false;

  /** Numbers are written in the byte order given. */
  constructor(sink: CaptureSink, littleEndian: boolean) {
    this.#sink = sink;
    this.#littleEndian = littleEndian;
  }

  /** Makes sure that `bytes` more fit, so that an item is never handed over in two pieces. */
  reserve(bytes: number): void {
    if (this.#closed) throw new TypeError("the capture writer is closed");
    if (this.#used + bytes <= this.#bytes.length) return;
    this.flush();
    if (bytes <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Appends 16 bits. */
  u16(value: number): void {
    this.#view.setUint16(this.#used, value, this.#littleEndian);
    this.#used += 2;
  }

  /** Appends 32 bits. */
  u32(value: number): void {
    this.#view.setUint32(this.#used, value, this.#littleEndian);
    this.#used += 4;
  }

  /** Appends bytes, and zeros up to the next multiple of `align`. */
  bytes(data: Uint8Array, align = 1): void {
    this.#bytes.set(data, this.#used);
    this.#used += data.length;
    const padding = (align - data.length % align) % align;
    this.#bytes.fill(0, this.#used, this.#used + padding);
    this.#used += padding;
  }

  /** Hands a copy of what was collected to the sink. */
  flush(): void {
    if (this.#used === 0) return;
    const piece = this.#bytes.slice(0, this.#used);
    this.#used = 0;
    this.#sink(piece);
  }

  /** Flushes and refuses everything afterwards. Twice is harmless. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.flush();
  }
}

/** Time of a frame in nanoseconds; `RangeError` if it is negative or not a number. */
export function frameTime_ns(frame: FrameToWrite): bigint {
  if (frame.timestamp_ns !== undefined) {
    if (frame.timestamp_ns < 0n) throw new RangeError("timestamp_ns must not be negative");
    return frame.timestamp_ns;
  }
  const time_us = frame.timestamp_us;
  if (!Number.isFinite(time_us) || time_us < 0) {
    throw new RangeError(`timestamp_us must be a number of at least 0, not ${time_us}`);
  }
  // Whole and broken part apart: the product of a large time with 1000 would not be exact.
  const whole = Math.floor(time_us);
  return BigInt(whole) * 1000n + BigInt(Math.floor((time_us - whole) * 1000));
}

/** Wire length of a frame; `RangeError` if it is less than what there is of it. */
export function frameWireLength(frame: FrameToWrite): number {
  const length = frame.originalLength ?? frame.data.length;
  if (!Number.isInteger(length) || length < frame.data.length || length > 0xffff_ffff) {
    throw new RangeError(`originalLength must be at least ${frame.data.length}, not ${length}`);
  }
  return length;
}
