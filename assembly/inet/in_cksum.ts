/** The pseudo-header that TCP and UDP checksums cover (RFC 9293 3.1, RFC 8200 8.1). */

/**
 * Partial sum of the pseudo-header, folded to 16 bits: addresses of 16 bytes at `laddr` and `faddr`
 * (their order does not matter), protocol, and the transport's length in bytes. For mapped IPv4
 * addresses this is the IPv4 pseudo-header: the ffff in front of each is zero in this arithmetic.
 */
export function pseudo(laddr: usize, faddr: usize, proto: u32, len: u32): u32 {
  let acc = words(laddr + 8) + words(faddr + 8);
  const high = load<u64>(laddr) | load<u64>(faddr);
  if (high) acc += words(laddr) + words(faddr); // not IPv4
  acc += u64(proto << 8) + u64(bswap(u16(len))) + u64(bswap(u16(len >> 16)));
  let folded = u32(acc & 0xffff) + u32((acc >> 16) & 0xffff) + u32(acc >> 32);
  folded = (folded & 0xffff) + (folded >> 16);
  return (folded & 0xffff) + (folded >> 16);
}

function words(p: usize): u64 {
  return u64(load<u32>(p)) + u64(load<u32>(p, 4));
}
