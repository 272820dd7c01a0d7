/**
 * What is written of a world that failed: a capture of all links, the memory of every engine, the
 * plan and the log, each for a debugger of its kind.
 *
 * @module
 */

import { PcapngWriter } from "../drivers/pcapng.ts";
import { Linktype } from "../drivers/capture_types.ts";
import { encodeSnapshot } from "../runtime/snapshot.ts";
import { describeFrame } from "./describe.ts";
import type { Node } from "./node.ts";
import type { WorldPlan } from "./plan.ts";
import type { Port } from "./port.ts";
import { type Result, runPlan } from "./run.ts";

/** A file to write: its name and what is in it. */
export interface RecordedFile {
  /** Name, `seed-7.pcapng`. */
  readonly name: string;
  /** Contents. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A run with all that was recorded of it. */
export interface Recording {
  /** Its end. */
  readonly result: Result;
  /** What to write. */
  readonly files: readonly RecordedFile[];
}

/** How a run is recorded. */
export interface RecordOptions {
  /** The engine. */
  readonly engine: WebAssembly.Module;
  /** Takes each line of the log, frames included, as it comes. */
  readonly print?: (line: string) => void;
}

/** Gathers frames, one interface for each port. */
class Capture {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  readonly #writer = new PcapngWriter((bytes) => void this.#pieces.push(bytes.slice()), {
    application: "Godwit sim",
  });
  readonly #interfaces = new Map<number, number>();

  frame(time_us: number, port: Port, direction: "in" | "out", data: Uint8Array<ArrayBuffer>): void {
    let number = this.#interfaces.get(port.id);
    if (number === undefined) {
      const linktype = port.caps.medium === "ethernet" ? Linktype.ETHERNET : Linktype.RAW;
      number = this.#writer.addInterface({ linktype, name: port.label });
      this.#interfaces.set(port.id, number);
    }
    this.#writer.write({ interface: number, timestamp_us: time_us, direction, data });
  }

  bytes(): Uint8Array<ArrayBuffer> {
    this.#writer.flush();
    return concat(this.#pieces);
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The memory of a node's engine, also of one that has stopped, which makes no snapshot itself. */
function memoryOf({ stack, label }: Node, now_us: number): Uint8Array<ArrayBuffer> {
  const { engine, interfaces } = stack;
  return encodeSnapshot({
    engine: engine.identity,
    memory_bytes: engine.memory.length,
    now_us,
    host: { hostname: label, domainname: "", hostid: 0 },
    interfaces: interfaces.map(({ name, index }) => ({ name, index })),
  }, engine.memory);
}

/** Runs a plan and records everything. */
export async function record(plan: WorldPlan, options: RecordOptions): Promise<Recording> {
  const capture = new Capture();
  const lines: string[] = [];
  const log = (time_us: number, words: string) => {
    const line = `${(time_us / 1e6).toFixed(6)} ${words}`;
    lines.push(line);
    options.print?.(line);
  };
  const { result, world } = await runPlan(plan, {
    engine: options.engine,
    log,
    onFrame(time_us, port, direction, bytes) {
      capture.frame(time_us, port, direction, bytes);
      const arrow = direction === "in" ? "<" : ">";
      log(time_us, `${port.label} ${arrow} ${describeFrame(bytes, port.caps.medium)}`);
    },
  });
  const text = (words: string) => new TextEncoder().encode(words);
  const name = `seed-${plan.seed}`;
  const files: RecordedFile[] = [
    { name: `${name}.pcapng`, bytes: capture.bytes() },
    { name: `${name}.log`, bytes: text(lines.join("\n") + "\n") },
    { name: `${name}.plan.json`, bytes: text(showPlan(plan) + "\n") },
    { name: `${name}.result.json`, bytes: text(JSON.stringify(result, null, 2) + "\n") },
  ];
  for (const node of world?.nodes ?? []) {
    files.push({ name: `${name}.${node.label}.snapshot`, bytes: memoryOf(node, world!.now_us) });
  }
  return { result, files };
}

/** A plan as text; what has no number in JSON is written as words. */
export function showPlan(plan: WorldPlan): string {
  return JSON.stringify(plan, (_, value) => value === Infinity ? "unlimited" : value, 2);
}
