/**
 * The pcap capture file format, both byte orders, microseconds and nanoseconds: a reader over the
 * bytes of a file and a writer.
 *
 * @module
 */

import { FrameFilter, type FrameFilterSource } from "../filter/mod.ts";
import { CaptureBuffer, frameTime_ns, frameWireLength } from "./capture_buffer.ts";
import {
  type CapturedFrame,
  CaptureError,
  type CaptureInterface,
  type CaptureReader,
  type CaptureReaderOptions,
  type CaptureSink,
  type CaptureWriter,
  FRAME_BYTES_MAX,
  type FrameToWrite,
  Linktype,
} from "./capture_types.ts";
import { filteredFrame } from "./capture_filter.ts";
import { wholeInRange } from "./options.ts";

/** Magic number of a file with microseconds. */
const MAGIC_US = 0xa1b2c3d4;
/** Magic number of a file with nanoseconds. */
const MAGIC_NS = 0xa1b23c4d;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** In the last word of the file header: the top four bits are an FCS length. */
const FCS_PRESENT = 0x0400_0000;

/** True if the bytes begin with a pcap magic number in either byte order. */
export function isPcap(bytes: Uint8Array<ArrayBuffer>): boolean {
  return magicOf(bytes) !== undefined;
}

function magicOf(bytes: Uint8Array<ArrayBuffer>): { le: boolean; ns: boolean } | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const le of [true, false]) {
    const magic = view.getUint32(0, le);
    if (magic === MAGIC_US || magic === MAGIC_NS) return { le, ns: magic === MAGIC_NS };
  }
  return undefined;
}

/** Reads a pcap file held in memory. */
export class PcapReader implements CaptureReader {
  /** `pcap` */
  readonly format = "pcap";
  /** Byte order of the file. */
  readonly littleEndian: boolean;
  /** True if times in the file are in nanoseconds. */
  readonly nanosecond: boolean;
  /** The one interface that a pcap file has. */
  readonly interfaces: readonly CaptureInterface[];
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #fcsLength: number;
  readonly #filter: FrameFilter | undefined;

  /** Reads the file header; `CaptureError` if it is not one. */
  constructor(bytes: Uint8Array<ArrayBuffer>, options: CaptureReaderOptions = {}) {
    const magic = magicOf(bytes);
    if (!magic) throw new CaptureError(0, "no pcap magic number");
    if (bytes.length < FILE_HEADER_BYTES) {
      throw new CaptureError(
        bytes.length,
        `the file header of ${FILE_HEADER_BYTES} bytes is cut after ${bytes.length}`,
      );
    }
    this.littleEndian = magic.le;
    if (options.filter !== undefined) this.#filter = new FrameFilter(options.filter);
    this.nanosecond = magic.ns;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const major = this.#view.getUint16(4, magic.le);
    const minor = this.#view.getUint16(6, magic.le);
    if (major !== VERSION_MAJOR) {
      throw new CaptureError(4, `pcap version ${major}.${minor}, and only 2.x can be read`);
    }
    const last = this.#view.getUint32(20, magic.le);
    this.#fcsLength = (last & FCS_PRESENT) !== 0 ? (last >>> 28) * 2 : 0;
    const snaplen = this.#view.getUint32(16, magic.le);
    this.interfaces = [{ name: "", linktype: modernLinktype(last & 0xffff), snaplen }];
  }

  /** The frames in the order of the file, without those that the filter rejects. */
  *[Symbol.iterator](): Iterator<CapturedFrame> {
    const end = this.#bytes.length;
    for (let at = FILE_HEADER_BYTES; at < end;) {
      const frame = this.#record(at);
      at += RECORD_HEADER_BYTES + frame.data.length;
      const kept = filteredFrame(this.#filter, frame, this.littleEndian);
      if (kept) yield kept;
    }
  }

  #record(at: number): CapturedFrame {
    const rest = this.#bytes.length - at;
    if (rest < RECORD_HEADER_BYTES) {
      throw new CaptureError(
        at,
        `the record header of ${RECORD_HEADER_BYTES} bytes is cut after ${rest}`,
      );
    }
    const seconds = this.#view.getUint32(at, this.littleEndian);
    const fraction = this.#view.getUint32(at + 4, this.littleEndian);
    const captured = this.#view.getUint32(at + 8, this.littleEndian);
    const originalLength = this.#view.getUint32(at + 12, this.littleEndian);
    const { linktype, snaplen } = this.interfaces[0];
    if (captured > Math.max(snaplen, FRAME_BYTES_MAX)) {
      throw new CaptureError(at + 8, `a captured length of ${captured} bytes is not plausible`);
    }
    if (captured > originalLength) {
      throw new CaptureError(
        at + 8,
        `a captured length of ${captured} bytes for a frame of ${originalLength}`,
      );
    }
    const from = at + RECORD_HEADER_BYTES;
    if (captured > this.#bytes.length - from) {
      throw new CaptureError(
        from,
        `the frame of ${captured} bytes is cut after ${this.#bytes.length - from}`,
      );
    }
    const fraction_ns = this.nanosecond ? fraction : fraction * 1000;
    return {
      timestamp_us: seconds * 1e6 + fraction_ns / 1000,
      timestamp_ns: BigInt(seconds) * 1_000_000_000n + BigInt(fraction_ns),
      linktype,
      interface: 0,
      data: this.#bytes.subarray(from, from + captured),
      originalLength,
      fcsLength: this.#fcsLength,
      offset: at,
    };
  }
}

