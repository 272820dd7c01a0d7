/**
 * Addresses of packet sockets (Linux's sockaddr_ll) in a SockAddr:
 *
 * ```
 *   addr_hi  | hardware address 6 | its length 1 | PacketType 1 |
 *   addr_lo  | time, microseconds of the stack's clock: f64      |
 *   scope    interface     port    ethertype     family  AF_NDD
 * ```
 */
import { Af } from "../../../assembly/abi/socket";
import { SockAddr } from "../../../assembly/socket/sockaddr";

const HALEN: usize = 6;
const TYPE: usize = 7;
const TIME: usize = 8;

/** Fills in an address; `halen` 0 for none. */
export function fill(
  sa: SockAddr,
  ifindex: u32,
  ethertype: u32,
  hi: u32,
  lo: u32,
  halen: u32,
): void {
  const p = changetype<usize>(sa);
  store<u32>(p, hi);
  store<u16>(p, u16(lo), 4);
  store<u8>(p + HALEN, u8(halen));
  store<u8>(p + TYPE, 0);
  store<f64>(p + TIME, 0);
  sa.scope = ifindex;
  sa.port = u16(ethertype);
  sa.family = u16(Af.NDD);
}

/** Says for whom a frame was, and when it came or went. */
export function stamp(sa: SockAddr, type: u32, time: i64): void {
  store<u8>(changetype<usize>(sa) + TYPE, u8(type));
  store<f64>(changetype<usize>(sa) + TIME, f64(time));
}

/** Bytes of the hardware address. */
export function halen(sa: SockAddr): u32 {
  return load<u8>(changetype<usize>(sa) + HALEN);
}

/** The first four of them, as they lie in memory. */
export function hi(sa: SockAddr): u32 {
  return load<u32>(changetype<usize>(sa));
}

/** And the last two. */
export function lo(sa: SockAddr): u32 {
  return load<u16>(changetype<usize>(sa), 4);
}
