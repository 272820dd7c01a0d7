/** The engine's clock: microseconds since the runtime's origin. It moves only when it is set. */

/** State of the module. */
@unmanaged
@final
export class ClockState {
  now: i64;
}

const S: ClockState = changetype<ClockState>(memory.data(offsetof<ClockState>(), 16));

/** The present, in microseconds. The same all through one call into the engine. */
export function now(): i64 {
  return S.now;
}

/** Moves the clock to `now_us`; it never goes back, an earlier time is ignored. */
export function set(now_us: i64): void {
  if (now_us > S.now) S.now = now_us;
}
