/** Counters of the stack, and what became of each frame. */
import { Fate } from "../abi/fate";
import { Stat } from "../abi/stat";

/** State of the module. */
@unmanaged
@final
export class FateState {
  last: u32; // Fate of the present frame, NONE until it is decided
  more: u32; // how many frames the present one stands for beside itself
  dropped: u64; // frames with a fate that is a drop
}

const S: FateState = changetype<FateState>(memory.data(offsetof<FateState>(), 16));
/** Fates from here on are drops. */
const FIRST_DROP: u32 = 64;
const COUNTERS: usize = memory.data(Stat.COUNT * 8, 16);
const FATES: usize = memory.data(256 * 8, 16);

/** Adds `n` to a counter. */
export function add(s: Stat, n: u64): void {
  const p = COUNTERS + (usize(s) << 3);
  store<u64>(p, load<u64>(p) + n);
}

/** Adds one to a counter. */
export function inc(s: Stat): void {
  add(s, 1);
}

/** The value of a counter. */
export function get(s: Stat): u64 {
  return load<u64>(COUNTERS + (usize(s) << 3));
}

/** Address of the counters: Stat.COUNT of u64. */
export function counters(): usize {
  return COUNTERS;
}

/** Address of the table of fates: 256 of u64, by Fate. */
export function fates(): usize {
  return FATES;
}

/**
 * Says what became of the present frame. The first call for a frame counts and later ones do not,
 * so the fates add up to the frames; `clearFate` starts the next frame.
 */
export function fate(f: Fate): void {
  if (S.last != Fate.NONE) return;
  S.last = f;
  bump(f);
}

/** A new frame begins: nothing is decided. */
export function clearFate(): void {
  S.last = Fate.NONE;
  S.more = 0;
}

/** The frame that has just begun stands for `n` that came one after another, with one fate. */
export function standFor(n: u32): void {
  S.more = n - 1;
}

/** The fate of the present frame, NONE until it is decided. */
export function lastFate(): u32 {
  return S.last;
}

/** The frame is done. Answers its fate; one that nobody decided is counted as NONE. */
export function endFrame(): u32 {
  if (S.last == Fate.NONE) bump(Fate.NONE);
  return S.last;
}

/** Frames so far that were dropped. */
export function dropped(): u64 {
  return S.dropped;
}

function bump(f: u32): void {
  const p = FATES + (usize(f & 255) << 3);
  const frames = u64(S.more) + 1;
  store<u64>(p, load<u64>(p) + frames);
  if (f >= FIRST_DROP) S.dropped += frames;
}
