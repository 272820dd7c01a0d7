/**
 * Where the time of a bulk transfer goes: nanoseconds for each full segment, both ends together, by
 * the call of the engine that they are spent in; and in TypeScript and the pipe between them.
 *
 * Each call is timed by the clock on the wall; the shares of the whole are then taken of the
 * thread's processor time, so that what other programs do to the clock falls out.
 *
 * @module
 */

import type { Stack } from "../../mod.ts";
import { cpuSeconds, seconds } from "../cpu_time.ts";
import { part, type Row, type Subject } from "../row.ts";
import { closeAll, connectStacks, type StackPair, twoHosts } from "../stacks.ts";
import { watchCalls } from "../watch_calls.ts";
import { transferOver } from "./bulk.ts";

const SEGMENTS = 100_000;
/** Payload of a full segment at an MTU of 1500, with timestamps. */
const SEGMENT_BYTES = 1448;

/** Calls that belong together; what stands nowhere is `engine-other`. */
const STAGES = [
  {
    name: "engine-send",
    about: "so_send: user data into mbufs, segments made",
    calls: ["so_send"],
  },
  {
    name: "engine-output",
    about: "if_tx_prepare, if_txdone: frames offered to the driver and freed",
    calls: ["if_tx_prepare", "if_txdone"],
  },
  {
    name: "engine-refill",
    about: "if_rx_prepare: empty mbufs lent to the driver",
    calls: ["if_rx_prepare"],
  },
  {
    name: "engine-input",
    about: "if_input: from the frame to the socket buffer, ACKs sent, more data sent",
    calls: ["if_input"],
  },
  { name: "engine-receive", about: "so_recv: mbufs to user data", calls: ["so_recv"] },
  { name: "engine-poll", about: "poll: timers and delayed output", calls: ["poll"] },
] as const;
const OTHER = "engine-other";
const OUTSIDE = "engine-outside";
const TOTAL = "engine-all";

/** Nanoseconds a segment, by name of the row. */
type Profile = Readonly<Record<string, number>>;

/** Time inside some calls, and how many there were. */
interface Spent {
  ms: number;
  count: number;
}

/** Times the calls of a stack's engine from here on; adds to `spent`, by stage. */
function timeCalls(stack: Stack, spent: Readonly<Record<string, Spent>>): void {
  watchCalls(stack, (name, call) => {
    const stage = STAGES.find((stage) => (stage.calls as readonly string[]).includes(name));
    const sum = spent[stage?.name ?? OTHER];
    // Written out: an array of arguments for each call would be part of the time.
    return (a, b, c, d, e) => {
      const begin = performance.now();
      const result = call(a, b, c, d, e);
      sum.ms += performance.now() - begin;
      sum.count++;
      return result;
    };
  });
}

/** Milliseconds that a look at the clock takes. */
function clockCost_ms(): number {
  const times = 100_000;
  const begin = performance.now();
  for (let i = 0; i < times; i++) performance.now();
  return (performance.now() - begin) / times;
}

/** Two stacks whose engines' calls are timed. */
class Transfer {
  readonly #spent: Record<string, Spent> = {};
  readonly #clock_ms = clockCost_ms();

  private constructor(
    readonly pair: StackPair,
    readonly transfer: (bytes: number) => Promise<unknown>,
  ) {
    for (const name of [...STAGES.map(({ name }) => name), OTHER]) {
      this.#spent[name] = { ms: 0, count: 0 };
    }
    timeCalls(pair.left, this.#spent);
    timeCalls(pair.right, this.#spent);
  }

  static async start(): Promise<Transfer> {
    const pair = await twoHosts(1500);
    return new Transfer(pair, transferOver(pair, ...await connectStacks(pair)));
  }

  /** Transfers so many segments. */
  async run(segments: number): Promise<Profile> {
    for (const sum of Object.values(this.#spent)) Object.assign(sum, { ms: 0, count: 0 });
    let wall_s = 0;
    const cpu_s = await cpuSeconds(async () => {
      wall_s = await seconds(() => this.transfer(segments * SEGMENT_BYTES));
    });
    return this.#profile(wall_s * 1000, cpu_s * 1e9 / segments);
  }

  /** Looking at the clock is no part of the work: each call did so twice, once inside its time. */
  #profile(wall_ms: number, cpu_ns: number): Profile {
    const calls = Object.values(this.#spent).reduce((sum, { count }) => sum + count, 0);
    const worked_ms = wall_ms - 2 * calls * this.#clock_ms;
    const all_ns = cpu_ns * worked_ms / wall_ms;
    const profile: Record<string, number> = { [TOTAL]: all_ns };
    let outside_ns = all_ns;
    for (const [name, { ms, count }] of Object.entries(this.#spent)) {
      profile[name] = all_ns * Math.max(0, ms - count * this.#clock_ms) / worked_ms;
      outside_ns -= profile[name];
    }
    return { ...profile, [OUTSIDE]: Math.max(0, outside_ns) };
  }
}

/** Runs of the transfer, which all rows share: the figures of one run add up. */
class Runs {
  readonly #runs: Promise<Profile>[] = [];
  #transfer: Promise<Transfer> | undefined = undefined;

  /** The stage of this name in each of the runs. */
  subject(name: string, share: number): Subject {
    const segments = part(SEGMENTS, share);
    let next = 0;
    return {
      measure: async () => (await this.#run(next++, segments))[name],
      close: async () => {
        if (this.#transfer) await closeAll((await this.#transfer).pair);
        this.#transfer = undefined;
      },
    };
  }

  #run(n: number, segments: number): Promise<Profile> {
    return this.#runs[n] ??= (this.#transfer ??= Transfer.start())
      .then((transfer) => transfer.run(segments));
  }
}

const runs = new Runs();

function row(name: string, about: string): Row {
  return {
    name,
    unit: "ns/segment",
    better: "less",
    about,
    ours: (share) => Promise.resolve(runs.subject(name, share)),
  };
}

/** The profile, stage by stage. */
export const stageRows: readonly Row[] = [
  ...STAGES.map(({ name, about }) => row(name, about)),
  row(OTHER, "events, clock and the rest of the engine"),
  row(OUTSIDE, "TypeScript: socket calls, loop, promises, and the pipe's two copies"),
  row(TOTAL, "all of it"),
];
