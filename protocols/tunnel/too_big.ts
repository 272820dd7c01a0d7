/**
 * What a tunnel answers to a packet that does not fit through it and may not be cut: the message
 * that a router would send (RFC 792, RFC 1191 4), so that its sender makes smaller ones.
 *
 * @module
 */

import { IPV4_BYTES } from "./ecn.ts";

const ICMP = 1;
const ICMP_BYTES = 8;
const UNREACHABLE = 3;
const NEEDS_FRAGMENTATION = 4;
const DF = 0x4000;
const OFFSET_MASK = 0x1fff;
const TTL = 64;
/** Longest message (RFC 1812 4.3.2.3). */
export const MESSAGE_BYTES_MAX = 576;
/** Types of ICMP that are errors themselves (RFC 1122 3.2.2). */
const ERRORS = [3, 4, 5, 11, 12];

/** True if the IPv4 packet at `at` forbids to cut it. */
export function forbidsCutting(view: DataView, at: number, end: number): boolean {
  return isIpv4(view, at, end) && (view.getUint16(at + 6) & DF) !== 0;
}

/** True if an IPv4 header stands at `at`. */
export function isIpv4(view: DataView, at: number, end: number): boolean {
  return end - at >= IPV4_BYTES && view.getUint8(at) >>> 4 === 4;
}

/**
 * Writes the message about the packet at `at` into `target` and answers its length; 0 if its sender
 * must not be told, since it is an error itself, for many, from nobody or not the first fragment
 * (RFC 1122 3.2.2), or may be cut.
 */
export function tooBig(
  target: DataView,
  view: DataView,
  at: number,
  end: number,
  mtu: number,
): number {
  if (!forbidsCutting(view, at, end) || (view.getUint16(at + 6) & OFFSET_MASK) !== 0) return 0;
  const [source, destination] = [view.getUint32(at + 12), view.getUint32(at + 16)];
  if (!isStation(source) || !isStation(destination)) return 0;
  const body = at + (view.getUint8(at) & 15) * 4;
  const isIcmp = view.getUint8(at + 9) === ICMP;
  if (isIcmp && (body >= end || ERRORS.includes(view.getUint8(body)))) return 0;
  const quoted = Math.min(end - at, MESSAGE_BYTES_MAX - IPV4_BYTES - ICMP_BYTES);
  const length = IPV4_BYTES + ICMP_BYTES + quoted;
  for (let i = 0; i < quoted; i++) {
    target.setUint8(IPV4_BYTES + ICMP_BYTES + i, view.getUint8(at + i));
  }
  target.setUint32(IPV4_BYTES, UNREACHABLE << 24 | NEEDS_FRAGMENTATION << 16);
  target.setUint32(IPV4_BYTES + 4, Math.min(mtu, 0xffff));
  target.setUint16(IPV4_BYTES + 2, checksum(target, IPV4_BYTES, length));
  target.setUint32(0, 0x45000000 | length);
  target.setUint32(4, DF);
  target.setUint32(8, TTL << 24 | ICMP << 16);
  target.setUint32(12, destination);
  target.setUint32(16, source);
  target.setUint16(10, checksum(target, 0, IPV4_BYTES));
  return length;
}

/** True for an address that one station can have. */
function isStation(address: number): boolean {
  return address !== 0 && address < 0xe0000000 && address >>> 24 !== 127;
}

/** RFC 1071; the bytes that are the checksum count as they are, and were 0. */
function checksum(view: DataView, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 2) {
    sum += i + 1 < to ? view.getUint16(i) : view.getUint8(i) << 8;
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~(sum + (sum >>> 16)) & 0xffff;
}
