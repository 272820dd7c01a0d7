/**
 * Types of `@std/assert` as its npm edition exports it. Once the import map points to JSR, which
 * brings its own types, this file and its line under compilerOptions go.
 */
declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any
  type ErrorClass<E extends Error = Error> = abstract new (...args: any[]) => E;
  // deno-lint-ignore no-explicit-any
  type AnyClass = abstract new (...args: any[]) => any;

  /** What a failed assertion throws. */
  export class AssertionError extends Error {
    constructor(message: string);
  }
  /** Fails unless the value is truthy. */
  export function assert(expr: unknown, msg?: string): asserts expr;
  /** Fails unless the value is falsy. */
  export function assertFalse(expr: unknown, msg?: string): asserts expr is false;
  /** Deep equality. */
  export function equal(a: unknown, b: unknown): boolean;
  /** Fails unless both are deeply equal. */
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Fails if both are deeply equal. */
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Fails unless `Object.is` holds. */
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  /** Fails if `Object.is` holds. */
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  /** Fails unless both are at most the tolerance apart, 1e-7 by default. */
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  /** Fails unless actual > expected. */
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  /** Fails unless actual >= expected. */
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  /** Fails unless actual < expected. */
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  /** Fails unless actual <= expected. */
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  /** Fails for null and undefined. */
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  /** Fails unless the value is an instance of the class. */
  export function assertInstanceOf<C extends AnyClass>(
    actual: unknown,
    expectedType: C,
    msg?: string,
  ): asserts actual is InstanceType<C>;
  /** Fails if the value is an instance of the class. */
  export function assertNotInstanceOf<T>(actual: T, unexpectedType: AnyClass, msg?: string): void;
  /** Fails unless the string contains the other. */
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  /** Fails unless the array contains each of the values. */
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  /** Fails unless the string matches. */
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  /** Fails if the string matches. */
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  /** Fails unless the object has the properties of the other. */
  export function assertObjectMatch(actual: object, expected: object, msg?: string): void;
  /** Fails unless the value is that kind of error. */
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    errorClass?: ErrorClass<E>,
    msgMatches?: string | RegExp,
    msg?: string,
  ): asserts error is E;
  /** Fails unless the call throws. */
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  /** Fails unless the call throws that kind of error. */
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  /** Fails unless the promise rejects. */
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  /** Fails unless the promise rejects with that kind of error. */
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    errorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  /** Fails. */
  export function fail(msg?: string): never;
  /** Fails: not written. */
  export function unimplemented(msg?: string): never;
  /** Fails: the flow of control should not come here. */
  export function unreachable(msg?: string): never;
}
