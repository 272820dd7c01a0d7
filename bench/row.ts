/**
 * What a row of the benchmark is: the same work, done once by this stack and once by the kernel.
 *
 * @module
 */

/** Something set up that can be measured again and again. */
export interface Subject {
  /** Does the work once; answers the figure in the unit of the row, where more is better. */
  measure(): Promise<number>;
  /** Takes down what was set up. */
  close(): void | Promise<void>;
}

/** A row of the table. */
export interface Row {
  /** Name for `--only`. */
  readonly name: string;
  /** Unit of the figures; more is better. */
  readonly unit: string;
  /** What is measured, in a few words. */
  readonly about: string;
  /** This stack. */
  ours(): Promise<Subject>;
  /** What it is compared with, in the same run. */
  readonly reference: { readonly name: string; start(): Promise<Subject> };
}

/** What came out of a row. */
export interface Result {
  /** Name of the row. */
  readonly row: string;
  /** Unit of the figures. */
  readonly unit: string;
  /** Median of this stack's figures. */
  readonly ours: number;
  /** From the lowest to the highest of them, as a fraction of the median. */
  readonly spread: number;
  /** The same of what it is compared with. */
  readonly reference: { readonly name: string; readonly value: number; readonly spread: number };
  /** Ours divided by the reference. */
  readonly ratio: number;
}

/** How a row is measured. */
export interface Plan {
  /** Runs that do not count, so that both sides are compiled and their buffers touched. */
  readonly warmups: number;
  /** Runs that count, on each side. */
  readonly repeats: number;
}

/** A run that takes longer has lost something and will never end. */
const RUN_MS_MAX = 60_000;

/** The figure, or an error if it takes too long. */
async function inTime(row: Row, figure: Promise<number>): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `${row.name}: a run took more than ${RUN_MS_MAX / 1000} s`;
    timer = setTimeout(() => reject(new Error(words)), RUN_MS_MAX);
  });
  try {
    return await Promise.race([figure, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Measures a row: warm-up first, then both sides in turn, so that what else the machine does hits
 * them alike.
 *
 * @param onRun told before each run how many there were, and how many there will be
 */
export async function measureRow(
  row: Row,
  plan: Plan,
  onRun: (done: number, all: number) => void,
): Promise<Result> {
  const subjects: Subject[] = [];
  const all = 2 * (plan.warmups + plan.repeats);
  let done = 0;
  const run = (subject: Subject): Promise<number> => {
    onRun(done++, all);
    return inTime(row, subject.measure());
  };
  try {
    const ours = await row.ours();
    subjects.push(ours);
    const theirs = await row.reference.start();
    subjects.push(theirs);
    for (let i = 0; i < plan.warmups; i++) {
      await run(ours);
      await run(theirs);
    }
    const oursFigures: number[] = [];
    const theirFigures: number[] = [];
    for (let i = 0; i < plan.repeats; i++) {
      // Who goes first changes, so that neither always finds the machine warm.
      if (i % 2 === 0) oursFigures.push(await run(ours));
      theirFigures.push(await run(theirs));
      if (i % 2 === 1) oursFigures.push(await run(ours));
    }
    return result(row, oursFigures, theirFigures);
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

function result(row: Row, ours: readonly number[], theirs: readonly number[]): Result {
  const value = median(theirs);
  return {
    row: row.name,
    unit: row.unit,
    ours: median(ours),
    spread: spread(ours),
    reference: { name: row.reference.name, value, spread: spread(theirs) },
    ratio: median(ours) / value,
  };
}

/** The middle one of the figures, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** From the lowest to the highest figure, as a fraction of the median. */
export function spread(figures: readonly number[]): number {
  return (Math.max(...figures) - Math.min(...figures)) / median(figures);
}

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}
