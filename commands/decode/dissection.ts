/**
 * A frame while its line is being written: the bytes that may be read, and the text so far.
 *
 * @module
 */

import type { DecodeOptions } from "./options.ts";
import type { Flows } from "./flows.ts";

/** Thrown by a read beyond what was captured; the line ends with the protocol's name, `[|ip]`. */
export class Cut extends Error {}

/** The bytes of a frame, of which `limit` may be read, and the line about it. */
export class Dissection {
  /** Captured bytes. */
  readonly data: Uint8Array;
  readonly options: DecodeOptions;
  /** Connections met so far, for sequence numbers that begin at 0. */
  readonly flows: Flows;
  /** 0 to 3. */
  readonly verbose: number;
  /** The line. */
  text = "";
  /** Protocol being told, to be named where the bytes end too early. */
  protocol = "";
  /** End of what may be read: that of the capture, or of the packet within a padded frame. */
  limit: number;
  /** How many packets the one being told is in; bounded, as each costs a call within a call. */
  depth = 0;
  readonly #view: DataView;

  constructor(data: Uint8Array, options: DecodeOptions, flows: Flows) {
    this.data = data;
    this.options = options;
    this.flows = flows;
    this.verbose = options.verbose ?? 0;
    this.limit = data.length;
    this.#view = new DataView(data.buffer, data.byteOffset, data.length);
  }

  /** Adds to the line. */
  print(text: string): void {
    this.text += text;
  }

  /** Adds the mark of a protocol whose bytes were not all captured. */
  cut(): void {
    this.print(` [|${this.protocol}]`);
  }

  /** Adds the mark of values that make no sense. */
  invalid(): void {
    this.print(" (invalid)");
  }

  /** True if bytes were captured. */
  has(at: number, bytes: number): boolean {
    return at + bytes <= this.limit;
  }

  /** `Cut` unless the bytes were captured. */
  need(at: number, bytes: number): void {
    if (!this.has(at, bytes)) throw new Cut();
  }

  u8(at: number): number {
    this.need(at, 1);
    return this.data[at];
  }

  u16(at: number): number {
    this.need(at, 2);
    return this.#view.getUint16(at);
  }

  u32(at: number): number {
    this.need(at, 4);
    return this.#view.getUint32(at);
  }

  /** Bytes as hexadecimal digits. */
  hex(at: number, bytes: number): string {
    this.need(at, bytes);
    return hexOf(this.data.subarray(at, at + bytes));
  }

  /** An IPv4 address. */
  ip4(at: number): string {
    this.need(at, 4);
    return this.data.subarray(at, at + 4).join(".");
  }

  /** An IPv6 address, its longest run of zeros left out (RFC 5952, section 4). */
  ip6(at: number): string {
    this.need(at, 16);
    return ip6Text(this.data, at, this.#view);
  }

  /** An Ethernet address. */
  mac(at: number, bytes = 6): string {
    this.need(at, bytes);
    return Array.from(this.data.subarray(at, at + bytes), byteHex).join(":");
  }

  /**
   * The ones' complement of the sum of bytes in 16-bit words (RFC 1071), `start` added: 0 if the
   * checksum among them is right.
   */
  sum(at: number, bytes: number, start = 0): number {
    let sum = start;
    for (let i = 0; i < bytes; i++) sum += this.data[at + i] << (i % 2 === 0 ? 8 : 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
    return ~sum & 0xffff;
  }
}

/** What a checksum ought to be, from the one that is there and the sum that is wrong by it. */
export function sumWanted(there: number, sum: number): number {
  let wanted = there + sum;
  while (wanted > 0xffff) wanted = (wanted & 0xffff) + (wanted >>> 16);
  return wanted;
}

/** Two hexadecimal digits. */
export function byteHex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, byteHex).join("");
}

/** `0x` and at least so many digits. */
export function hex(value: number, digits = 1): string {
  return "0x" + value.toString(16).padStart(digits, "0");
}

/** Names of the bits that are set, or `none`. */
export function bits(
  value: number,
  names: readonly (readonly [bit: number, name: string])[],
  separator: string,
  none = "none",
): string {
  return names.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name).join(separator) ||
    none;
}

function ip6Text(data: Uint8Array, at: number, view: DataView): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(at + 2 * i));
  let [from, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > length) [from, length] = [i, n];
  }
  // addresses that hold one of IPv4 show it (RFC 5952, section 5)
  const mapped = from === 0 && (length === 6 || length === 5 && groups[5] === 0xffff);
  const last = mapped ? data.subarray(at + 12, at + 16).join(".") : undefined;
  const words = groups.map((group) => group.toString(16));
  if (last !== undefined) words.splice(6, 2, last);
  if (from < 0) return words.join(":");
  return words.slice(0, from).join(":") + "::" + words.slice(from + length).join(":");
}
