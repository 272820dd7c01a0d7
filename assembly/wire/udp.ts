/**
 * The UDP header (RFC 768). `p` is the address of its first byte; callers have checked that 8
 * bytes are there.
 *
 * ```
 *   0      source port        2   destination port
 *   4      length             6   checksum
 * ```
 *
 * @module
 */

/** Bytes of the header. */
export const HLEN: u32 = 8;
/** Where the checksum stands in the header. */
export const CHECKSUM: u32 = 6;
/** Most bytes of data in one datagram over IPv4: 65535 less 20 and 8. */
export const DATA_MAX: u32 = 65507;

/** Source port; 0 when the sender wants no answer. */
export function sport(p: usize): u32 {
  return bswap<u16>(load<u16>(p));
}

/** Destination port. */
export function dport(p: usize): u32 {
  return bswap<u16>(load<u16>(p, 2));
}

/** Bytes of header and data. */
export function length(p: usize): u32 {
  return bswap<u16>(load<u16>(p, 4));
}

/** The checksum as it lies in memory; 0 when the sender made none. */
export function sum(p: usize): u32 {
  return load<u16>(p, 6);
}

/** Writes a header with checksum 0. */
export function fill(p: usize, sport: u32, dport: u32, length: u32): void {
  store<u16>(p, bswap<u16>(<u16> sport));
  store<u16>(p, bswap<u16>(<u16> dport), 2);
  store<u16>(p, bswap<u16>(<u16> length), 4);
  store<u16>(p, 0, 6);
}

/** Stores another length. */
export function setLength(p: usize, length: u32): void {
  store<u16>(p, bswap<u16>(<u16> length), 4);
}

/** Stores the finished checksum; one that comes out as 0 is sent as all ones (RFC 768). */
export function setSum(p: usize, sum: u32): void {
  store<u16>(p, <u16> (sum ? sum : 0xffff), 6);
}
