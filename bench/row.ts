/**
 * What a row of the benchmark is: the same work, done by this stack and by what it is compared to.
 *
 * @module
 */

/** Something set up that can be measured again and again. */
export interface Subject {
  /** Does the work once; answers the figure in the unit of the row. */
  measure(): Promise<number>;
  /** What else was seen, by name, once all is measured. */
  detail?(): Readonly<Record<string, number>>;
  /** Takes down what was set up. */
  close(): void | Promise<void>;
}

/**
 * Sets something up to be measured. `share` says how much of the work is to be done: 1, or a small
 * part of it where only the way is tried.
 *
 * @throws Unsupported if it cannot be measured here
 */
export type Start = (share: number) => Promise<Subject>;

/** What a row is compared with: measured in the same run, or known. */
export type Reference =
  | { readonly name: string; readonly start: Start }
  | { readonly name: string; readonly value: number };

/** A row of the table. */
export interface Row {
  /** Name for `--only`. */
  readonly name: string;
  /** Unit of the figures. */
  readonly unit: string;
  /** Which figures are good; more unless told. */
  readonly better?: "more" | "less";
  /** What is measured, in a few words. */
  readonly about: string;
  /** This stack. */
  readonly ours: Start;
  /** What it is compared with; nothing if no comparison makes sense. */
  readonly reference?: Reference;
  /** Every run answers the same, such as on a virtual clock: one is enough. */
  readonly exact?: boolean;
  /** A run that takes longer has lost something and will never end; a minute unless told. */
  readonly run_ms_max?: number;
}

/** Rows that belong together. */
export interface RowGroup {
  /** Name for `--only`. */
  readonly name: string;
  /** What its rows are about, in a few words. */
  readonly about: string;
  /** The rows. */
  readonly rows: readonly Row[];
  /** Measured only if asked for by name, or with `--long`. */
  readonly long?: boolean;
  /** Why none of its rows can be measured here; `undefined` if they can. */
  missing?(): string | undefined;
}

/** A row cannot be measured here; the message says why. */
export class Unsupported extends Error {
  /** The kind of error. */
  override name = "Unsupported";
}

/** What came out of a row. */
export interface Result {
  /** Name of the row. */
  readonly row: string;
  /** Unit of the figures. */
  readonly unit: string;
  /** Which figures are good. */
  readonly better: "more" | "less";
  /** Median of this stack's figures. */
  readonly ours: number;
  /** From the lowest to the highest of them, as a fraction of the median. */
  readonly spread: number;
  /** What it is compared with: the median, and the spread if it was measured. */
  readonly reference: ReferenceResult | null;
  /** How many times as good as the reference ours is: above 1 it is better. */
  readonly ratio: number | null;
  /** What else was seen. */
  readonly detail?: Readonly<Record<string, number>>;
}

/** The figures of what a row is compared with. */
export interface ReferenceResult {
  readonly name: string;
  readonly value: number;
  readonly spread?: number;
}

/** So much of `whole` things as a share is, and at least one. */
export function part(whole: number, share: number): number {
  return Math.max(1, Math.round(whole * share));
}
