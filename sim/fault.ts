/**
 * A world in which something went wrong.
 *
 * @module
 */

/** What must not happen has happened. */
export class Fault extends Error {
  /** The kind of error. */
  override name = "Fault";
}

/** The words of anything that was thrown. */
export function wordsOf(error: unknown): string {
  if (error instanceof Fault) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
