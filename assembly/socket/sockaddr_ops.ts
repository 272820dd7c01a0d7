/**
 * Internet addresses in memory: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d (RFC 4291
 * 2.5.5.2) and the unspecified address of either family as all zeros.
 *
 * @module
 */

import { Af } from "../abi/socket";
import { SockAddr } from "./sockaddr";

/** Bytes 8 to 11 of an IPv4 address, read as a little-endian number. */
const MAPPED: u32 = 0xffff0000;

/** Writes an IPv4 address (host order) as 16 bytes at `p`; 0 becomes the unspecified address. */
export function set4(p: usize, ip: u32): void {
  store<u64>(p, 0);
  store<u64>(p, ip ? <u64> bswap<u32>(ip) << 32 | <u64> MAPPED : 0, 8);
}

/** The IPv4 address at `p` in host order; 0 for the unspecified address. */
export function get4(p: usize): u32 {
  return bswap<u32>(load<u32>(p, 12));
}

/** Whether the address at `p` is IPv4, or unspecified and thus of either family. */
export function is4(p: usize): bool {
  if (load<u64>(p)) return false;
  return load<u32>(p, 8) == MAPPED || load<u64>(p, 8) == 0;
}

/** Whether the address at `p` is unspecified. */
export function isAny(p: usize): bool {
  return (load<u64>(p) | load<u64>(p, 8)) == 0;
}

/** Whether the addresses at `p` and `q` are the same. */
export function eq(p: usize, q: usize): bool {
  return load<u64>(p) == load<u64>(q) && load<u64>(p, 8) == load<u64>(q, 8);
}

/** Copies the address at `src` to `dst`. */
export function copy(dst: usize, src: usize): void {
  const hi = load<u64>(src);
  store<u64>(dst, load<u64>(src, 8), 8);
  store<u64>(dst, hi);
}

/** Copies what a program gave, with ::ffff:0.0.0.0 made the unspecified address. */
export function copyNormal(dst: usize, src: usize): void {
  copy(dst, src);
  if (is4(dst)) set4(dst, get4(dst));
}

/** Fills in `sa`: a family, the 16 address bytes at `addr`, and a port in host order. */
export function fill(sa: SockAddr, family: u32, addr: usize, port: u32): void {
  copy(changetype<usize>(sa), addr);
  sa.scope = 0;
  sa.family = <u16> family;
  sa.port = <u16> port;
}

/** Whether a program's address can be used on a socket of this family. */
export function suits(sa: SockAddr, family: u32): bool {
  if (<u32> sa.family != family) return false;
  return family != Af.INET || is4(changetype<usize>(sa));
}

/** Whether an IPv4 address (host order) is a group (RFC 1112 4). */
export function isGroup4(ip: u32): bool {
  return ip >> 28 == 14;
}
