/**
 * Measures a row: warm-up first, then both sides in turn, so that what else the machine does hits
 * them alike.
 *
 * @module
 */

import type { ReferenceResult, Result, Row, Subject } from "./row.ts";
import { median, spread } from "./statistics.ts";

/** How rows are measured. */
export interface Plan {
  /** Runs that do not count, so that both sides are compiled and their buffers touched. */
  readonly warmups: number;
  /** Where these take less on each side, more of them go on for as long, in milliseconds. */
  readonly warmup_ms: number;
  /** Runs that count, on each side. */
  readonly repeats: number;
  /** How much of its work a row does. */
  readonly share: number;
}

/** A run that takes longer has lost something and will never end. */
const RUN_MS_MAX = 60_000;

/** The figure, or an error if it takes too long. */
async function inTime(row: Row, figure: Promise<number>): Promise<number> {
  const limit_ms = row.run_ms_max ?? RUN_MS_MAX;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `${row.name}: a run took more than ${limit_ms / 1000} s`;
    timer = setTimeout(() => reject(new Error(words)), limit_ms);
  });
  try {
    return await Promise.race([figure, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Measures a row.
 *
 * @param onRun told before each run how many there were, and how many there will be
 * @throws Unsupported if it cannot be measured here
 */
export async function measureRow(
  row: Row,
  plan: Plan,
  onRun: (done: number, all: number) => void,
): Promise<Result> {
  const { warmups, warmup_ms, repeats } = row.exact
    ? { warmups: 0, warmup_ms: 0, repeats: 1 }
    : plan;
  const subjects: Subject[] = [];
  const figures: number[][] = [];
  try {
    subjects.push(await row.ours(plan.share));
    if (row.reference && "start" in row.reference) {
      subjects.push(await row.reference.start(plan.share));
    }
    const all = subjects.length * (warmups + repeats);
    let done = 0;
    const run = (subject: Subject): Promise<number> => {
      onRun(done++, all);
      return inTime(row, subject.measure());
    };
    const begin = performance.now();
    for (let i = 0; i < warmups; i++) {
      for (const subject of subjects) await run(subject);
    }
    const enough = performance.now() - begin > subjects.length * warmup_ms;
    for (const subject of enough ? [] : subjects) {
      const until = performance.now() + warmup_ms;
      while (performance.now() < until) await inTime(row, subject.measure());
    }
    figures.push(...subjects.map(() => []));
    for (let i = 0; i < repeats; i++) {
      // Who goes first changes, so that neither always finds the machine warm.
      const order = i % 2 === 0 ? [...subjects.keys()] : [...subjects.keys()].reverse();
      for (const side of order) figures[side].push(await run(subjects[side]));
    }
    return summarize(row, figures[0], figures[1], subjects[0].detail?.());
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

function summarize(
  row: Row,
  figures: readonly number[],
  theirs: readonly number[] | undefined,
  detail: Readonly<Record<string, number>> | undefined,
): Result {
  const ours = median(figures);
  const better = row.better ?? "more";
  const reference = referenceOf(row, theirs);
  return {
    row: row.name,
    unit: row.unit,
    better,
    ours,
    spread: spread(figures),
    reference,
    ratio: reference && (better === "more" ? ours / reference.value : reference.value / ours),
    ...(detail && { detail }),
  };
}

function referenceOf(
  { reference }: Row,
  theirs: readonly number[] | undefined,
): ReferenceResult | null {
  if (!reference) return null;
  const { name } = reference;
  if ("value" in reference) return { name, value: reference.value };
  return { name, value: median(theirs!), spread: spread(theirs!) };
}
