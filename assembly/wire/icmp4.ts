/**
 * The ICMP header (RFC 792).
 *
 * ```
 *   | type 1 | code 1 | checksum 2 | rest of header 4 | data ...
 * ```
 */
export const HEADER: u32 = 8;

/** Types (IANA icmp-parameters). */
export const enum Icmp {
  ECHO_REPLY = 0,
  UNREACH = 3,
  SOURCE_QUENCH = 4,
  REDIRECT = 5,
  ECHO = 8,
  ROUTER_ADVERT = 9,
  ROUTER_SOLICIT = 10,
  TIME_EXCEEDED = 11,
  PARAM_PROBLEM = 12,
  TIMESTAMP = 13,
  TIMESTAMP_REPLY = 14,
  INFO_REQUEST = 15,
  INFO_REPLY = 16,
  MASK_REQUEST = 17,
  MASK_REPLY = 18,
}

/** Codes of UNREACH. */
export const enum Unreach {
  NET = 0,
  HOST = 1,
  PROTOCOL = 2,
  PORT = 3,
  NEEDFRAG = 4,
  SRCFAIL = 5,
  NET_UNKNOWN = 6,
  HOST_UNKNOWN = 7,
  ISOLATED = 8,
  NET_PROHIB = 9,
  HOST_PROHIB = 10,
  TOSNET = 11,
  TOSHOST = 12,
  FILTER_PROHIB = 13,
  HOST_PRECEDENCE = 14,
  PRECEDENCE_CUTOFF = 15,
}

export function type(p: usize): u32 {
  return load<u8>(p);
}
export function code(p: usize): u32 {
  return load<u8>(p, 1);
}
export function checksum(p: usize): u16 {
  return load<u16>(p, 2);
}
/** Next-hop MTU of "fragmentation needed" (RFC 1191 4). */
export function mtu(p: usize): u32 {
  return bswap(load<u16>(p, 6));
}
/** Gateway of a redirect, in host order. */
export function gateway(p: usize): u32 {
  return bswap(load<u32>(p, 4));
}
/** Pointer of a parameter problem. */
export function pointer(p: usize): u32 {
  return load<u8>(p, 4);
}

export function setChecksum(p: usize, sum: u16): void {
  store<u16>(p, sum, 2);
}

/** Writes a header with a zero checksum; `rest` in host order. */
export function put(p: usize, type: u32, code: u32, rest: u32): void {
  store<u32>(p, type | (code << 8));
  store<u32>(p, bswap(rest), 4);
}

/** Turns an echo request into the reply and mends the checksum (RFC 1624). */
export function echoToReply(p: usize): void {
  store<u8>(p, u8(Icmp.ECHO_REPLY));
  let check = u32(load<u16>(p, 2)) + Icmp.ECHO;
  check = (check & 0xffff) + (check >> 16);
  store<u16>(p, u16(check), 2);
}

/** True for messages that report an error: no error may be sent about them (RFC 1122 3.2.2). */
export function isError(type: u32): bool {
  return type == Icmp.UNREACH || type == Icmp.SOURCE_QUENCH || type == Icmp.REDIRECT ||
    type == Icmp.TIME_EXCEEDED || type == Icmp.PARAM_PROBLEM;
}
