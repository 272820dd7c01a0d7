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
/** A mean over some hundred losses that come at random differs by as much from the true one. */
const SPREAD = 0.95;
/** From this share on timeouts count, not only the window. */
const LOSS_HIGH = 0.03;
/** CUBIC's constant of growth and its factor of decrease (RFC 9438 4.1.1, 4.6). */
const C = 0.4;
const BETA = 0.7;

/** How sharply the lesser of two limits counts where they are near each other. */
const SHARPNESS = 3;

/** What happens between two losses, as a function of the largest window, in packets. */
interface Cycle {
  /** Packets sent while the window grows. */
  readonly packets: (window: number) => number;
  /** Round trips that takes. */
  readonly rounds: (window: number) => number;
  /** What a loss leaves of the window. */
  readonly beta: number;
}

/** Growth by `alpha` packets in each round trip (RFC 5681 3.1, RFC 9438 4.3). */
function linear(alpha: number, beta: number): Cycle {
  return {
    packets: (window) => (1 - beta ** 2) * window ** 2 / (2 * alpha),
    rounds: (window) => (1 - beta) * window / alpha,
    beta,
  };
}

/** Growth by CUBIC's function of time (RFC 9438 4.2, 5.1). */
function cubic(rtt_s: number): Cycle {
  const rounds = (window: number) => Math.cbrt((1 - BETA) * window / C) / rtt_s;
  return {
    packets: (window) => rounds(window) * window * (3 + BETA) / 4,
    rounds,
    beta: BETA,
  };
}

/**
 * Packets in a round trip of a sender that loses one of 1 / loss packets: the window grows from one
 * loss to the next, and stays during the round trip in which the loss is repaired.
 *
 * Without that round trip this is the response function as it is usually written: 1.22 / sqrt(p)
 * for NewReno, or 0.87 / sqrt(p) with delayed ACKs (Mathis, Semke, Mahdavi, Ott 1997), and RFC 9438
 * 5.1 for CUBIC.
 */
export function packetsPerRound(loss: number, { packets, rounds, beta }: Cycle): number {
  let [low, high] = [0, 1 / loss + 1];
  for (let i = 0; i < 100; i++) {
    const window = (low + high) / 2;
    if (packets(window) + beta * window < 1 / loss) low = window;
    else high = window;
  }
  return 1 / loss / (rounds(low) + 1);
}

/** Packets in a round trip, by algorithm. */
export function responseOf(algorithm: Algorithm, loss: number, rtt_s: number): number {
  if (algorithm === "newreno") return packetsPerRound(loss, linear(1 / ACKED, 0.5));
  // The Reno-friendly region counts packets, not ACKs.
  const friendly = linear(3 * (1 - BETA) / (1 + BETA), BETA);
  return Math.max(packetsPerRound(loss, friendly), packetsPerRound(loss, cubic(rtt_s)));
}

/**
 * Packets a second of a sender that nothing else limits. Where losses are many and windows small,
 * the time spent in timeouts counts too (Padhye, Firoiu, Towsley, Kurose 1998, equation 30).
 */
export function predictedPackets({ loss, rtt_us }: Path, algorithm: Algorithm): number {
  if (loss === 0) return Infinity;
  const rtt_s = rtt_us / 1e6;
  const response = responseOf(algorithm, loss, rtt_s);
  if (loss < LOSS_HIGH) return response / rtt_s;
  const timeouts = Math.min(1, 3 * Math.sqrt(3 * ACKED * loss / 8));
  const timeout_s = (rtt_s + RTO_MIN_S) * timeouts * loss * (1 + 32 * loss ** 2);
  return 1 / (rtt_s / response + timeout_s);
}

/**
 * Payload that has to be delivered at least, bits a second: what the response function or the link
 * allows. Where both are near each other it is less than either, since losses that come at random
 * keep the window now below what the link could take, and now above it to no use.
 */
export function requiredBps(
  path: Path,
  algorithm: Algorithm,
  payload_bytes: number,
  packet_bytes: number,
): number {
  const link = LINK_SHARE * path.rate_bps / packet_bytes / 8;
  const ratio = link / (SPREAD * predictedPackets(path, algorithm));
  return link * (1 + ratio ** SHARPNESS) ** (-1 / SHARPNESS) * payload_bytes * 8;
}
