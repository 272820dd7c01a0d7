/**
 * A world: stacks, links and a virtual clock. It does what its plan says, one event after the
 * other; nothing in it depends on anything else.
 *
 * @module
 */

import { ManualClock } from "../runtime/clock.ts";
import * as field from "../runtime/layout.ts";
import { createStack } from "../runtime/stack.ts";
import { STAT_NAMES } from "../runtime/wasm/names.gen.ts";
import { Fault } from "./fault.ts";
import { TraceHash } from "./frame.ts";
import { type Happening, Heap } from "./heap.ts";
import { Line, type LineStats } from "./line.ts";
import { Node } from "./node.ts";
import type { NodeSpec, SegmentSpec, WorldPlan } from "./plan.ts";
import { Port } from "./port.ts";
import { Random } from "./random.ts";

/** What the clock says when a world begins. */
export const START_US = 1_000_000;
/** Rounds at one time that are no loop yet. */
const ROUNDS_MAX = 50_000;

/** How a world is watched. */
export interface WorldOptions {
  /** The engine; the one with probes, for its invariants to be checked. */
  readonly engine: WebAssembly.Module;
  /** Sees each frame as a port sends it and as a port takes it in. */
  readonly onFrame?: (
    time_us: number,
    port: Port,
    direction: "in" | "out",
    bytes: Uint8Array<ArrayBuffer>,
  ) => void;
  /** Told of other things that happen. */
  readonly log?: (time_us: number, words: string) => void;
}

class Later implements Happening {
  constructor(readonly at_us: number, readonly happen: () => void) {}
}

class Arrival implements Happening {
  constructor(
    readonly at_us: number,
    readonly port: Port,
    readonly bytes: Uint8Array<ArrayBuffer>,
  ) {}

  happen(): void {
    this.port.receive(this.bytes);
  }
}

/** A running world. */
export class World {
  /** Its stacks, in the order of the plan. */
  readonly nodes: Node[] = [];
  /** Lines by segment and end. */
  readonly lines: Line[][] = [];
  /** Frames sent so far. */
  frames = 0;
  /** When something that programs wait for last happened. */
  progress_us = START_US;
  /** Stacks that went on from a snapshot. */
  restored = 0;
  readonly hash = new TraceHash();
  readonly #clock = new ManualClock(START_US);
  readonly #heap = new Heap();
  readonly #options: WorldOptions;
  /** Work that has to be waited for, done between two events. */
  readonly #pending: (() => Promise<void>)[] = [];
  #ports = 0;
  /** The time, in whole microseconds. */
  now_us = START_US;

  private constructor(readonly plan: WorldPlan, options: WorldOptions) {
    this.#options = options;
  }

  /** Makes the stacks and links of a plan. */
  static async create(plan: WorldPlan, options: WorldOptions): Promise<World> {
    const world = new World(plan, options);
    for (const spec of plan.nodes) await world.#addNode(spec);
    for (const segment of plan.segments) await world.#addSegment(segment);
    plan.nodes.forEach(({ routes }, i) => {
      for (const { to, gateway } of routes) world.nodes[i].stack.route.add(to, { gateway });
    });
    for (const cut of plan.cuts) {
      const lines = () =>
        cut.end === undefined ? world.lines[cut.segment] : [world.lines[cut.segment][cut.end]];
      const set = (severed: boolean) => () => {
        world.log(`segment ${cut.segment} ${severed ? "is cut" : "has healed"}`);
        for (const line of lines()) line.severed = severed;
      };
      world.at(START_US + cut.from_us, set(true));
      world.at(START_US + cut.to_us, set(false));
    }
    for (const { node, at_us } of plan.restores) {
      world.at(START_US + at_us, () => world.#pending.push(() => world.#restore(node)));
    }
    return world;
  }

  async #addNode(spec: NodeSpec): Promise<void> {
    const index = this.nodes.length;
    const stack = await createStack({
      clock: this.#clock,
      seed: `${this.plan.seed}/${index}`,
      engine: this.#options.engine,
      memory: spec.memory,
      hostname: spec.name,
      forwarding: spec.router,
      profile: spec.profile,
      sysctl: spec.sysctl,
    });
    this.nodes.push(new Node(index, spec.name, stack));
  }

