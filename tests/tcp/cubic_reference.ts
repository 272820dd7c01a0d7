/**
 * CUBIC as RFC 9438 writes it: windows in segments, real numbers, nothing rounded.
 *
 * @module
 */

const BETA = 0.7;
const C = 0.4;
const ALPHA = 3 * (1 - BETA) / (1 + BETA);

/** A flow; times in seconds. */
export class CubicReference {
  ssthresh = Infinity;
  wMax: number | undefined;
  cwndPrior: number | undefined;
  k = 0;
  wEst = 0;
  epoch: number | undefined;

  constructor(public cwnd: number) {}

  /** W_cubic(t), figure 1. */
  cubic(t: number): number {
    return C * (t - this.k) ** 3 + this.wMax!;
  }

  /** `segments` were acknowledged at `now`. */
  ack(segments: number, now: number, rtt: number): void {
    if (this.cwnd < this.ssthresh) {
      const grown = Math.min(segments, this.ssthresh - this.cwnd);
      this.cwnd += grown;
      segments -= grown;
      if (segments <= 0) return;
    }
    if (this.epoch === undefined) this.begin(now);
    const alpha = this.wEst >= this.cwndPrior! ? 1 : ALPHA;
    this.wEst += alpha * segments / this.cwnd; // figure 4
    const t = now - this.epoch!;
    if (this.cubic(t) < this.wEst) {
      this.cwnd = Math.max(this.cwnd, this.wEst);
      return;
    }
    const target = Math.min(Math.max(this.cubic(t + rtt), this.cwnd), 1.5 * this.cwnd);
    this.cwnd += segments * (target - this.cwnd) / this.cwnd;
  }

  begin(now: number): void {
    this.epoch = now;
    this.wEst = this.cwnd;
    this.cwndPrior ??= this.cwnd;
    if (this.wMax === undefined || this.wMax <= this.cwnd) {
      this.wMax = this.cwnd;
      this.k = 0;
    } else {
      this.k = Math.cbrt((this.wMax - this.cwnd) / C); // figure 2
    }
  }

  /** Figure 5, after 4.7. */
  congestion(beta = BETA): void {
    const converging = this.wMax !== undefined && this.cwnd < this.wMax;
    this.wMax = converging ? this.cwnd * (1 + BETA) / 2 : this.cwnd;
    this.cwndPrior = this.cwnd;
    this.ssthresh = Math.max(this.cwnd * beta, 2);
    this.epoch = undefined;
  }

  /** 4.8. */
  timeout(): void {
    this.congestion();
    this.wMax = undefined;
    this.cwnd = 1;
  }
}
