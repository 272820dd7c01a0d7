/**
 * Options of the IPv4 header (RFC 791 3.1). A host needs none of them: they are checked and
 * skipped, for TCP as for all (RFC 9293 MUST-50). Packets with a source route are refused (RFC 7126
 * 4.3, 4.4).
 */
import * as ip4 from "../wire/ip4";

const END: u32 = 0;
const NOP: u32 = 1;
const LSRR: u32 = 131;
const SSRR: u32 = 137;
/** Bit of an option's type: it goes into every fragment. */
const COPIED: u32 = 0x80;

/** What check answers for a source route. */
export const SOURCE_ROUTE: i32 = -1;

/**
 * Looks through the options of a header of `hlen` bytes.
 *
 * @returns 0 if they are in order; SOURCE_ROUTE; or the offset in the header of the octet that is
 * wrong, for a parameter problem (RFC 1122 3.2.1.8).
 */
export function check(p: usize, hlen: u32): i32 {
  let at = ip4.HEADER;
  let answer: i32 = 0;
  while (at < hlen) {
    const type = u32(load<u8>(p + at));
    if (type == END) break;
    if (type == NOP) {
      at++;
      continue;
    }
    if (at + 1 >= hlen) return i32(at);
    const len = u32(load<u8>(p + at, 1));
    if (len < 2 || at + len > hlen) return i32(at + 1);
    if (type == LSRR || type == SSRR) answer = SOURCE_ROUTE;
    at += len;
  }
  return answer;
}

/**
 * Writes at `dst` the header that fragments behind the first have: the one at `p`, of `hlen` bytes
 * with options in order, without the options that are not copied. Answers its length.
 */
export function copyHeader(dst: usize, p: usize, hlen: u32): u32 {
  memory.copy(dst, p, ip4.HEADER);
  let out = ip4.HEADER;
  let at = ip4.HEADER;
  while (at < hlen) {
    const type = u32(load<u8>(p + at));
    if (type == END) break;
    const len = type == NOP ? 1 : u32(load<u8>(p + at, 1));
    if (type & COPIED) {
      memory.copy(dst + out, p + at, len);
      out += len;
    }
    at += len;
  }
  while (out & 3) {
    store<u8>(dst + out, u8(END));
    out++;
  }
  store<u8>(dst, u8(0x40 | (out >> 2)));
  return out;
}
