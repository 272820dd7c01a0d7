/**
 * Explicit congestion notification through tunnels (RFC 6040): what routers on the way mark on the
 * outer header reaches the inner one.
 *
 * @module
 */

import type { Packet } from "../../runtime/protocol/public.ts";

const ECN_MASK = 3;
/** The packet's sender does not use ECN. */
const NOT_ECT = 0;
const ECT_0 = 2;
/** A router has met congestion. */
const CE = 3;

/** Bytes of an IPv4 header without options. */
export const IPV4_BYTES = 20;

/**
 * The inner ECN field that comes out of a tunnel, or -1 for a packet to be dropped: its sender does
 * not know of congestion that is told so (RFC 6040 4.2, figure 4).
 */
export function ecnOut(inner: number, outer: number): number {
  const [own, around] = [inner & ECN_MASK, outer & ECN_MASK];
  if (around === CE) return own === NOT_ECT ? -1 : CE;
  // ECT(1) outside of ECT(0) is the one other change that is passed on
  return own === ECT_0 && around === 1 ? around : own;
}

/** Type of service of the outer header: `tos`, with the inner ECN field (RFC 6040 4.1). */
export function tosAround(tos: number | "inherit", inner: number): number {
  return tos === "inherit" ? inner : (tos & ~ECN_MASK) | (inner & ECN_MASK);
}

/**
 * Passes the outer ECN field on to the IPv4 header at `offset` of a packet, if one stands there;
 * false if the packet must be dropped.
 */
export function receiveEcn(packet: Packet, offset: number, outerTos: number): boolean {
  if ((outerTos & ECN_MASK) === 0 || packet.length < offset + IPV4_BYTES) return true;
  const word = packet.u16(offset);
  if (word >>> 12 !== 4) return true;
  const ecn = ecnOut(word, outerTos);
  if (ecn < 0) return false;
  const changed = word & ~ECN_MASK | ecn;
  if (changed === word) return true;
  packet.setU16(offset, changed);
  packet.setU16(offset + 10, renewedSum(packet.u16(offset + 10), word, changed));
  return true;
}

/** A header's checksum after one of its words has changed (RFC 1624 3, equation 3). */
export function renewedSum(sum: number, before: number, after: number): number {
  const total = (~sum & 0xffff) + (~before & 0xffff) + after;
  const once = (total & 0xffff) + (total >>> 16);
  return ~(once + (once >>> 16)) & 0xffff;
}
