/**
 * The header in front of every frame of a device that shares the work on segments with us, as
 * virtio has it (OASIS virtio 1.2, 5.1.6; Linux: struct virtio_net_hdr with IFF_VNET_HDR). Little
 * endian.
 *
 * ```
 *   0        1         2          4           6            8             10
 *   | flags  | gso_type | hdr_len | gso_size  | csum_start | csum_offset |
 * ```
 */

/** Bytes of the header. */
export const HEADER: u32 = 10;

/** flags: the checksum is to be made from csum_start on, and goes to csum_offset from there. */
export const NEEDS_CSUM: u32 = 1;
/** flags: the device has verified the checksums. */
export const DATA_VALID: u32 = 2;

/** gso_type: one packet of the wire. */
export const GSO_NONE: u32 = 0;
/** gso_type: TCP over IPv4, to be cut into segments of gso_size bytes of payload. */
export const GSO_TCPV4: u32 = 1;
/** gso_type: one UDP datagram, to be sent in fragments. */
export const GSO_UDP: u32 = 3;
/** gso_type: TCP over IPv6. */
export const GSO_TCPV6: u32 = 4;
/** gso_type: UDP, to be cut into datagrams. */
export const GSO_UDP_L4: u32 = 5;
/** Added to gso_type: the first segment alone carries CWR (RFC 3168 6.1.2). */
export const GSO_ECN: u32 = 0x80;

export function flags(p: usize): u32 {
  return load<u8>(p);
}
export function gsoType(p: usize): u32 {
  return load<u8>(p, 1);
}
export function hdrLen(p: usize): u32 {
  return load<u16>(p, 2);
}
export function gsoSize(p: usize): u32 {
  return load<u16>(p, 4);
}
export function csumStart(p: usize): u32 {
  return load<u16>(p, 6);
}
export function csumOffset(p: usize): u32 {
  return load<u16>(p, 8);
}

/** Writes a header. */
export function put(
  p: usize,
  flags: u32,
  gsoType: u32,
  hdrLen: u32,
  gsoSize: u32,
  csumStart: u32,
  csumOffset: u32,
): void {
  store<u16>(p, u16(flags | (gsoType << 8)));
  store<u16>(p, u16(hdrLen), 2);
  store<u16>(p, u16(gsoSize), 4);
  store<u16>(p, u16(csumStart), 6);
  store<u16>(p, u16(csumOffset), 8);
}
