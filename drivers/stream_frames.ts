/**
 * Frames in a stream of bytes: each behind its length, 4 bytes in network order. QEMU's
 * `-netdev stream` and `-netdev socket` have this format, and with them passt and gvproxy.
 *
 * @module
 */

import type { FrameBatch } from "../runtime/device/driver.ts";
import type { TunnelStats } from "./tunnel_stats.ts";

/** Bytes of the length. */
const LENGTH_BYTES = 4;

/**
 * Largest length that a peer may send. QEMU's buffers are that long (NET_BUFSIZE in its
 * include/net/net.h, 4096 + 65536); what says more is no length but a stream out of step.
 */
export const STREAM_FRAME_MAX = 69_632;

/** Room for reads; a longest frame always fits, and bulk data comes in large pieces. */
const READ_BYTES = 256 * 1024;

/** The receiving side: one buffer that is read into when it has no whole frame left. */
export class StreamReader {
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #begin = 0;
  #end = 0;

  /** Where the next bytes go: after `rx` has taken all whole frames, and one read at a time. */
  room(): Uint8Array<ArrayBuffer> {
    this.#buffer.copyWithin(0, this.#begin, this.#end);
    this.#end -= this.#begin;
    this.#begin = 0;
    return this.#buffer.subarray(this.#end);
  }

  /** So many bytes were put there. */
  added(count: number): void {
    this.#end += count;
  }

  /** True if there is something that `rx` would take: a frame, or a length that cannot be. */
  get ready(): boolean {
    const length = this.#length();
    return length > STREAM_FRAME_MAX || length >= 0 && this.#held >= LENGTH_BYTES + length;
  }

  /** True if the stream is in the middle of a frame. */
  get partial(): boolean {
    return this.#held > 0;
  }

  /** A length that no frame has, if one comes next; the stream is of no use then. */
  get hostile(): number | undefined {
    const length = this.#length();
    return length > STREAM_FRAME_MAX ? length : undefined;
  }

  /** Copies whole frames into the empty ones; counts those that are empty or have no room. */
  rx(free: FrameBatch, stats: TunnelStats): number {
    const memory = free.memory;
    let filled = 0;
    while (filled < free.count) {
      const length = this.#length();
      if (length < 0 || length > STREAM_FRAME_MAX || this.#held < LENGTH_BYTES + length) break;
      const from = this.#begin + LENGTH_BYTES;
      this.#begin = from + length;
      if (length === 0 || length > free.length(filled)) {
        stats.rxInvalid++;
        stats.rxDropped++;
        continue;
      }
      // A view for each frame: the one allocation here, as no copy goes without.
      memory.set(this.#buffer.subarray(from, this.#begin), free.address(filled));
      free.setLength(filled, length);
      stats.rxBytes += length;
      filled++;
    }
    stats.rxFrames += filled;
    return filled;
  }

  /** Forgets everything; answers how many whole frames were there. */
  clear(): number {
    let frames = 0;
    for (; this.ready && this.hostile === undefined; frames++) {
      this.#begin += LENGTH_BYTES + this.#length();
    }
    this.#begin = this.#end = 0;
    return frames;
  }

  get #held(): number {
    return this.#end - this.#begin;
  }

  /** The length that comes next; -1 if it is not whole yet. */
  #length(): number {
    return this.#held < LENGTH_BYTES ? -1 : this.#view.getUint32(this.#begin);
  }
}

/** The sending side: one buffer fills while the other is written. */
export class StreamWriter {
  #filling: Uint8Array<ArrayBuffer>;
  #writing: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #bytes = 0;
  #frames = 0;

  /** Room for `bytes` in each buffer. */
  constructor(bytes: number) {
    this.#filling = new Uint8Array(bytes);
    this.#writing = new Uint8Array(bytes);
    this.#view = new DataView(this.#filling.buffer);
  }

  /** Frames that wait. */
  get frames(): number {
    return this.#frames;
  }

  /** Appends a frame; false, with nothing changed, if there is no room. */
  put(frame: Uint8Array<ArrayBuffer>): boolean {
    const end = this.#bytes + LENGTH_BYTES + frame.length;
    if (end > this.#filling.length) return false;
    this.#view.setUint32(this.#bytes, frame.length);
    this.#filling.set(frame, this.#bytes + LENGTH_BYTES);
    this.#bytes = end;
    this.#frames++;
    return true;
  }

  /** What waits, to be written before the next call; what comes now goes to the other buffer. */
  take(): Uint8Array<ArrayBuffer> {
    const whole = this.#filling.subarray(0, this.#bytes);
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#view = new DataView(this.#filling.buffer);
    this.#bytes = this.#frames = 0;
    return whole;
  }
}