/** Some systems wrote their own number for raw IP; it is one link type all the same. */
function modernLinktype(linktype: number): number {
  return linktype === 12 || linktype === 14 ? Linktype.RAW : linktype;
}

/** How a pcap file is written. */
export interface PcapWriterOptions {
  /** Link type; Ethernet unless told. */
  readonly linktype?: number;
  /** Bytes of each frame to keep at most; 262144 unless told. */
  readonly snaplen?: number;
  /** Write nanoseconds; false unless told. */
  readonly nanosecond?: boolean;
  /** Byte order; true unless told. */
  readonly littleEndian?: boolean;
  /** Which frames to write: an expression of tcpdump's language, or a program. */
  readonly filter?: FrameFilterSource;
}

/** Writes a pcap file. */
export class PcapWriter implements CaptureWriter {
  readonly #out: CaptureBuffer;
  readonly #nanosecond: boolean;
  readonly #snaplen: number;
  readonly #linktype: number;
  readonly #filter: FrameFilter | undefined;

  /** Buffers the file header; `FilterError` for a filter that has a fault. */
  constructor(sink: CaptureSink, options: PcapWriterOptions = {}) {
    const littleEndian = options.littleEndian ?? true;
    this.#nanosecond = options.nanosecond ?? false;
    this.#snaplen = wholeInRange("snaplen", options.snaplen ?? FRAME_BYTES_MAX, 1, FRAME_BYTES_MAX);
    this.#linktype = wholeInRange("linktype", options.linktype ?? Linktype.ETHERNET, 0, 0xffff);
    if (options.filter !== undefined) {
      this.#filter = new FrameFilter(options.filter, { littleEndian });
      this.#filter.program(this.#linktype);
    }
    this.#out = new CaptureBuffer(sink, littleEndian);
    this.#out.reserve(FILE_HEADER_BYTES);
    this.#out.u32(this.#nanosecond ? MAGIC_NS : MAGIC_US);
    this.#out.u16(VERSION_MAJOR);
    this.#out.u16(VERSION_MINOR);
    this.#out.u32(0);
    this.#out.u32(0);
    this.#out.u32(this.#snaplen);
    this.#out.u32(this.#linktype);
  }

  /** Returns 0; `RangeError` for another link type than the file's. */
  addInterface(iface: Partial<CaptureInterface>): number {
    const linktype = iface.linktype ?? this.#linktype;
    if (linktype !== this.#linktype) {
      throw new RangeError(`a pcap file has one link type, here ${this.#linktype}`);
    }
    return 0;
  }

  /** Adds a frame, if the filter keeps it; times must be before the year 2106. */
  write(frame: FrameToWrite): void {
    const time_ns = frameTime_ns(frame);
    const seconds = time_ns / 1_000_000_000n;
    if (seconds > 0xffff_ffffn) throw new RangeError("pcap ends in the year 2106");
    if ((frame.interface ?? 0) !== 0) throw new RangeError("a pcap file has one interface, 0");
    const wire = frameWireLength(frame);
    const fraction_ns = Number(time_ns % 1_000_000_000n);
    const kept = this.#filter?.keep(this.#linktype, frame.data, wire) ?? frame.data.length;
    if (this.#filter && kept === 0) return;
    const length = Math.min(kept, this.#snaplen);
    const data = frame.data.length > length ? frame.data.subarray(0, length) : frame.data;
    this.#out.reserve(RECORD_HEADER_BYTES + data.length);
    this.#out.u32(Number(seconds));
    this.#out.u32(this.#nanosecond ? fraction_ns : Math.floor(fraction_ns / 1000));
    this.#out.u32(data.length);
    this.#out.u32(wire);
    this.#out.bytes(data);
  }

  /** Hands everything buffered to the sink. */
  flush(): void {
    this.#out.flush();
  }

  /** Flushes; writing afterwards is a `TypeError`. */
  close(): void {
    this.#out.close();
  }
}
