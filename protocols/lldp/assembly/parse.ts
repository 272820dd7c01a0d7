/**
 * Reads the LLDPDUs of others, which may be anything (IEEE 802.1AB-2016 9.2.7.7, rules of 8.4 and
 * 8.5): what breaks the frame discards it, what breaks one part discards that part.
 */
import { STATS } from "./stats";
import { HEAD, length as lengthOf, Tlv, type as typeOf } from "./tlv";

const ID_MIN: u32 = 2;
const ID_MAX: u32 = 256;
const TEXT_MAX: u32 = 255;
const ADDRESS_MIN: u32 = 9;
const ADDRESS_MAX: u32 = 167;
const OID_MAX: u32 = 128;
/** Parts that there may be one of (8.2): the bits of their types. */
const ONCE: u32 = 1 << Tlv.PORT_DESCRIPTION | 1 << Tlv.SYSTEM_NAME |
  1 << Tlv.SYSTEM_DESCRIPTION | 1 << Tlv.CAPABILITIES;

/** What was read. */
@unmanaged
@final
export class Parsed {
  data: usize; // the parts that are good: chassis ID, port ID, and others but for the time to live
  length: u32;
  key_length: u32; // bytes of chassis ID and port ID, which say who it is
  ttl: u32; // seconds
  seen: u32; // types that were there
}

/** Longest frame that is read. */
export const BYTES_MAX: u32 = 1536;
export const PARSED: Parsed = changetype<Parsed>(memory.data(offsetof<Parsed>(), 8));
const GOOD: usize = memory.data(1536, 16);

/** Reads `length` bytes; false if the frame must be discarded. */
export function read(from: usize, length: u32): bool {
  PARSED.data = GOOD;
  PARSED.length = 0;
  PARSED.seen = 0;
  if (length > BYTES_MAX) return false;
  const end = from + length;
  let at = from;
  // the first three are mandatory, in this order (8.2)
  for (let type: u32 = Tlv.CHASSIS_ID; type <= u32(Tlv.TTL); type++) {
    if (!whole(at, end) || typeOf(at) != type || !mandatory(at, type)) return false;
    at += HEAD + lengthOf(at);
  }
  if (PARSED.ttl == 0) return true; // a shutdown has nothing else (8.5.4)
  // the end may be that of the frame (8.4); what stands behind the part END is padding
  while (at < end) {
    if (!whole(at, end)) return false;
    const type = typeOf(at);
    if (type == Tlv.END) return lengthOf(at) == 0;
    if (type <= u32(Tlv.TTL)) return false; // a second one (8.5.2 to 8.5.4)
    optional(at, type);
    at += HEAD + lengthOf(at);
  }
  return true;
}

/** True if a part does not reach beyond the end. */
function whole(at: usize, end: usize): bool {
  return at + HEAD <= end && at + HEAD + lengthOf(at) <= end;
}

function mandatory(at: usize, type: u32): bool {
  const length = lengthOf(at);
  if (type == Tlv.TTL) {
    if (length < 2) return false; // 8.5.4
    PARSED.ttl = bswap(load<u16>(at, HEAD));
    PARSED.key_length = PARSED.length;
    return true;
  }
  if (length < ID_MIN || length > ID_MAX) return false; // 8.5.2.1, 8.5.3.1
  keep(at);
  return true;
}

/** Keeps a part that may be there if there is nothing wrong with it. */
function optional(at: usize, type: u32): void {
  if (type > u32(Tlv.MANAGEMENT_ADDRESS)) {
    STATS.tlvs_unrecognized += 1; // reserved, or an organization's own (8.4.1, 8.6)
    return;
  }
  const bit: u32 = 1 << type;
  const again = (PARSED.seen & ONCE & bit) != 0;
  PARSED.seen |= bit;
  if (again || !good(at, type)) STATS.tlvs_discarded += 1;
  else keep(at);
}

function good(at: usize, type: u32): bool {
  const length = lengthOf(at);
  if (type == Tlv.CAPABILITIES) {
    if (length != 4) return false; // 8.5.8
    const there = load<u16>(at, HEAD);
    return (load<u16>(at, HEAD + 2) & ~there) == 0; // what is switched on must be there
  }
  if (type == Tlv.MANAGEMENT_ADDRESS) return goodAddress(at + HEAD, length);
  return length <= TEXT_MAX; // 8.5.5 to 8.5.7
}

/** 8.5.9: lengths inside of the value must add up to it. */
function goodAddress(value: usize, length: u32): bool {
  if (length < ADDRESS_MIN || length > ADDRESS_MAX) return false;
  const address = u32(load<u8>(value)); // with the byte that says its family
  if (address < 2 || address > 32 || 1 + address + 6 > length) return false;
  const oid = u32(load<u8>(value + 1 + address + 5));
  return oid <= OID_MAX && 1 + address + 6 + oid == length;
}

function keep(at: usize): void {
  const bytes = HEAD + lengthOf(at);
  memory.copy(GOOD + PARSED.length, at, bytes);
  PARSED.length += bytes;
}
