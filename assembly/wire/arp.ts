/**
 * An ARP packet for IPv4 over Ethernet (RFC 826).
 *
 * ```
 *   | hardware type 2 | protocol type 2 | 6 | 4 | operation 2 |
 *   | sender hardware 6 | sender address 4 | target hardware 6 | target address 4 |
 * ```
 */
export const LENGTH: u32 = 28;
export const REQUEST: u32 = 1;
export const REPLY: u32 = 2;

/** True if the types are Ethernet and IPv4 and the lengths are theirs; reads 6 bytes. */
export function isEthernetIp(p: usize): bool {
  return load<u32>(p) == 0x00080100 && load<u16>(p, 4) == 0x0406;
}
export function op(p: usize): u32 {
  return bswap(load<u16>(p, 6));
}
export function senderHi(p: usize): u32 {
  return load<u32>(p, 8);
}
export function senderLo(p: usize): u32 {
  return load<u16>(p, 12);
}
/** Sender's address, in host order. */
export function sender(p: usize): u32 {
  return bswap(load<u32>(p, 14));
}
/** Target's address, in host order. */
export function target(p: usize): u32 {
  return bswap(load<u32>(p, 24));
}

/** Writes a packet; addresses in host order, hardware addresses as in ether.ts. */
export function put(
  p: usize,
  op: u32,
  shi: u32,
  slo: u32,
  sender: u32,
  thi: u32,
  tlo: u32,
  target: u32,
): void {
  store<u32>(p, 0x00080100);
  store<u16>(p, 0x0406, 4);
  store<u16>(p, bswap(u16(op)), 6);
  store<u32>(p, shi, 8);
  store<u16>(p, u16(slo), 12);
  store<u32>(p, bswap(sender), 14);
  store<u32>(p, thi, 18);
  store<u16>(p, u16(tlo), 22);
  store<u32>(p, bswap(target), 24);
}
