/**
 * Stacks joined by a virtual wire, on one clock that only moves when nothing is left to do: every
 * run with the same options is the same. For tests.
 *
 * ```ts
 * await using sim = await createSim({ delay_us: 10_000 });
 * const [a, b] = sim.stacks;          // 10.0.0.1 and 10.0.0.2
 * const listener = b.listen({ port: 80 });
 * const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
 * ```
 *
 * `settle` and `advance` are synchronous, for tests that use `sys.nb` only; `run` is for tests with
 * promises. After each turn the invariants of every stack are checked.
 *
 * @module
 */

import { Stat } from "../assembly/abi/stat.ts";
import { ManualClock } from "../runtime/clock.ts";
import type { MemoryOptions } from "../runtime/engine.ts";
import * as field from "../runtime/layout.ts";
import { mbufs } from "../runtime/netstat.ts";
import { createStack, type Stack } from "../runtime/stack.ts";
import checkedEngine from "./engine_checked_module.js";
import { addressOf, Wire, type WireFrame, type WireOptions } from "./sim_wire.ts";

/** How a simulation is made. */
export interface SimOptions extends WireOptions {
  /** How many stacks there are; 2 unless told. They get 10.0.0.1/24 and so on. */
  readonly hosts?: number;
  /** Seed of the stacks; each gets its own from it. 1 unless told. */
  readonly seed?: number;
  /** Sizes; 16 MiB unless told. */
  readonly memory?: MemoryOptions;
  /** Where the clock begins, in microseconds. */
  readonly start_us?: number;
  /** Checked after each turn of a stack, beside the invariants that always are. */
  readonly invariant?: (stack: Stack, host: number) => void;
}

/** Ends a wait for something that never happens. */
export class SimStuck extends Error {
  /** The kind of error. */
  override name = "SimStuck";
}

/** Most turns in a row without the clock moving: more is a loop. */
const TURNS_MAX = 100_000;

/** Stacks on a wire. */
export class Sim implements AsyncDisposable {
  /** The stacks, 10.0.0.1 first. */
  readonly stacks: readonly Stack[];
  /** The wire. */
  readonly wire: Wire;
  /** The clock of all. */
  readonly clock: ManualClock;
  readonly #invariant: SimOptions["invariant"];

  /** Made by {@link createSim}. */
  constructor(stacks: readonly Stack[], wire: Wire, options: SimOptions) {
    this.stacks = stacks;
    this.wire = wire;
    this.clock = wire.clock;
    this.#invariant = options.invariant;
  }

  /** Frames sent so far. */
  get capture(): readonly WireFrame[] {
    return this.wire.capture;
  }

  /** Takes turns until nothing happens any more; the clock does not move. */
  settle(): void {
    for (let turns = 0;; turns++) {
      if (turns > TURNS_MAX) throw new SimStuck("the stacks never come to rest");
      if (this.#round() === 0 && !this.stacks.some(({ wanted }) => wanted)) return;
    }
  }

  /** When something happens next; `Infinity` if never. */
  get next_us(): number {
    return Math.min(this.wire.next_us, ...this.stacks.map((stack) => stack.nextDeadline()));
  }

  /** Lets `us` microseconds pass, with everything that happens in them. */
  advance(us: number): void {
    const end_us = this.clock.now_us() + us;
    this.settle();
    while (this.next_us <= end_us) {
      this.#jump();
      this.settle();
    }
    this.clock.set(end_us);
    this.settle();
  }

  /**
   * Lets time pass until `promise` is settled, and answers it.
   *
   * @param limit_us how much time may pass; an hour unless told
   * @throws SimStuck if nothing can happen any more, or the time is over
   */
  async run<T>(promise: Promise<T> | T, limit_us = 3_600_000_000): Promise<T> {
    let settled = false;
    const done = () => void (settled = true);
    Promise.resolve(promise).then(done, done);
    const end_us = this.clock.now_us() + limit_us;
    for (;;) {
      await this.#rest();
      if (settled) return promise;
      const { next_us } = this;
      if (next_us > end_us) {
        const why = next_us === Infinity ? "nothing can happen any more" : "the time is over";
        throw new SimStuck(`${why} at ${this.clock.now_us()} us and the promise is pending`);
      }
      this.#jump();
    }
  }

  /** Lets `us` microseconds pass, and programs run meanwhile. */
  async sleep(us: number): Promise<void> {
    const end_us = this.clock.now_us() + us;
    await this.#rest();
    while (this.next_us <= end_us) {
      this.#jump();
      await this.#rest();
    }
    this.clock.set(end_us);
    await this.#rest();
  }

  /** Closes the stacks. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const stack of this.stacks) await stack.close();
  }

  /** Turns and programs by turns until nothing happens any more. */
  async #rest(): Promise<void> {
    for (;;) {
      this.settle();
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.stacks.some(({ wanted }) => wanted)) return;
    }
  }

  #jump(): void {
    // A deadline in the past is due now: then a turn has to make progress, or settle gives up.
    this.clock.set(Math.max(this.next_us, this.clock.now_us()));
    this.#round();
  }

  #round(): number {
    let work = 0;
    this.stacks.forEach((stack, host) => {
      work += stack.turn();
      checkInvariants(stack);
      this.#invariant?.(stack, host);
    });
    return work;
  }
}

/** What must hold of a stack between two calls. */
export function checkInvariants(stack: Stack): void {
  const { engine } = stack;
  const { calls } = engine;
  const counters = calls.counters();
  const counter = (stat: number) => field.getU64(engine, counters, 8 * stat);
  const { small, cluster } = mbufs(engine);
  const out = counter(Stat.MBUF_ALLOCATED) - counter(Stat.MBUF_FREED);
  if (out !== small.used + cluster.used) {
    throw new Error(`${out} mbufs were not given back, but ${small.used + cluster.used} are out`);
  }
}

/** Makes stacks on a wire. Runs the checked engine. */
export async function createSim(options: SimOptions = {}): Promise<Sim> {
  const { hosts = 2, seed = 1, start_us = 1_000_000 } = options;
  const clock = new ManualClock(start_us);
  const wire = new Wire(clock, options);
  const stacks: Stack[] = [];
  for (let host = 0; host < hosts; host++) {
    stacks.push(
      await createStack({
        clock,
        seed: `${seed}/${host}`,
        engine: checkedEngine,
        memory: { bytes: 16 * 2 ** 20, ...options.memory },
        hostname: `host${host}`,
        interfaces: [{
          driver: wire.addPort(),
          name: "eth0",
          addresses: [`${addressOf(host)}/24`],
        }],
      }),
    );
  }
  const sim = new Sim(stacks, wire, options);
  sim.settle();
  return sim;
}
