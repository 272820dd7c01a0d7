/**
 * What the capture file formats have in common: the frame, the reader, the writer, the error.
 *
 * @module
 */

import type { FrameFilterSource } from "../filter/mod.ts";

/** A link type of the registry at tcpdump.org: what a captured frame begins with. */
export const Linktype = {
  /** BSD loopback: a 4-byte address family in the byte order of the capturing machine. */
  NULL: 0,
  /** Ethernet II or IEEE 802.3 frame. */
  ETHERNET: 1,
  /** IPv4 or IPv6 packet without a link header. */
  RAW: 101,
  /** OpenBSD loopback: a 4-byte address family in network order. */
  LOOP: 108,
  /** Linux "cooked" header of 16 bytes. */
  LINUX_SLL: 113,
  /** IPv4 packet without a link header. */
  IPV4: 228,
  /** IPv6 packet without a link header. */
  IPV6: 229,
  /** Linux "cooked" header, version 2, of 20 bytes. */
  LINUX_SLL2: 276,
} as const;

/** Which way a frame went, seen from the capturing machine. */
export type Direction = "in" | "out";

/** One frame of a capture file. */
export interface CapturedFrame {
  /** Time of capture in microseconds since 1970, exact to a quarter of one; 0 if not recorded. */
  readonly timestamp_us: number;
  /** The same in nanoseconds, exact. */
  readonly timestamp_ns: bigint;
  /** What the bytes begin with: a number of `Linktype`, or another of the registry. */
  readonly linktype: number;
  /** Index into the reader's `interfaces`. */
  readonly interface: number;
  /** The bytes that were captured: a view of the file, not a copy. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** How many bytes the frame had on the wire; more than `data.length` if it was cut. */
  readonly originalLength: number;
  /** Bytes of FCS at the end of the frame, if the file says so; otherwise 0. */
  readonly fcsLength: number;
  /** Which way the frame went, if the file says so. */
  readonly direction?: Direction;
  /** Offset of the frame's record in the file, in bytes. */
  readonly offset: number;
}

/** One interface of a capture file. */
export interface CaptureInterface {
  /** Its name, empty if the file has none. */
  readonly name: string;
  /** Link type of its frames. */
  readonly linktype: number;
  /** How many bytes of each frame were kept at most; 0 means no limit. */
  readonly snaplen: number;
}

/** A capture file as a sequence of frames; iterating throws `CaptureError` where it is bad. */
export interface CaptureReader extends Iterable<CapturedFrame> {
  /** The file format. */
  readonly format: "pcap" | "pcapng";
  /** True if the file is in little-endian byte order; of a pcapng file, its first section. */
  readonly littleEndian: boolean;
  /** The interfaces met so far: all of them only when every frame has been read. */
  readonly interfaces: readonly CaptureInterface[];
}

/** A frame to write. */
export interface FrameToWrite {
  /** Time of capture in microseconds since 1970; at least 0. */
  readonly timestamp_us: number;
  /** The same in nanoseconds; used instead if given. */
  readonly timestamp_ns?: bigint;
  /** The bytes of the frame, without FCS. Copied before the call returns. */
  readonly data: Uint8Array;
  /** Length on the wire if `data` is only the beginning. */
  readonly originalLength?: number;
  /** Number of the interface, as `addInterface` gave it; 0 unless told. */
  readonly interface?: number;
  /** Which way the frame went; only pcapng keeps it. */
  readonly direction?: Direction;
}

/**
 * Where a writer puts its bytes. It owns the array it is given. An exception from it goes to the
 * caller of the writer.
 */
export type CaptureSink = (bytes: Uint8Array<ArrayBuffer>) => void;

/** How a capture file is read. */
export interface CaptureReaderOptions {
  /**
   * Which frames to read: an expression of tcpdump's language, such as `tcp port 80`, or a program.
   * `FilterError` if the expression has a fault; `RangeError`, while iterating, for a frame of a
   * link type that expressions cannot be compiled for.
   */
  readonly filter?: FrameFilterSource;
}

/** Writes a capture file through a buffer. */
export interface CaptureWriter {
  /** Adds an interface and returns its number; a pcap file only has one, number 0. */
  addInterface(iface: Partial<CaptureInterface>): number;
  /** Adds a frame; `RangeError` for a time or an interface that the file cannot express. */
  write(frame: FrameToWrite): void;
  /** Hands everything buffered to the sink. */
  flush(): void;
  /** Flushes; writing afterwards is an error. Does not close the sink. */
  close(): void;
}

/** A capture file that ends too early or says something impossible. */
export class CaptureError extends Error {
  /** `CaptureError` */
  override readonly name = "CaptureError";
  /** Offset in the file, in bytes, of what is wrong. */
  readonly offset: number;
  /** What is wrong, without the offset. */
  readonly reason: string;

  /** The message names both. */
  constructor(offset: number, reason: string) {
    super(`bad capture file at offset ${offset}: ${reason}`);
    this.offset = offset;
    this.reason = reason;
  }
}

/** Largest frame that a reader believes in, as libpcap's MAXIMUM_SNAPLEN: 256 KiB. */
export const FRAME_BYTES_MAX = 262_144;
