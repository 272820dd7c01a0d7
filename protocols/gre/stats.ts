/**
 * What GRE counts.
 *
 * @module
 */

import { newStats, type TunnelStats } from "../tunnel/stats.ts";

/** What a tunnel counts. */
export interface GreStats extends TunnelStats {
  /** Dropped: a wrong checksum (RFC 2784 2.2). */
  rxChecksum: number;
  /** Dropped: no checksum, or no number, though the tunnel has them. */
  rxMissing: number;
  /** Dropped: its number is not higher than the last one's (RFC 2890 2.2). */
  rxOrder: number;
  /** Dropped: the packet inside is not what the type says. */
  rxPayload: number;
  /** Dropped: the packet inside is for the other end itself (RFC 2784 5.2). */
  rxLoops: number;
  /** ICMP errors about what was sent, without those that say how large it may be. */
  txErrors: number;
}

/** All zero. */
export function newGreStats(): GreStats {
  return {
    ...newStats(),
    rxChecksum: 0,
    rxMissing: 0,
    rxOrder: 0,
    rxPayload: 0,
    rxLoops: 0,
    txErrors: 0,
  };
}

/** What the protocol counts beside its tunnels. */
export interface GreProtocolStats {
  /** Packets that have come. */
  rxPackets: number;
  /** Dropped: shorter than their header. */
  rxShort: number;
  /** Dropped: another version than 0 (RFC 2784 2.3.1), such as that of PPTP. */
  rxVersion: number;
  /** Dropped: reserved flags that must be zero, such as that of a source route (RFC 2784 2.3). */
  rxReserved: number;
  /** Dropped: a type of payload that is not carried here. */
  rxType: number;
  /** Dropped: no tunnel has these addresses and this key. */
  rxUnknown: number;
  /** Dropped: no mbuf was left to look at it. */
  rxNoBuffers: number;
}

/** All zero. */
export function newProtocolStats(): GreProtocolStats {
  return {
    rxPackets: 0,
    rxShort: 0,
    rxVersion: 0,
    rxReserved: 0,
    rxType: 0,
    rxUnknown: 0,
    rxNoBuffers: 0,
  };
}
