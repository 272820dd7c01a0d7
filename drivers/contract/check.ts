/**
 * What the cases of the contract check with: the assertions of the host, so that an author's tests
 * need no library.
 *
 * @module
 */

import { AssertionError, deepStrictEqual, ok } from "node:assert/strict";

/** Fails unless `condition` holds. */
export function assert(condition: unknown, message?: string): asserts condition {
  ok(condition, message);
}

/** Fails unless both are deeply the same. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  deepStrictEqual(actual, expected, message);
}

/** Fails unless the call is rejected with such an error; answers the error. */
export async function assertRejects<E extends Error>(
  call: () => Promise<unknown>,
  kind: new (...args: never[]) => E,
): Promise<E> {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw new AssertionError({ message: `a ${kind.name} was expected, and not ${error}` });
  }
  throw new AssertionError({ message: `a ${kind.name} was expected, and nothing was thrown` });
}
