/**
 * What links do to the bytes of frames: marks of congestion, damage; and a hash over all of them.
 *
 * @module
 */

import type { Medium } from "../runtime/device/driver.ts";
import type { Random } from "./random.ts";

/** Bytes of an Ethernet header. */
export const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const IPV4_BYTES = 20;
/** Both bits of the ECN field (RFC 3168 5). */
const CE = 3;
/** The Internet checksum finds every burst shorter than its own 16 bits (RFC 1071). */
const DAMAGE_BITS_MAX = 15;

/** Where the IPv4 header begins; -1 if the frame holds none. */
export function ipv4At(frame: Uint8Array, medium: Medium): number {
  const at = medium === "ethernet" ? ETHERNET_BYTES : 0;
  if (frame.length < at + IPV4_BYTES || frame[at] >> 4 !== 4) return -1;
  if (at > 0 && (frame[12] << 8 | frame[13]) !== ETHERTYPE_IPV4) return -1;
  return at;
}

/** Sets CE in a packet whose sender takes part in ECN; false if it does not (RFC 3168 5). */
export function markCe(frame: Uint8Array, medium: Medium): boolean {
  const at = ipv4At(frame, medium);
  if (at < 0 || (frame[at + 1] & CE) === 0) return false;
  const tos = frame[at + 1];
  if ((tos & CE) === CE) return true;
  frame[at + 1] = tos | CE;
  // The difference alone goes into the checksum (RFC 1624 3).
  const old = frame[at + 10] << 8 | frame[at + 11];
  let sum = (~old & 0xffff) + (~tos & 0xff) + 0xff00 + (tos | CE);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  frame[at + 10] = (~sum & 0xffff) >> 8;
  frame[at + 11] = ~sum & 0xff;
  return true;
}

/**
 * Damages a packet so that the checksums of IPv4 and TCP must find it: a burst of at most 15 bits
 * is flipped. False for frames without such a checksum, which the link would drop itself (FCS).
 */
export function damage(frame: Uint8Array, medium: Medium, random: Random): boolean {
  const at = ipv4At(frame, medium);
  if (at < 0) return false;
  const bits = (frame.length - at) * 8;
  const length = random.between(1, DAMAGE_BITS_MAX);
  const first = random.below(bits - length);
  for (let bit = first; bit < first + length; bit++) {
    const edge = bit === first || bit === first + length - 1;
    if (edge || random.chance(0.5)) frame[at + (bit >> 3)] ^= 0x80 >> (bit & 7);
  }
  return true;
}

/** A hash of all that was sent, with its times; equal for two runs that were the same. */
export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  /** Takes in a frame. */
  frame(time_us: number, from: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#word(time_us | 0);
    this.#word(Math.floor(time_us / 2 ** 32) ^ from << 16 ^ bytes.length);
    let i = 0;
    for (; i + 4 <= bytes.length; i += 4) {
      this.#word(bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24);
    }
    for (; i < bytes.length; i++) this.#word(bytes[i]);
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#a ^= this.#a >>> 13;
    this.#b = Math.imul(this.#b ^ word, 0x5bd1e995);
    this.#b ^= this.#b >>> 15;
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
