/** The parts of an LLDPDU: type, length, value (IEEE 802.1AB-2016 8.4). */

/** Types (table 8-1). */
export const enum Tlv {
  END = 0,
  CHASSIS_ID = 1,
  PORT_ID = 2,
  TTL = 3,
  PORT_DESCRIPTION = 4,
  SYSTEM_NAME = 5,
  SYSTEM_DESCRIPTION = 6,
  CAPABILITIES = 7,
  MANAGEMENT_ADDRESS = 8,
}

/** Kinds of a chassis or port ID (tables 8-2 and 8-3). */
export const enum Id {
  CHASSIS_MAC = 4,
  CHASSIS_LOCAL = 7,
  PORT_NAME = 5,
}

/** Address families of a management address (IANA address-family-numbers). */
export const enum Family {
  IPV4 = 1,
  MAC = 6,
}

/** The number of an interface is its index (8.5.9.5). */
export const IF_INDEX: u32 = 2;
/** Bytes of type and length. */
export const HEAD: u32 = 2;

/** Writes type and length; answers where the value goes. */
export function put(at: usize, type: Tlv, length: u32): usize {
  store<u16>(at, bswap(u16(u32(type) << 9 | length)));
  return at + HEAD;
}

/** Writes a part whose value is there already; answers its end. */
export function putBytes(at: usize, type: Tlv, from: usize, length: u32): usize {
  memory.copy(put(at, type, length), from, length);
  return at + HEAD + length;
}

/** Type of the part at an address. */
export function type(at: usize): u32 {
  return u32(bswap(load<u16>(at))) >> 9;
}

/** Bytes of its value. */
export function length(at: usize): u32 {
  return bswap(load<u16>(at)) & 0x1ff;
}
