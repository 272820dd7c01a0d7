/**
 * How a script ends before its last line. Whoever runs scripts turns these into verdicts.
 *
 * @module
 */

/** The script asks for something that the stack or the interpreter does not have. */
export class Unsupported extends Error {
  override name = "Unsupported";

  /**
   * @param feature what is missing, in a few words
   * @param line line of the script, 0 if none is known
   */
  constructor(readonly feature: string, readonly line = 0) {
    super(feature);
  }
}

/** The stack did something else than the script expects. */
export class Mismatch extends Error {
  override name = "Mismatch";

  /**
   * @param reason what differs
   * @param expected what the script expects, in script notation
   * @param got what the stack did, in script notation
   */
  constructor(readonly reason: string, readonly expected = "", readonly got = "") {
    super(reason);
  }
}

/** The script cannot be read, or asks for what no stack could do. */
export class ScriptError extends Error {
  override name = "ScriptError";

  /**
   * @param message what is wrong
   * @param line line of the script, 0 if none is known
   * @param column place in that line, from 1; 0 if none is known
   */
  constructor(message: string, readonly line = 0, readonly column = 0) {
    super(message);
  }
}
