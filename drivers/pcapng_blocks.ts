/**
 * Numbers of the pcapng capture file format (draft-ietf-opsawg-pcapng).
 *
 * @module
 */

/** Block type of a section header; the same in both byte orders. */
export const BLOCK_SECTION = 0x0a0d0d0a;
/** Block type of an interface description. */
export const BLOCK_INTERFACE = 1;
/** Block type of the packet block of older files. */
export const BLOCK_PACKET_OLD = 2;
/** Block type of a simple packet: no time, first interface. */
export const BLOCK_PACKET_SIMPLE = 3;
/** Block type of an enhanced packet. */
export const BLOCK_PACKET = 6;
/** Second word of a section header, in the byte order of the section. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Option that ends a list of options. */
export const OPT_END = 0;
/** Option of a packet: direction in bits 0 and 1, FCS length in bits 5 to 8. */
export const OPT_PACKET_FLAGS = 2;
/** Option of a section: the program that wrote it. */
export const OPT_SECTION_APPLICATION = 4;
/** Option of an interface: its name. */
export const OPT_IF_NAME = 2;
/** Option of an interface: unit of its times, a negative power of 10 or, with bit 7, of 2. */
export const OPT_IF_TSRESOL = 9;
/** Option of an interface: length of the FCS at the end of its frames. */
export const OPT_IF_FCSLEN = 13;
/** Option of an interface: seconds to add to its times. */
export const OPT_IF_TSOFFSET = 14;

/** Direction bits of the packet flags: received. */
export const FLAG_INBOUND = 1;
/** Direction bits of the packet flags: sent. */
export const FLAG_OUTBOUND = 2;

/** Type, length, and the length again. */
export const BLOCK_BYTES_MIN = 12;
/** Shortest section header block. */
export const SECTION_BYTES_MIN = 28;

/** `length` rounded up to a multiple of 4, as everything in the format is. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
