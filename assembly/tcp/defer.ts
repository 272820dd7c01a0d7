/**
 * TCP_DEFER_ACCEPT in seconds, and as the number of times that the timer of a SYN-ACK fires in that
 * time: after one second, and each time twice as long, as Linux counts it.
 */
import { T } from "./settings";

const FIRST_S: i32 = 1;
const MOST: u8 = 255;

function longest(): i32 {
  return max<i32>(i32(T.rto_max_us / 1_000_000), FIRST_S);
}

/** How often the timer fires before `seconds` are over; 0 for no wait. */
export function ofSeconds(seconds: i32): u8 {
  if (seconds <= 0) return 0;
  let n: u8 = 1;
  let step = FIRST_S;
  let passed = step;
  while (seconds > passed && n < MOST) {
    step = min<i32>(step << 1, longest());
    passed += step;
    n++;
  }
  return n;
}

/** The seconds that stand for `n`. */
export function toSeconds(n: u8): i32 {
  let passed: i32 = 0;
  let step = FIRST_S;
  for (let i: u8 = 0; i < n; i++) {
    passed += step;
    step = min<i32>(step << 1, longest());
  }
  return passed;
}
