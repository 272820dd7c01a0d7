/**
 * What every system call of a script has in common.
 *
 * @module
 */

import type { Call } from "./ast.ts";
import type { World } from "./world.ts";
import { stackErrno } from "./values.ts";

/** What a call answered. */
export interface Answer {
  readonly value: number;
  /** Name of the error, when the value is -1. */
  readonly errno?: string;
  /** What is wrong with what it gave beside its result; undefined if nothing is. */
  readonly fault?: string;
}

/** Makes the call, or goes on with it; undefined while it has to wait. */
export type Attempt = () => Answer | undefined;

/** Begins a call of this name. */
export type Starter = (world: World, call: Call) => Attempt;

/** The answer for a result of the engine: a number >= 0, or an error number negated. */
export function answerOf(result: number, fault?: string): Answer {
  if (result < 0) return { value: -1, errno: stackErrno(-result) };
  return fault === undefined ? { value: result } : { value: result, fault };
}

/** An answer that is an error. */
export function errorAnswer(errno: string): Answer {
  return { value: -1, errno };
}
