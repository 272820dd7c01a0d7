/**
 * Sequence numbers: 32 bits that wrap (RFC 9293 3.4). Compare them with these verbs only; they are
 * right while the two numbers are less than 2^31 apart.
 */

/** a < b */
export function lt(a: u32, b: u32): bool {
  return i32(a - b) < 0;
}

/** a <= b */
export function le(a: u32, b: u32): bool {
  return i32(a - b) <= 0;
}

/** a > b */
export function gt(a: u32, b: u32): bool {
  return i32(a - b) > 0;
}

/** a >= b */
export function ge(a: u32, b: u32): bool {
  return i32(a - b) >= 0;
}

/** The later of two. */
export function max(a: u32, b: u32): u32 {
  return i32(a - b) > 0 ? a : b;
}

/** The earlier of two. */
export function min(a: u32, b: u32): u32 {
  return i32(a - b) < 0 ? a : b;
}
