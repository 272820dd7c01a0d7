/**
 * How a frame gets from a ring of the kernel into an empty frame of the engine: the copy itself,
 * and what the kernel has left undone or taken apart before.
 *
 * @module
 */

import { type ReceiveRing, VNET_HEADER_BYTES } from "./af_packet_ring.ts";

/** Frames up to this length are copied by a loop: a view would cost more. */
const SHORT_BYTES = 128;
/** Bytes of the two hardware addresses, after which a VLAN tag stands. */
const ADDRESSES_BYTES = 12;
const TAG_BYTES = 4;
const NEEDS_CSUM = 1;

/** Copies bytes between two memories. */
export function copyFrame(
  to: Uint8Array<ArrayBuffer>,
  toAt: number,
  from: Uint8Array<ArrayBuffer>,
  at: number,
  length: number,
): void {
  if (length <= SHORT_BYTES) {
    for (let i = 0; i < length; i++) to[toAt + i] = from[at + i];
  } else {
    to.set(from.subarray(at, at + length), toAt);
  }
}

/** Bytes of the frame at hand with its VLAN tag back in, and its virtio header if `offload`. */
export function fullLength(ring: ReceiveRing, offload: boolean): number {
  return ring.length + (ring.tag !== 0 ? TAG_BYTES : 0) + (offload ? VNET_HEADER_BYTES : 0);
}

/** True if the frame at hand stands for several of the wire (virtio_net_hdr.gso_type). */
export function isSuperFrame(ring: ReceiveRing): boolean {
  return ring.bytes[ring.at - VNET_HEADER_BYTES + 1] !== 0;
}

/**
 * Computes the checksum that the kernel has left to the device, if it has: the field holds the sum
 * over the pseudo header, and the rest follows from `csum_start` (linux/virtio_net.h).
 */
export function finishChecksum(ring: ReceiveRing): void {
  const { bytes, at, length } = ring;
  const header = at - VNET_HEADER_BYTES;
  if ((bytes[header] & NEEDS_CSUM) === 0) return;
  const start = bytes[header + 6] | bytes[header + 7] << 8;
  const field = start + (bytes[header + 8] | bytes[header + 9] << 8);
  if (field + 2 > length) return;
  let sum = 0;
  let i = at + start;
  const end = at + length;
  for (; i + 1 < end; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  if (i < end) sum += bytes[i] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  // RFC 768: the other zero of ones' complement stands for a sum of zero, also in TCP.
  const checksum = ~sum & 0xffff || 0xffff;
  bytes[at + field] = checksum >>> 8;
  bytes[at + field + 1] = checksum & 255;
}

/** Copies the frame at hand; the room must be that of {@link fullLength}. */
export function takeFrame(
  ring: ReceiveRing,
  to: Uint8Array<ArrayBuffer>,
  toAt: number,
  offload: boolean,
): void {
  const { bytes, at, length, tag } = ring;
  const before = offload ? VNET_HEADER_BYTES : 0;
  if (tag === 0) return copyFrame(to, toAt, bytes, at - before, length + before);
  const head = before + ADDRESSES_BYTES;
  copyFrame(to, toAt, bytes, at - before, head);
  const tagAt = toAt + head;
  to[tagAt] = tag >>> 24;
  to[tagAt + 1] = tag >>> 16;
  to[tagAt + 2] = tag >>> 8;
  to[tagAt + 3] = tag;
  copyFrame(to, tagAt + TAG_BYTES, bytes, at + ADDRESSES_BYTES, length - ADDRESSES_BYTES);
  if (!offload) return;
  // The offsets of the virtio header count from the start of the frame: hdr_len and csum_start.
  for (const field of [2, 6]) {
    const moved = (to[toAt + field] | to[toAt + field + 1] << 8) + TAG_BYTES;
    if (moved === TAG_BYTES) continue;
    to[toAt + field] = moved;
    to[toAt + field + 1] = moved >>> 8;
  }
}
