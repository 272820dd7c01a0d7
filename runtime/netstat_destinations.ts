/**
 * What TCP remembers of destinations between connections.
 *
 * @module
 */

import type { Engine } from "./engine.ts";
import * as field from "./layout.ts";
import { formatIpv4 } from "./socket/inet_addr.ts";
import { Metric } from "./wasm/layout.gen.ts";

/** What is remembered of one destination. Zero means not known. */
export interface DestinationReport {
  /** Its address. */
  readonly address: string;
  /** The address of ours that was used. */
  readonly source: string;
  /** Smoothed round-trip time in microseconds. */
  readonly srtt_us: number;
  /** Its variance. */
  readonly rttvar_us: number;
  /** Threshold of slow start, bytes. */
  readonly ssthresh: number;
  /** Congestion window, bytes. */
  readonly cwnd: number;
}

/** The destinations remembered, those used last first. */
export function destinations(engine: Engine): DestinationReport[] {
  const list: DestinationReport[] = [];
  for (let i = 0;; i++) {
    const at = engine.calls.tcp_metrics(i) >>> 0;
    if (at === 0) return list;
    list.push({
      address: address(engine, at + Metric.faddr_hi),
      source: address(engine, at + Metric.laddr_hi),
      srtt_us: field.getU32(engine, at, Metric.srtt_us),
      rttvar_us: field.getU32(engine, at, Metric.rttvar_us),
      ssthresh: field.getU32(engine, at, Metric.ssthresh),
      cwnd: field.getU32(engine, at, Metric.cwnd),
    });
  }
}

/** The IPv4 address in the last four of 16 bytes. */
function address(engine: Engine, at: number): string {
  return formatIpv4(new DataView(engine.memory.buffer).getUint32(at + 12));
}