  async #addSegment(spec: SegmentSpec): Promise<void> {
    const number = this.lines.length;
    const ports: Port[] = [];
    const lines: Line[] = [];
    for (const [i, end] of spec.ends.entries()) {
      const node = this.nodes[end.node];
      const id = this.#ports++;
      const caps = {
        medium: spec.medium,
        mtu: spec.mtu,
        hwaddr: Uint8Array.of(2, 0, 0, 0, id >> 8, id & 255),
        pointToPoint: spec.medium === "ip",
      };
      const name = `eth${node.ports.length}`;
      const label = `${node.label}/${name}`;
      const port = new Port(id, label, caps, end.backpressure, this, () => node.dirty = true);
      const random = Random.of(this.plan.seed, `line ${number}/${i}`);
      const arrive = (at_us: number, bytes: Uint8Array<ArrayBuffer>) =>
        this.#deliver(ports, port, at_us, bytes);
      port.line = new Line(end.line, spec.medium, this, random, arrive);
      lines.push(port.line);
      ports.push(port);
      node.ports.push(port);
      const { address, gateway } = end;
      await node.stack.attach(port, { name, addresses: [address], gateway });
    }
    this.lines.push(lines);
  }

  /** A frame comes out of the line of `from`: as a switch that knows all addresses delivers it. */
  #deliver(
    ports: readonly Port[],
    from: Port,
    at_us: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): void {
    const group = from.caps.medium === "ip" || (bytes[0] & 1) === 1;
    for (const port of ports) {
      if (port === from) continue;
      const address = port.caps.hwaddr!;
      const meant = group || address[4] === bytes[4] && address[5] === bytes[5];
      if (meant) this.#heap.push(new Arrival(at_us, port, bytes));
    }
  }

  /** Sees every frame of every port. */
  readonly tap = (port: Port, direction: "in" | "out", bytes: Uint8Array<ArrayBuffer>): void => {
    if (direction === "out") {
      this.frames++;
      this.hash.frame(this.now_us, port.id, bytes);
    }
    this.#options.onFrame?.(this.now_us, port, direction, bytes);
  };

  /** Does something at a time, which is the next microsecond at the earliest. */
  at(at_us: number, action: () => void): void {
    this.#heap.push(new Later(Math.max(Math.ceil(at_us), this.now_us), action));
  }

  /** Tells the watcher. */
  log(words: string): void {
    this.#options.log?.(this.now_us, words);
  }

  /** True if the watcher listens: words need not be made otherwise. */
  get logs(): boolean {
    return this.#options.log !== undefined;
  }

  /** When something happens next; `Infinity` if nothing ever will. */
  get next_us(): number {
    let next_us = this.#heap.next_us;
    for (const node of this.nodes) if (node.next_us < next_us) next_us = node.next_us;
    return next_us;
  }

  /** Runs until `done` says so (true) or `end_us` comes or nothing happens any more (false). */
  async run(done: () => boolean, end_us: number): Promise<boolean> {
    for (;;) {
      this.settle();
      if (this.#pending.length > 0) {
        for (const work of this.#pending.splice(0)) await work();
        continue;
      }
      if (done()) return true;
      const next_us = this.next_us;
      if (next_us > end_us || next_us === Infinity) return false;
      this.step(next_us);
    }
  }

  /** Moves the clock to the next event, and lets it happen. */
  step(next_us: number): void {
    // A deadline that has passed is due now: a turn then makes progress, or settle gives up.
    this.now_us = Math.max(this.now_us, next_us);
    this.#clock.set(this.now_us);
    const heap = this.#heap;
    while (heap.next_us <= this.now_us) heap.pop().happen();
    for (const node of this.nodes) if (node.next_us <= this.now_us) node.dirty = true;
  }

  /** Lets every stack that has something to do do it, until all rest. */
  settle(): void {
    for (let rounds = 0;; rounds++) {
      if (rounds > ROUNDS_MAX) throw new Fault("the world never comes to rest");
      let rested = true;
      for (const node of this.nodes) {
        if (!node.dirty) continue;
        node.settle();
        rested = false;
      }
      while (this.#heap.next_us <= this.now_us) {
        this.#heap.pop().happen();
        rested = false;
      }
      if (rested) return;
    }
  }

  /** Makes a snapshot of a stack, throws the stack away, and goes on from the snapshot. */
  async #restore(index: number): Promise<void> {
    const node = this.nodes[index];
    const snapshot = node.stack.snapshot();
    this.log(`${node.label} goes on from a snapshot of ${snapshot.length} bytes`);
    const interfaces = node.stack.interfaces.map(({ name }, i) => ({
      name,
      driver: node.ports[i],
    }));
    const { engine } = this.#options;
    node.replace(await createStack({ clock: this.#clock, engine, snapshot, interfaces }));
    this.restored++;
  }

  /** The counters of all stacks together, those that are not 0. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { stack: { engine } } of this.nodes) {
      if (engine.panic) continue;
      const table = engine.calls.counters();
      for (const [number, { name }] of Object.entries(STAT_NAMES)) {
        const count = field.getU64(engine, table, 8 * Number(number));
        if (count > 0 && name !== "COUNT") sums[name] = (sums[name] ?? 0) + count;
      }
    }
    return sums;
  }

  /** What happened on all lines together. */
  lineStats(): LineStats {
    const all = this.lines.flat().map(({ stats }) => stats);
    const sum = { ...all[0] };
    for (const stats of all.slice(1)) {
      for (const key of Object.keys(sum) as (keyof LineStats)[]) sum[key] += stats[key];
    }
    return sum;
  }
}
