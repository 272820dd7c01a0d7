/**
 * The TCP header (RFC 9293 3.1).
 *
 * ```
 *    0                   1                   2                   3
 *   |          source port          |       destination port        |
 *   |                        sequence number                        |
 *   |                     acknowledgment number                     |
 *   | offset| rsvd  |C E U A P R S F|            window             |
 *   |           checksum            |         urgent pointer        |
 *   |                            options                            |
 * ```
 */
export const HEADER: u32 = 20;
/** Where the checksum stands in the header. */
export const CHECKSUM: u32 = 16;

export function sport(p: usize): u16 {
  return bswap(load<u16>(p));
}
export function dport(p: usize): u16 {
  return bswap(load<u16>(p, 2));
}
export function seq(p: usize): u32 {
  return bswap(load<u32>(p, 4));
}
export function ack(p: usize): u32 {
  return bswap(load<u32>(p, 8));
}
/** Length of the header with options, in bytes. */
export function offset(p: usize): u32 {
  return u32(load<u8>(p, 12) >> 4) << 2;
}
export function flags(p: usize): u32 {
  return load<u8>(p, 13);
}
/** The window field, an unsigned number (MUST-1). */
export function window(p: usize): u32 {
  return bswap(load<u16>(p, 14));
}
export function checksum(p: usize): u16 {
  return load<u16>(p, 16);
}
export function urgent(p: usize): u32 {
  return bswap(load<u16>(p, 18));
}

/** Writes the fixed header with a zero checksum; `len` is the header's length with options. */
export function put(
  p: usize,
  sport: u16,
  dport: u16,
  seq: u32,
  ack: u32,
  len: u32,
  flags: u32,
  window: u32,
  urgent: u32,
): void {
  store<u32>(p, u32(bswap(sport)) | (u32(bswap(dport)) << 16));
  store<u32>(p, bswap(seq), 4);
  store<u32>(p, bswap(ack), 8);
  store<u8>(p, u8(len << 2), 12);
  store<u8>(p, u8(flags), 13);
  store<u16>(p, bswap(u16(window)), 14);
  store<u32>(p, u32(bswap(u16(urgent))) << 16, 16);
}

/** Stores another sequence number. */
export function setSeq(p: usize, seq: u32): void {
  store<u32>(p, bswap(seq), 4);
}
/** Stores other control bits. */
export function setFlags(p: usize, flags: u32): void {
  store<u8>(p, u8(flags), 13);
}
/** Stores a finished checksum. */
export function setChecksum(p: usize, sum: u16): void {
  store<u16>(p, sum, 16);
}
