/**
 * What every tunnel counts.
 *
 * @module
 */

/** Counters of one tunnel; each frame that is lost here is in one of them. */
export interface TunnelStats {
  /** Frames that came through and were handed to the interface. */
  rxFrames: number;
  /** Their bytes, from the inner link header on. */
  rxBytes: number;
  /** Dropped: too short for the headers that must be there. */
  rxShort: number;
  /** Dropped: a router has marked congestion, and the sender does not use ECN (RFC 6040 4.2). */
  rxEcn: number;
  /** Dropped: no mbuf was left to look at it. */
  rxNoBuffers: number;
  /** Frames sent, once for each peer that got a copy. */
  txFrames: number;
  /** Their bytes, from the inner link header on. */
  txBytes: number;
  /** Not sent: larger than the path takes, and not to be cut. */
  txTooBig: number;
  /** Not sent: the way to the peer leads back into the tunnel. */
  txLoops: number;
  /** Not sent: no route to the peer, or its interface is down. */
  txNoRoute: number;
  /** Copies not sent because of a full queue or for want of mbufs; the others wait. */
  txNoBuffers: number;
  /** Times that sending had to wait for room. */
  txBusy: number;
  /** Messages "too big" that were answered (RFC 1191). */
  txAnswered: number;
}

/** All zero. */
export function newStats(): TunnelStats {
  return {
    rxFrames: 0,
    rxBytes: 0,
    rxShort: 0,
    rxEcn: 0,
    rxNoBuffers: 0,
    txFrames: 0,
    txBytes: 0,
    txTooBig: 0,
    txLoops: 0,
    txNoRoute: 0,
    txNoBuffers: 0,
    txBusy: 0,
    txAnswered: 0,
  };
}
