/**
 * The IPv4 header (RFC 791 3.1). Addresses and numbers are given and answered in host order.
 *
 * ```
 *    0                   1                   2                   3
 *   |version|  IHL  |      TOS      |         total length          |
 *   |        identification         |0 D M|     fragment offset     |
 *   |      TTL      |   protocol    |        header checksum        |
 *   |                            source                             |
 *   |                          destination                          |
 *   |                            options                            |
 * ```
 */
export const HEADER: u32 = 20;
/** First byte of a header without options: version 4, five words. */
export const VERSION_IHL: u32 = 0x45;
/** Longest packet, header included. */
export const MAXPACKET: u32 = 65535;

/** The ECN field, the low two bits of the TOS octet (RFC 3168 5), and its codepoints. */
export const ECN_MASK: u32 = 3;
export const NOT_ECT: u32 = 0;
export const ECT_0: u32 = 2;
export const CE: u32 = 3;

/** Bits of the fragment field. */
export const DF: u32 = 0x4000;
export const MF: u32 = 0x2000;
export const OFFSET_MASK: u32 = 0x1fff;

export function version(p: usize): u32 {
  return load<u8>(p) >> 4;
}
/** Header length in bytes. */
export function hlen(p: usize): u32 {
  return u32(load<u8>(p) & 15) << 2;
}
export function tos(p: usize): u32 {
  return load<u8>(p, 1);
}
export function total(p: usize): u32 {
  return bswap(load<u16>(p, 2));
}
export function id(p: usize): u32 {
  return bswap(load<u16>(p, 4));
}
/** Flags and fragment offset in units of 8 bytes. */
export function fragment(p: usize): u32 {
  return bswap(load<u16>(p, 6));
}
export function ttl(p: usize): u32 {
  return load<u8>(p, 8);
}
export function protocol(p: usize): u32 {
  return load<u8>(p, 9);
}
export function src(p: usize): u32 {
  return bswap(load<u32>(p, 12));
}
export function dst(p: usize): u32 {
  return bswap(load<u32>(p, 16));
}

export function setTotal(p: usize, total: u32): void {
  store<u16>(p, bswap(u16(total)), 2);
}
export function setId(p: usize, id: u32): void {
  store<u16>(p, bswap(u16(id)), 4);
}
export function setFragment(p: usize, field: u32): void {
  store<u16>(p, bswap(u16(field)), 6);
}
export function setTos(p: usize, tos: u32): void {
  store<u8>(p, u8(tos), 1);
}
export function setSrc(p: usize, src: u32): void {
  store<u32>(p, bswap(src), 12);
}

/** Sum of a header of `hlen` bytes, folded to 16 bits: 0xffff if the checksum in it is right. */
export function sum(p: usize, hlen: u32): u32 {
  let acc: u64 = u64(load<u32>(p)) + u64(load<u32>(p, 4)) + u64(load<u32>(p, 8)) +
    u64(load<u32>(p, 12)) + u64(load<u32>(p, 16));
  for (let at: u32 = HEADER; at < hlen; at += 4) acc += u64(load<u32>(p + at));
  let folded = u32(acc & 0xffff) + u32((acc >> 16) & 0xffff) + u32(acc >> 32);
  folded = (folded & 0xffff) + (folded >> 16);
  return (folded & 0xffff) + (folded >> 16);
}

/** Partial sum of the pseudo-header for `len` bytes behind the header at `p` (RFC 9293 3.1). */
export function pseudo(p: usize, len: u32): u32 {
  const acc = u64(load<u32>(p, 12)) + u64(load<u32>(p, 16)) + u64(protocol(p) << 8) +
    u64(bswap(u16(len)));
  return u32(acc & 0xffff) + u32((acc >> 16) & 0xffff) + u32(acc >> 32);
}

/** Computes and stores the header checksum. */
export function setChecksum(p: usize, hlen: u32): void {
  store<u16>(p, 0, 10);
  store<u16>(p, u16(~sum(p, hlen)), 10);
}

/** Takes one off the TTL and mends the checksum (RFC 1624). */
export function decrementTtl(p: usize): void {
  store<u8>(p, load<u8>(p, 8) - 1, 8);
  // TTL is the low byte of its word in memory: the word fell by 1, so the sum's complement grows
  let check = u32(load<u16>(p, 10)) + 1;
  check = (check & 0xffff) + (check >> 16);
  store<u16>(p, u16(check), 10);
}

/** Writes a header without options, checksum included. `field` is flags and fragment offset. */
export function put(
  p: usize,
  tos: u32,
  total: u32,
  id: u32,
  field: u32,
  ttl: u32,
  protocol: u32,
  src: u32,
  dst: u32,
): void {
  store<u32>(p, VERSION_IHL | (tos << 8) | (u32(bswap(u16(total))) << 16));
  store<u32>(p, u32(bswap(u16(id))) | (u32(bswap(u16(field))) << 16), 4);
  store<u32>(p, (ttl & 0xff) | (protocol << 8), 8);
  store<u32>(p, bswap(src), 12);
  store<u32>(p, bswap(dst), 16);
  store<u16>(p, u16(~sum(p, HEADER)), 10);
}

/** True for a group address (class D). */
export function isMulticast(addr: u32): bool {
  return addr >> 28 == 0xe;
}
/** True for 127/8. */
export function isLoopback(addr: u32): bool {
  return addr >> 24 == 127;
}
/** True for 169.254/16 (RFC 3927). */
export function isLinkLocal(addr: u32): bool {
  return addr >> 16 == 0xa9fe;
}
/** True for class E, the limited broadcast included. */
export function isReserved(addr: u32): bool {
  return addr >> 28 == 0xf;
}
/** 255.255.255.255. */
export const LIMITED_BROADCAST: u32 = 0xffffffff;
