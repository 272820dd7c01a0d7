/**
 * What the response functions of congestion control predict: the rate of a sender that loses a
 * share of its packets. docs/goodput.md holds measured goodput against them.
 *
 * @module
 */

/** Congestion control that is measured. */
export type Algorithm = "newreno" | "cubic";

/** A path and a share of losses. */
export interface Path {
  /** Share of the data packets that are lost. */
  readonly loss: number;
  /** Round-trip time without queues. */
  readonly rtt_us: number;
  /** Rate of the link, bits a second. */
  readonly rate_bps: number;
}

/** Packets that one ACK acknowledges: a receiver that delays its ACKs (RFC 5681 4.2). */
const ACKED = 2;
/** Share of the link that has to be filled where nothing else limits. */
export const LINK_SHARE = 0.95;
/** Lower limit of what is added to the round-trip time for a retransmission timeout. */
const RTO_MIN_S = 0.2;
/** From this share on timeouts count, not only the window. */
const LOSS_HIGH = 0.03;
/** CUBIC's constant of growth and its factor of decrease (RFC 9438 4.1.1, 4.6). */
const C = 0.4;
const BETA = 0.7;

/**
 * Window of NewReno in packets: sqrt(3 / 2bp), which is 1.22 / sqrt(p) without and 0.87 / sqrt(p)
 * with delayed ACKs (Mathis, Semke, Mahdavi, Ott 1997; RFC 5681 3.1 for the growth).
 */
export function windowNewReno(loss: number): number {
  return Math.sqrt(3 / (2 * ACKED * loss));
}

/**
 * Window of CUBIC in packets: the larger one of its own function (RFC 9438 5.1) and of the
 * Reno-friendly region, which counts packets and not ACKs (RFC 9438 4.3).
 */
export function windowCubic(loss: number, rtt_s: number): number {
  const own = ((C * (3 + BETA)) / (4 * (1 - BETA))) ** 0.25 * (rtt_s / loss) ** 0.75;
  return Math.max(own, Math.sqrt(3 / (2 * loss)));
}

/**
 * Packets a second of a sender that nothing else limits. Where losses are many and windows small,
 * the time spent in timeouts counts too (Padhye, Firoiu, Towsley, Kurose 1998, equation 30).
 */
export function predictedPackets({ loss, rtt_us }: Path, algorithm: Algorithm): number {
  if (loss === 0) return Infinity;
  const rtt_s = rtt_us / 1e6;
  const window = algorithm === "cubic" ? windowCubic(loss, rtt_s) : windowNewReno(loss);
  if (loss < LOSS_HIGH) return window / rtt_s;
  const timeouts = Math.min(1, 3 * Math.sqrt(3 * ACKED * loss / 8));
  const timeout_s = (rtt_s + RTO_MIN_S) * timeouts * loss * (1 + 32 * loss ** 2);
  return 1 / (rtt_s / window + timeout_s);
}

/** Payload that has to be delivered at least, bits a second. */
export function requiredBps(
  path: Path,
  algorithm: Algorithm,
  payload_bytes: number,
  packet_bytes: number,
): number {
  const link = path.rate_bps / packet_bytes / 8;
  return Math.min(predictedPackets(path, algorithm), LINK_SHARE * link) * payload_bytes * 8;
}
