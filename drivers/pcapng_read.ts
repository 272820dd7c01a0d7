/**
 * Reads pcapng capture files held in memory: several sections, both byte orders, any resolution of
 * time. Blocks of unknown types are skipped.
 *
 * @module
 */

import {
  type CapturedFrame,
  CaptureError,
  type CaptureInterface,
  type CaptureReader,
  type CaptureReaderOptions,
  type Direction,
} from "./capture_types.ts";
import { FrameFilter } from "../filter/mod.ts";
import { filteredFrame } from "./capture_filter.ts";
import * as ng from "./pcapng_blocks.ts";

/** True if the bytes begin with a pcapng section header. */
export function isPcapng(bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.length >= 4 && bytes[0] === 0x0a && bytes[1] === 0x0d && bytes[2] === 0x0d &&
    bytes[3] === 0x0a;
}

interface InterfaceDetail extends CaptureInterface {
  /** Ticks a second of its times. */
  readonly ticks: bigint;
  /** Seconds to add to its times. */
  readonly offset_s: bigint;
  readonly fcsLength: number;
}

interface Block {
  readonly at: number;
  readonly type: number;
  readonly length: number;
}

/** What holds for the section being read. */
interface Section {
  readonly littleEndian: boolean;
  /** Index of its first interface in the list of the whole file. */
  readonly firstInterface: number;
}

/** Reads a pcapng file. */
export class PcapngReader implements CaptureReader {
  /** `pcapng` */
  readonly format = "pcapng";
  /** Byte order of the first section. */
  readonly littleEndian: boolean;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #filter: FrameFilter | undefined;
  #interfaces: InterfaceDetail[] = [];

  /** Reads the first section header; `CaptureError` if it is not one. */
  constructor(bytes: Uint8Array<ArrayBuffer>, options: CaptureReaderOptions = {}) {
    if (options.filter !== undefined) this.#filter = new FrameFilter(options.filter);
    if (!isPcapng(bytes)) throw new CaptureError(0, "no pcapng section header");
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const section = this.#sectionStart(0);
    this.littleEndian = section.littleEndian;
    this.#block(0, section);
  }

  /** The interfaces met so far, those of all sections in one list. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces;
  }

  /** The frames in the order of the file, without those that the filter rejects. */
  *[Symbol.iterator](): Iterator<CapturedFrame> {
    const interfaces: InterfaceDetail[] = [];
    this.#interfaces = interfaces;
    let section: Section = { littleEndian: true, firstInterface: 0 };
    const end = this.#bytes.length;
    for (let at = 0; at < end;) {
      if (this.#isSection(at)) {
        section = this.#sectionStart(at, interfaces.length);
      }
      const block = this.#block(at, section);
      if (block.type === ng.BLOCK_INTERFACE) {
        interfaces.push(this.#interface(block, section));
      } else {
        const frame = this.#packet(block, section, interfaces);
        const kept = frame && filteredFrame(this.#filter, frame, section.littleEndian);
        if (kept) yield kept;
      }
      at += block.length;
    }
  }

  #isSection(at: number): boolean {
    return this.#bytes.length - at >= 4 && this.#view.getUint32(at) === ng.BLOCK_SECTION;
  }

  /** Finds the byte order of the section that begins at `at`, and checks the version. */
  #sectionStart(at: number, firstInterface = 0): Section {
    const rest = this.#bytes.length - at;
    if (rest < ng.SECTION_BYTES_MIN) {
      throw new CaptureError(
        at,
        `the section header of at least ${ng.SECTION_BYTES_MIN} bytes is cut after ${rest}`,
      );
    }
    const littleEndian = this.#view.getUint32(at + 8, true) === ng.BYTE_ORDER_MAGIC;
    if (!littleEndian && this.#view.getUint32(at + 8, false) !== ng.BYTE_ORDER_MAGIC) {
      throw new CaptureError(at + 8, "no byte-order magic in the section header");
    }
    const major = this.#view.getUint16(at + 12, littleEndian);
    const minor = this.#view.getUint16(at + 14, littleEndian);
    // Minor version 2 was written by some programs and means the same as 0.
    if (major !== 1) {
      throw new CaptureError(at + 12, `pcapng version ${major}.${minor}, and only 1.x can be read`);
    }
    return { littleEndian, firstInterface };
  }

