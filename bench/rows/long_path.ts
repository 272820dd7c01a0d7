/**
 * Bulk TCP over a link with a rate and a delay, on a virtual clock: what congestion control and
 * windows make of it, whatever the machine is like. Every run gives the same figure.
 *
 * @module
 */

import { measure } from "../../sim/goodput.ts";
import engine from "../../runtime/wasm/engine_module.js";
import type { Row } from "../row.ts";

const RATE_BPS = 1e9;
const RTTS_MS = [2, 10, 50];

/** One connection with CUBIC on a link of 1 Gbit/s, from when slow start is over. */
export const longPathRows: readonly Row[] = RTTS_MS.map((rtt_ms) => ({
  name: `tcp-bulk-rtt-${rtt_ms}ms`,
  unit: "Mbit/s",
  about: `one connection on a virtual link of 1 Gbit/s, round trip ${rtt_ms} ms, payload only`,
  exact: true,
  ours: () =>
    Promise.resolve({
      async measure() {
        const cell = { loss: 0, rtt_us: rtt_ms * 1000, rate_bps: RATE_BPS };
        return (await measure({ ...cell, algorithm: "cubic" }, engine)).goodput_bps / 1e6;
      },
      close() {},
    }),
  reference: { name: "the link, headers and all", value: RATE_BPS / 1e6 },
}));
