/**
 * Memory that is handed out once and never given back: pools and tables take their share from it
 * at boot. It must be zero and untouched when the arena is initialized; the system then commits a
 * page only when something writes to it, so unused room costs nothing.
 */

/** State of the module. */
@unmanaged
@final
export class ArenaState {
  top: usize; // first byte not handed out
  end: usize; // first byte beyond the arena
  refused: u32; // requests that did not fit
}

const S: ArenaState = changetype<ArenaState>(memory.data(offsetof<ArenaState>(), 16));

/** The arena is [base, end) from now on. */
export function init(base: usize, end: usize): void {
  S.top = base;
  S.end = end > base ? end : base;
  S.refused = 0;
}

/**
 * Address of `bytes` zero bytes at a multiple of `align`, a power of two; 0 when there is not
 * that much left.
 */
export function alloc(bytes: usize, align: usize): usize {
  const mask = u64(align) - 1;
  const at = (u64(S.top) + mask) & ~mask;
  const top = at + u64(bytes);
  if (top > u64(S.end)) {
    S.refused += 1;
    return 0;
  }
  S.top = usize(top);
  return usize(at);
}

/** First byte not handed out: all state of the engine lies below it. */
export function top(): usize {
  return S.top;
}

/** Requests since init that did not fit: at boot, tables that are missing. */
export function refused(): u32 {
  return S.refused;
}
