/**
 * What a VXLAN segment counts.
 *
 * @module
 */

import { newStats, type TunnelStats } from "../tunnel/stats.ts";

/** What a segment counts. */
export interface VxlanStats extends TunnelStats {
  /** Dropped: from an end point that was not told, and strangers are not wanted. */
  rxStrangers: number;
  /** Dropped: from our own hardware address, so a frame of ours that came back. */
  rxLoops: number;
  /** Dropped: its sender is a group, or nobody. */
  rxSource: number;
  /** Dropped: with a VLAN tag (RFC 7348 6.1). */
  rxVlan: number;
  /** Dropped: from a station that is fixed behind another end point. */
  rxFixed: number;
  /** Stations learned. */
  learned: number;
  /** Stations that were behind another end point before. */
  moved: number;
  /** Stations not learned because the table was full; their frames were taken. */
  full: number;
  /** Frames for all, or for stations not known, that were given to every end point. */
  txFlooded: number;
  /** Not sent: with a VLAN tag (RFC 7348 6.1). */
  txVlan: number;
  /** Not sent: for all or for a station not known, and there is no other end point. */
  txNobody: number;
}

/** All zero. */
export function newVxlanStats(): VxlanStats {
  return {
    ...newStats(),
    rxStrangers: 0,
    rxLoops: 0,
    rxSource: 0,
    rxVlan: 0,
    rxFixed: 0,
    learned: 0,
    moved: 0,
    full: 0,
    txFlooded: 0,
    txVlan: 0,
    txNobody: 0,
  };
}
