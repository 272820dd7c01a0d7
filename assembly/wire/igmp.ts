/**
 * The IGMP message (RFC 2236 2).
 *
 * ```
 *   | type 1 | max response time 1 | checksum 2 | group 4 |
 * ```
 */
export const LENGTH: u32 = 8;

/** Types. */
export const enum Igmp {
  QUERY = 0x11,
  V1_REPORT = 0x12,
  V2_REPORT = 0x16,
  LEAVE = 0x17,
  V3_REPORT = 0x22,
}

/** 224.0.0.1: every host. */
export const ALL_HOSTS: u32 = 0xe0000001;
/** 224.0.0.2: every router. */
export const ALL_ROUTERS: u32 = 0xe0000002;

export function type(p: usize): u32 {
  return load<u8>(p);
}
/** Max response time in tenths of a second; 0 in a query of version 1. */
export function maxResponse(p: usize): u32 {
  return load<u8>(p, 1);
}
/** The group, in host order; 0 in a general query. */
export function group(p: usize): u32 {
  return bswap(load<u32>(p, 4));
}

/** Writes a message with its checksum. */
export function put(p: usize, type: u32, group: u32): void {
  const be = bswap(group);
  let acc = type + (be & 0xffff) + (be >> 16);
  acc = (acc & 0xffff) + (acc >> 16);
  acc = (acc & 0xffff) + (acc >> 16);
  store<u32>(p, type | (u32(u16(~acc)) << 16));
  store<u32>(p, be, 4);
}
