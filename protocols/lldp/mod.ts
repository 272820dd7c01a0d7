/**
 * LLDP (IEEE 802.1AB-2016): each Ethernet interface of the stack announces who we are, and learns
 * who is at the other end of the wire.
 *
 * ```ts
 * import { createStack } from "@godwit/godwit";
 * import lldp from "@godwit/godwit/protocols/lldp";
 *
 * await using stack = await createStack();
 * const agent = lldp({ systemName: "godwit" });
 * await stack.protocols.load(agent);
 * console.log(agent.neighbors.length); // 0
 * ```
 *
 * An untrusted module: what strangers send is parsed in a Worker, by WebAssembly that can reach
 * nothing. After a snapshot it learns its neighbours anew.
 *
 * @module
 */

import wasm from "./lldp_module.js";
import type { UntrustedModule } from "../../runtime/protocol/public.ts";
import { encodeOptions, type LldpOptions } from "./options.ts";
import { type LldpNeighbor, type LldpStats, readReport } from "./reports.ts";

export { Capability, type LldpOptions } from "./options.ts";
export type { LldpNeighbor, LldpStats } from "./reports.ts";

/** What has happened to a neighbour. */
export type LldpEvent = "new" | "changed" | "gone";

/** An agent of LLDP, for one stack. */
export class Lldp implements UntrustedModule {
  /** `lldp` */
  readonly name = "lldp";
  /** The module. */
  readonly wasm: WebAssembly.Module = wasm;
  /** What it has counted. */
  readonly stats: LldpStats = {
    framesOut: 0,
    framesIn: 0,
    framesDiscarded: 0,
    tlvsDiscarded: 0,
    tlvsUnrecognized: 0,
    ageouts: 0,
    tooMany: 0,
  };
  /** Called when a neighbour is new, has changed or is gone. */
  onneighbor: ((event: LldpEvent, neighbor: LldpNeighbor) => void) | undefined = undefined;
  readonly #options: LldpOptions;
  readonly #neighbors = new Map<string, LldpNeighbor>();

  /** With what it is to announce. */
  constructor(options: LldpOptions = {}) {
    this.#options = options;
  }

  /** Who is at the other ends of our wires, as far as is known. */
  get neighbors(): readonly LldpNeighbor[] {
    return [...this.#neighbors.values()];
  }

  /** For the loader: what the module is started with. */
  encode(): Uint8Array<ArrayBuffer> {
    return encodeOptions(this.#options);
  }

  /** For the loader: takes what the module reports. */
  report(bytes: Uint8Array<ArrayBuffer>): void {
    const report = readReport(bytes);
    if (report.kind === "stats") {
      Object.assign(this.stats, report.stats);
      return;
    }
    const { kind, key, neighbor } = report;
    if (kind === "gone") this.#neighbors.delete(key);
    else this.#neighbors.set(key, neighbor);
    this.onneighbor?.(kind, neighbor);
  }
}

/** Makes an agent. */
export default function lldp(options: LldpOptions = {}): Lldp {
  return new Lldp(options);
}
