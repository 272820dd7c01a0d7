/**
 * Writes pcapng capture files: several interfaces, microseconds or nanoseconds, both byte orders,
 * and the direction of each frame.
 *
 * @module
 */

import { FrameFilter, type FrameFilterSource } from "../filter/mod.ts";
import { CaptureBuffer, frameTime_ns, frameWireLength } from "./capture_buffer.ts";
import {
  type CaptureInterface,
  type CaptureSink,
  type CaptureWriter,
  type Direction,
  FRAME_BYTES_MAX,
  type FrameToWrite,
  Linktype,
} from "./capture_types.ts";
import { wholeInRange } from "./options.ts";
import * as ng from "./pcapng_blocks.ts";

/** Powers of ten for the option if_tsresol. */
const TSRESOL_US = 6;
const TSRESOL_NS = 9;
const NAME_BYTES_MAX = 255;

/** How a pcapng file is written. */
export interface PcapngWriterOptions {
  /** Write nanoseconds; false unless told. */
  readonly nanosecond?: boolean;
  /** Byte order; true unless told. */
  readonly littleEndian?: boolean;
  /** Name of the program, kept in the section header; `Godwit` unless told. */
  readonly application?: string;
  /** Which frames to write: an expression of tcpdump's language, or a program. */
  readonly filter?: FrameFilterSource;
}

/** Writes a pcapng file of one section. */
export class PcapngWriter implements CaptureWriter {
  readonly #out: CaptureBuffer;
  readonly #nanosecond: boolean;
  readonly #snaplens: number[] = [];
  readonly #linktypes: number[] = [];
  readonly #littleEndian: boolean;
  readonly #filter: FrameFilter | undefined;

  /** Buffers the section header; `FilterError` for a filter that has a fault. */
  constructor(sink: CaptureSink, options: PcapngWriterOptions = {}) {
    this.#nanosecond = options.nanosecond ?? false;
    this.#littleEndian = options.littleEndian ?? true;
    if (options.filter !== undefined) this.#filter = new FrameFilter(options.filter);
    this.#out = new CaptureBuffer(sink, this.#littleEndian);
    const application = shortText(options.application ?? "Godwit");
    const length = 24 + 4 + ng.padded(application.length) + 4 + 4;
    const out = this.#out;
    out.reserve(length);
    out.u32(ng.BLOCK_SECTION);
    out.u32(length);
    out.u32(ng.BYTE_ORDER_MAGIC);
    out.u16(1);
    out.u16(0);
    // Section length: not known while it is being written.
    out.u32(0xffff_ffff);
    out.u32(0xffff_ffff);
    this.#option(ng.OPT_SECTION_APPLICATION, application);
    out.u32(ng.OPT_END);
    out.u32(length);
  }

  /**
   * Adds an interface: Ethernet, 262144 bytes of each frame and no name unless told. `RangeError`
   * for a link type that the filter cannot be compiled for.
   */
  addInterface(iface: Partial<CaptureInterface> = {}): number {
    const linktype = wholeInRange("linktype", iface.linktype ?? Linktype.ETHERNET, 0, 0xffff);
    this.#filter?.program(linktype, this.#littleEndian);
    const snaplen = wholeInRange("snaplen", iface.snaplen || FRAME_BYTES_MAX, 1, FRAME_BYTES_MAX);
    const name = shortText(iface.name ?? "");
    const length = 16 + (name.length > 0 ? 4 + ng.padded(name.length) : 0) + 8 + 4 + 4;
    const out = this.#out;
    out.reserve(length);
    out.u32(ng.BLOCK_INTERFACE);
    out.u32(length);
    out.u16(linktype);
    out.u16(0);
    out.u32(snaplen);
    if (name.length > 0) this.#option(ng.OPT_IF_NAME, name);
    this.#option(ng.OPT_IF_TSRESOL, Uint8Array.of(this.#nanosecond ? TSRESOL_NS : TSRESOL_US));
    out.u32(ng.OPT_END);
    out.u32(length);
    this.#linktypes.push(linktype);
    return this.#snaplens.push(snaplen) - 1;
  }

  /** Adds a frame, if the filter keeps it; if no interface was added before, an Ethernet one is. */
  write(frame: FrameToWrite): void {
    if (this.#snaplens.length === 0) this.addInterface();
    const iface = wholeInRange("interface", frame.interface ?? 0, 0, this.#snaplens.length - 1);
    const time_ns = frameTime_ns(frame);
    const ticks = this.#nanosecond ? time_ns : time_ns / 1000n;
    if (ticks >= 1n << 64n) throw new RangeError(`a time of ${time_ns} ns does not fit`);
    const wire = frameWireLength(frame);
    const kept = this.#keep(iface, frame.data, wire);
    if (kept === 0 && this.#filter) return;
    const most = Math.min(kept, this.#snaplens[iface]);
    const data = frame.data.length > most ? frame.data.subarray(0, most) : frame.data;
    const length = 28 + ng.padded(data.length) + (frame.direction ? 12 : 0) + 4;
    const out = this.#out;
    out.reserve(length);
    out.u32(ng.BLOCK_PACKET);
    out.u32(length);
    out.u32(iface);
    out.u32(Number(ticks >> 32n));
    out.u32(Number(ticks & 0xffff_ffffn));
    out.u32(data.length);
    out.u32(wire);
    out.bytes(data, 4);
    if (frame.direction) this.#flags(frame.direction);
    out.u32(length);
  }

  #keep(iface: number, data: Uint8Array, wire: number): number {
    if (!this.#filter) return data.length;
    return this.#filter.keep(this.#linktypes[iface], data, wire, this.#littleEndian);
  }

  /** Hands everything buffered to the sink. */
  flush(): void {
    this.#out.flush();
  }

  /** Flushes; writing afterwards is a `TypeError`. */
  close(): void {
    this.#out.close();
  }

  #flags(direction: Direction): void {
    this.#out.u16(ng.OPT_PACKET_FLAGS);
    this.#out.u16(4);
    this.#out.u32(direction === "in" ? ng.FLAG_INBOUND : ng.FLAG_OUTBOUND);
    this.#out.u32(ng.OPT_END);
  }

  #option(code: number, value: Uint8Array): void {
    this.#out.u16(code);
    this.#out.u16(value.length);
    this.#out.bytes(value, 4);
  }
}

function shortText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > NAME_BYTES_MAX) {
    throw new RangeError(
      `a name of at most ${NAME_BYTES_MAX} bytes is needed, not ${bytes.length}`,
    );
  }
  return bytes;
}
