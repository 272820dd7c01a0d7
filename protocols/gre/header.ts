/**
 * The GRE header (RFC 2784 2.1, RFC 2890 2).
 *
 * ```
 *   0                               16                              31
 *  |C|0|K|S| 0 0 | ignored   | Ver |  type of the payload            |
 *  |  checksum, if C               |  0                              |
 *  |  key, if K                                                      |
 *  |  sequence number, if S                                          |
 * ```
 *
 * @module
 */

/** A checksum is there. */
export const CHECKSUM = 0x8000;
/** A key is there. */
export const KEY = 0x2000;
/** A sequence number is there. */
export const SEQUENCE = 0x1000;
/**
 * Flags 1, 4 and 5: whoever does not do what RFC 1701 had them for drops what has them
 * (RFC 2784 2.3). Flags 6 to 12 are ignored.
 */
export const RESERVED = 0x4c00;
/** The version, which is 0 (RFC 2784 2.3.1). */
export const VERSION = 0x0007;

/** Types of payload: ethertypes (RFC 2784 2.4), and whole Ethernet frames (RFC 1701). */
export const enum Payload {
  IPV4 = 0x0800,
  IPV6 = 0x86dd,
  ETHERNET = 0x6558,
}

/** Bytes of a header with these flags. */
export function headerBytes(flags: number): number {
  return 4 + (flags & CHECKSUM ? 4 : 0) + (flags & KEY ? 4 : 0) + (flags & SEQUENCE ? 4 : 0);
}

/** Where the key stands in it. */
export function keyAt(flags: number): number {
  return flags & CHECKSUM ? 8 : 4;
}

/** Where the sequence number stands in it. */
export function sequenceAt(flags: number): number {
  return headerBytes(flags) - 4;
}
