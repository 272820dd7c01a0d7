/**
 * A run of the benchmark that is kept: results, and where they are from.
 *
 * @module
 */

import os from "node:os";
import type { Result } from "../row.ts";

/** What was measured, how, and where. */
export interface Run {
  /** The command that did it. */
  readonly command: string;
  /** Runs on either side that count. */
  readonly repeats: number;
  /** What the machine is. */
  readonly machine: string;
  /** What ran the benchmark. */
  readonly host: string;
  /** The results. */
  readonly results: readonly Result[];
}

/** Describes this machine and this program. */
export function describeRun(results: readonly Result[], repeats: number): Run {
  const cpus = os.cpus();
  const memory_gib = Math.round(os.totalmem() / 2 ** 30);
  const words = Deno.args.map((arg) => /^[\w./=-]+$/.test(arg) ? arg : JSON.stringify(arg));
  return {
    command: ["deno task bench", ...words].join(" "),
    repeats,
    machine: `${cpus.length} × ${cpus[0]?.model.trim() ?? "unknown"}, ${memory_gib} GiB, ` +
      `${os.type()} ${os.release().split("-")[0]}, ${Deno.build.arch}`,
    host: `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    results,
  };
}
