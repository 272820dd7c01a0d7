/**
 * What the drivers count whose device is a socket of the host.
 *
 * @module
 */

import { type DriverStats, newStats } from "./stats.ts";

/**
 * Frames through a tunnel. The reasons are parts of `rxDropped` and `txDropped`, so a frame that
 * did not get through is in one of them.
 */
export interface TunnelStats extends DriverStats {
  /** Of `rxDropped`: the queue was full. */
  rxQueueFull: number;
  /** Of `rxDropped`: from an address that is not the peer's. */
  rxStrangers: number;
  /** Of `rxDropped`: empty, longer than a frame can be, or not a frame at all. */
  rxInvalid: number;
  /** Of `txDropped`: nobody was at the other end, or it is not known yet. */
  txNoPeer: number;
  /** Of `txDropped`: the host's socket refused the frame. */
  txRefused: number;
  /** How often the connection came back after it was lost. */
  reconnects: number;
}

/** A fresh set of counters, all zero. */
export function newTunnelStats(): TunnelStats {
  return {
    ...newStats(),
    rxQueueFull: 0,
    rxStrangers: 0,
    rxInvalid: 0,
    txNoPeer: 0,
    txRefused: 0,
    reconnects: 0,
  };
}

/** Counts frames that nobody is there for; answers their number, as `start` does. */
export function countNoPeer(stats: TunnelStats, count: number): number {
  stats.txNoPeer += count;
  stats.txDropped += count;
  return count;
}
