/**
 * The IGMP message (RFC 2236 2), and what version 3 has behind it (RFC 3376 4).
 *
 * ```
 *          | type 1 | max response time 1 | checksum 2 | group 4 |
 *   query  | flags and robustness 1 | query interval 1 | count 2 | sources, 4 each |
 *   report | type 1 | 0 | checksum 2 | 0 | records 2 | record
 *   record | Igmp3 1 | 0 | count 2 | group 4 | sources, 4 each |
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

/** Bytes of a query of version 3 without sources; of a report with one record, without them. */
export const QUERY3: u32 = 12;
export const REPORT3: u32 = 16;

/** Types of records (RFC 3376 4.2.12). */
export const enum Igmp3 {
  IS_IN = 1,
  IS_EX = 2,
  TO_IN = 3,
  TO_EX = 4,
  ALLOW = 5,
  BLOCK = 6,
}

/** 224.0.0.1: every host. */
export const ALL_HOSTS: u32 = 0xe0000001;
/** 224.0.0.2: every router. */
export const ALL_ROUTERS: u32 = 0xe0000002;
/** 224.0.0.22: every router of IGMP version 3. */
export const V3_ROUTERS: u32 = 0xe0000016;

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

/** Querier's Robustness Variable in a version 3 query, 2 if it names none (RFC 3376 4.1.6). */
export function robustness(p: usize): u32 {
  const qrv: u32 = load<u8>(p, 8) & 7;
  return qrv ? qrv : 2;
}
/** The code of its Query Interval in seconds (RFC 3376 4.1.7). */
export function interval(p: usize): u32 {
  return load<u8>(p, 9);
}

/** How many sources a query of version 3 names, and one of them in host order. */
export function sources(p: usize): u32 {
  return bswap<u16>(load<u16>(p, 10));
}
export function source(p: usize, i: u32): u32 {
  return bswap(load<u32>(p + (i << 2), QUERY3));
}

/** The number that a code of version 3 stands for: from 128 on a float (RFC 3376 4.1.1). */
export function codeValue(code: u32): u32 {
  return code < 128 ? code : (code & 15 | 16) << ((code >> 4 & 7) + 3);
}

/** Writes a report with one record but its checksum; sources stand behind REPORT3 bytes. */
export function putReport(p: usize, record: u32, group: u32, count: u32): void {
  store<u64>(p, u64(Igmp.V3_REPORT) | (u64(0x0100) << 48));
  store<u32>(p, record | (u32(bswap(<u16> count)) << 16), 8);
  store<u32>(p, bswap(group), 12);
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