  /** Reads the frame of a block and checks both of its lengths. */
  #block(at: number, section: Section): Block {
    const rest = this.#bytes.length - at;
    if (rest < ng.BLOCK_BYTES_MIN) {
      throw new CaptureError(
        at,
        `a block of at least ${ng.BLOCK_BYTES_MIN} bytes is cut after ${rest}`,
      );
    }
    const type = this.#u32(at, section);
    const length = this.#u32(at + 4, section);
    const least = leastLength(type);
    if (length < least || length % 4 !== 0) {
      throw new CaptureError(
        at + 4,
        `a length of ${length} for a block of type ${type}: at least ${least}, a multiple of 4`,
      );
    }
    if (length > rest) {
      throw new CaptureError(at, `the block of ${length} bytes is cut after ${rest}`);
    }
    const again = this.#u32(at + length - 4, section);
    if (again !== length) {
      throw new CaptureError(
        at + length - 4,
        `the block begins with length ${length} and ends with ${again}`,
      );
    }
    return { at, type, length };
  }

  #interface(block: Block, section: Section): InterfaceDetail {
    let name = "";
    let ticks = 1_000_000n;
    let offset_s = 0n;
    let fcsLength = 0;
    this.#options(block, block.at + 16, section, (code, from, length) => {
      if (code === ng.OPT_IF_NAME) {
        name = new TextDecoder().decode(this.#bytes.subarray(from, from + length));
      } else if (code === ng.OPT_IF_TSRESOL && length >= 1) {
        const power = this.#bytes[from];
        ticks = (power & 0x80) !== 0 ? 2n ** BigInt(power & 0x7f) : 10n ** BigInt(power);
      } else if (code === ng.OPT_IF_TSOFFSET && length >= 8) {
        offset_s = this.#view.getBigInt64(from, section.littleEndian);
      } else if (code === ng.OPT_IF_FCSLEN && length >= 1) {
        fcsLength = this.#bytes[from];
      }
    });
    const linktype = this.#view.getUint16(block.at + 8, section.littleEndian);
    const snaplen = this.#u32(block.at + 12, section);
    return { name, linktype, snaplen, ticks, offset_s, fcsLength };
  }

  #packet(
    block: Block,
    section: Section,
    interfaces: InterfaceDetail[],
  ): CapturedFrame | undefined {
    const at = block.at;
    switch (block.type) {
      case ng.BLOCK_PACKET_SIMPLE: {
        const iface = this.#interfaceOf(0, at, section, interfaces);
        const originalLength = this.#u32(at + 8, section);
        const snaplen = interfaces[iface].snaplen || originalLength;
        const captured = Math.min(snaplen, originalLength);
        return this.#frame(block, section, interfaces, {
          iface,
          ticks: undefined,
          from: at + 12,
          captured,
          originalLength,
        });
      }
      case ng.BLOCK_PACKET:
      case ng.BLOCK_PACKET_OLD: {
        const number = block.type === ng.BLOCK_PACKET
          ? this.#u32(at + 8, section)
          : this.#view.getUint16(at + 8, section.littleEndian);
        const ticks = BigInt(this.#u32(at + 12, section)) << 32n |
          BigInt(this.#u32(at + 16, section));
        return this.#frame(block, section, interfaces, {
          iface: this.#interfaceOf(number, at + 8, section, interfaces),
          ticks,
          from: at + 28,
          captured: this.#u32(at + 20, section),
          originalLength: this.#u32(at + 24, section),
        });
      }
    }
    return undefined;
  }

  #interfaceOf(number: number, at: number, section: Section, all: InterfaceDetail[]): number {
    const index = section.firstInterface + number;
    if (index < all.length) return index;
    throw new CaptureError(at, `a packet of interface ${number}, which was not described`);
  }

  #frame(
    block: Block,
    section: Section,
    interfaces: InterfaceDetail[],
    p: {
      iface: number;
      ticks: bigint | undefined;
      from: number;
      captured: number;
      originalLength: number;
    },
  ): CapturedFrame {
    const room = block.at + block.length - 4 - p.from;
    if (p.captured > room) {
      throw new CaptureError(
        p.from,
        `a frame of ${p.captured} bytes in a block with room for ${room}`,
      );
    }
    if (p.captured > p.originalLength) {
      throw new CaptureError(
        block.at + 20,
        `a captured length of ${p.captured} bytes for a frame of ${p.originalLength}`,
      );
    }
    const iface = interfaces[p.iface];
    let fcsLength = iface.fcsLength;
    let direction: Direction | undefined;
    if (p.ticks !== undefined) {
      const options = p.from + ng.padded(p.captured);
      this.#options(block, options, section, (code, from, length) => {
        if (code !== ng.OPT_PACKET_FLAGS || length < 4) return;
        const flags = this.#u32(from, section);
        if ((flags & 3) === ng.FLAG_INBOUND) direction = "in";
        if ((flags & 3) === ng.FLAG_OUTBOUND) direction = "out";
        fcsLength = (flags >>> 5) & 15 || fcsLength;
      });
    }
    const time_ns = p.ticks === undefined
      ? 0n
      : p.ticks * 1_000_000_000n / iface.ticks + iface.offset_s * 1_000_000_000n;
    return {
      timestamp_us: Number(time_ns / 1000n) + Number(time_ns % 1000n) / 1000,
      timestamp_ns: time_ns,
      linktype: iface.linktype,
      interface: p.iface,
      data: this.#bytes.subarray(p.from, p.from + p.captured),
      originalLength: p.originalLength,
      fcsLength,
      direction,
      offset: block.at,
    };
  }

  /** Calls `each` for the options from `at` to the end of the block. */
  #options(
    block: Block,
    at: number,
    section: Section,
    each: (code: number, from: number, length: number) => void,
  ): void {
    const end = block.at + block.length - 4;
    while (end - at >= 4) {
      const code = this.#view.getUint16(at, section.littleEndian);
      const length = this.#view.getUint16(at + 2, section.littleEndian);
      if (code === ng.OPT_END) return;
      if (length > end - at - 4) {
        throw new CaptureError(
          at,
          `option ${code} of ${length} bytes with ${end - at - 4} left in its block`,
        );
      }
      each(code, at + 4, length);
      at += 4 + ng.padded(length);
    }
  }

  #u32(at: number, section: Section): number {
    return this.#view.getUint32(at, section.littleEndian);
  }
}

/** Fixed part of each known block, its three words of frame included. */
function leastLength(type: number): number {
  switch (type) {
    case ng.BLOCK_SECTION:
      return ng.SECTION_BYTES_MIN;
    case ng.BLOCK_INTERFACE:
      return 20;
    case ng.BLOCK_PACKET_SIMPLE:
      return 16;
    case ng.BLOCK_PACKET:
    case ng.BLOCK_PACKET_OLD:
      return 32;
  }
  return ng.BLOCK_BYTES_MIN;
}
