/**
 * Addresses and prefixes as text.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../../runtime/errors.ts";

/** What a message cannot say, or does not. */
export function invalid(words: string): SocketError {
  return new SocketError(Errno.EINVAL, "route message", words);
}

/** The bytes of an address, `10.0.0.1`. */
export function addressBytes(text: string): Uint8Array<ArrayBuffer> {
  const parts = text.split(".");
  const bytes = Uint8Array.from(parts, Number);
  const good = parts.length === 4 &&
    parts.every((part, i) => /^\d{1,3}$/.test(part) && Number(part) === bytes[i]);
  if (!good) throw invalid(`"${text}" is not an IPv4 address`);
  return bytes;
}

/** An address as text. */
export function addressText(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** The bytes of a mask of so many bits. */
export function maskBytes(bits: number): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(bits) || bits < 0 || bits > 32) {
    throw invalid(`a prefix has 0 to 32 bits, not ${bits}`);
  }
  const bytes = new Uint8Array(4);
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  new DataView(bytes.buffer).setUint32(0, mask);
  return bytes;
}

/** How many bits a mask has, if they are contiguous. */
export function bitsOf(mask: Uint8Array): number | undefined {
  const text = Array.from(mask, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const bits = text.indexOf("0");
  if (bits < 0) return 32;
  return text.includes("1", bits) ? undefined : bits;
}
