/**
 * What must hold of every stack between two turns, as the checked engine's probes see it.
 *
 * @module
 */

import type { Engine } from "../runtime/engine.ts";
import { Fault } from "./fault.ts";

/** The answers of `probe_health`, by number. */
const WORDS: readonly string[] = [
  "",
  "mbufs handed out, less those given back, are not those in use",
  "so_rcv does not hold what it counts",
  "so_snd does not hold what it counts",
  "SND.UNA is beyond SND.NXT",
  "more is in flight than so_snd holds",
  "RCV.NXT is beyond the edge that was advertised",
  "the congestion window is 0",
  "data is unacknowledged and no timer is on",
  "segments of the reassembly queue overlap or lie below RCV.NXT",
  "the reassembly queue does not hold what it counts",
  "a timer is on in memory that nobody owns",
  "the links of a timer are broken",
  "the wheel does not hold as many timers as it counts",
  "not just one timer watches over what is in flight",
  "records of segments in flight leave a gap or do not reach to SND.NXT",
  "a record says that its segment has arrived and was lost",
  "what is reported, lost and sent again is not what the counters say",
  "the list by time does not hold what may still be found lost, in order",
];

/** The probes of the checked engine that simulations call. */
interface Probes {
  probe_health?(): number;
  probe_health_at?(): number;
  probe_so_used?(): number;
  probe_timer_count?(): number;
}

/** Looks at one engine. */
export class Health {
  readonly #probes: Probes;

  /** `engine` may be one without probes: then nothing is ever found. */
  constructor(readonly engine: Engine) {
    this.#probes = engine.calls as unknown as Probes;
  }

  /** Throws a `Fault` if anything is out of order. */
  check(): void {
    const fault = this.#probes.probe_health?.() ?? 0;
    if (fault === 0) return;
    const at = (this.#probes.probe_health_at!() >>> 0).toString(16);
    throw new Fault(`${WORDS[fault] ?? `probe_health answers ${fault}`} (at 0x${at})`);
  }

  /** Sockets that are in use. */
  sockets(): number {
    return this.#probes.probe_so_used?.() ?? 0;
  }

  /** Timers that are on. */
  timers(): number {
    return this.#probes.probe_timer_count?.() ?? 0;
  }
}
