/**
 * The Ethernet II header (IEEE 802.3). Hardware addresses are handled as they lie in memory: `hi`
 * is the first four bytes as a u32, `lo` the last two.
 *
 * ```
 *   | destination 6 | source 6 | type 2 |
 * ```
 */
export const HEADER: u32 = 14;

export const BROADCAST_HI: u32 = 0xffffffff;
export const BROADCAST_LO: u32 = 0xffff;

export function dstHi(p: usize): u32 {
  return load<u32>(p);
}
export function dstLo(p: usize): u32 {
  return load<u16>(p, 4);
}
export function srcHi(p: usize): u32 {
  return load<u32>(p, 6);
}
export function type(p: usize): u32 {
  return bswap(load<u16>(p, 12));
}

/** True if an address that begins with `hi` is a group address: multicast or broadcast. */
export function isGroup(hi: u32): bool {
  return (hi & 1) != 0;
}

/** True for the broadcast address. */
export function isBroadcast(hi: u32, lo: u32): bool {
  return hi == BROADCAST_HI && lo == BROADCAST_LO;
}

/** First part of the group address for an IPv4 group in host order (RFC 1112 6.4). */
export function groupHi(group: u32): u32 {
  return bswap(0x01005e00 | ((group >> 16) & 0x7f));
}
/** Second part of the same. */
export function groupLo(group: u32): u32 {
  return bswap(u16(group));
}

/** Writes a header. */
export function put(p: usize, dhi: u32, dlo: u32, shi: u32, slo: u32, type: u32): void {
  store<u32>(p, dhi);
  store<u16>(p, u16(dlo), 4);
  store<u32>(p, shi, 6);
  store<u16>(p, u16(slo), 10);
  store<u16>(p, bswap(u16(type)), 12);
}
