/**
 * A million connections in one stack: what one of them takes, and whether it takes more than one of
 * a thousand. See bench/scale/main.ts for how they are made.
 *
 * @module
 */

import { part, type Row, type Start, type Subject } from "../row.ts";
import { type Level, measure } from "../scale/main.ts";
import { measureClose, measureTimers } from "../scale/timers.ts";

const MOST = 1_000_000;
const FEWEST = 1_000;
const RUN_MS_MAX = 600_000;
const MEMORY_B_TARGET = 1024;
const TURN_MS_TARGET = 5;

/** Figures of a level. */
type Kind = keyof Level;

/** One run serves all rows. */
let run: Promise<readonly Level[]> | undefined;

function levels(share: number): Promise<readonly Level[]> {
  return run ??= measureAll(Math.max(FEWEST, part(MOST, share)));
}

async function measureAll(most: number): Promise<readonly Level[]> {
  const all: Level[] = [];
  await measure(most, (level) => all.push(level));
  return all;
}

/** A figure with as many connections as there were at last, or with a thousand. */
function read(kind: Kind, which: "first" | "last"): Start {
  return (share) =>
    Promise.resolve({
      measure: async () => (await levels(share)).at(which === "first" ? 0 : -1)![kind],
      close() {},
    });
}

function row(name: string, kind: Kind, unit: string, better: Row["better"], about: string): Row {
  return {
    name,
    unit,
    better,
    about,
    exact: true,
    run_ms_max: RUN_MS_MAX,
    ours: read(kind, "last"),
    reference: { name: "the same with 1,000", start: read(kind, "first") },
  };
}

/** A figure of a stack of its own, with as many connections as asked for. */
function once(figure: (connections: number) => Promise<number>): Start {
  return (share) => known(() => figure(Math.max(FEWEST, part(MOST, share))));
}

/** The same with a thousand. */
function few(figure: (connections: number) => Promise<number>): Start {
  return () => known(() => figure(FEWEST));
}

function known(figure: () => Promise<number>): Promise<Subject> {
  return Promise.resolve({ measure: figure, close() {} });
}

/** A million connections. */
export const millionRows: readonly Row[] = [
  {
    ...row("million-memory", "engine_B", "B", "less", "one of a million idle connections"),
    reference: { name: "target", value: MEMORY_B_TARGET },
  },
  row("million-accept", "accept_per_s", "1/s", "more", "connections accepted, up to a million"),
  row("million-segment", "segment_ns", "ns", "less", "a segment of one of a million connections"),
  {
    ...row("million-random-read", "random_read_ns", "ns", "less", "one word of as large a table"),
    reference: { name: "as large as a thousand take", start: read("random_read_ns", "first") },
  },
  {
    ...row("million-turn", "turn_ms_max", "ms", "less", "the longest turn on the way there"),
    reference: { name: "target", value: TURN_MS_TARGET },
  },
  {
    ...row("million-timers-idle", "connections", "ns", "less", "an idle turn, a million timers"),
    ours: once(async (count) => (await measureTimers(count)).idle_ns),
    reference: {
      name: "the same with 1,000",
      start: few(async (n) => (await measureTimers(n)).idle_ns),
    },
  },
  {
    ...row("million-close", "connections", "µs", "less", "one of a million closed with the stack"),
    ours: once(measureClose),
    reference: { name: "the same with 1,000", start: few(measureClose) },
  },
];
