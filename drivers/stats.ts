/**
 * What the drivers of this folder count. Every frame that a driver does not pass on is in one of
 * these numbers.
 *
 * @module
 */

/** Frames through one attached driver. "tx" is from the stack to the world, "rx" the other way. */
export interface DriverStats {
  /** Frames taken from the stack and passed on. */
  txFrames: number;
  /** Bytes of those frames, link header included, FCS not. */
  txBytes: number;
  /** Frames taken from the stack and thrown away: empty, too long, nobody at the other end. */
  txDropped: number;
  /** How often `start` took fewer frames than it was offered. */
  txBusy: number;
  /** Frames handed to the stack. */
  rxFrames: number;
  /** Bytes of those frames. */
  rxBytes: number;
  /** Frames that arrived and were thrown away: no room for them, or the driver was detached. */
  rxDropped: number;
}

/** A fresh set of counters, all zero. */
export function newStats(): DriverStats {
  return {
    txFrames: 0,
    txBytes: 0,
    txDropped: 0,
    txBusy: 0,
    rxFrames: 0,
    rxBytes: 0,
    rxDropped: 0,
  };
}
