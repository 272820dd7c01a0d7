/**
 * What is wrong with a filter expression, and where.
 *
 * @module
 */

/** A piece of an expression: offset of its first character, and how many there are. */
export interface Span {
  /** Offset of the first character. */
  readonly at: number;
  /** Number of characters; 0 at the end of the text. */
  readonly length: number;
}

/** Characters of the expression that a message quotes at most. */
const QUOTED_MAX = 40;

/** A filter expression that cannot be compiled. */
export class FilterError extends SyntaxError {
  /** `FilterError` */
  override readonly name = "FilterError";
  /** The whole expression. */
  readonly expression: string;
  /** Offset of what is wrong in the expression; its length at the end. */
  readonly position: number;
  /** How many characters are wrong; 0 at the end. */
  readonly length: number;
  /** What is wrong, without the place. */
  readonly reason: string;

  /** The message names the column, counted from 1, and the text there. */
  constructor(expression: string, { at, length }: Span, reason: string) {
    const piece = expression.slice(at, at + Math.min(length, QUOTED_MAX));
    const found = length > 0 ? `"${piece}${length > QUOTED_MAX ? "…" : ""}"` : "the end";
    super(`bad filter at column ${at + 1}, ${found}: ${reason}`);
    this.expression = expression;
    this.position = at;
    this.length = length;
    this.reason = reason;
  }

  /** Two lines: the expression, and below it what is wrong, underlined. */
  get picture(): string {
    const line = this.expression.replaceAll(/\s/g, " ");
    return `${line}\n${" ".repeat(this.position)}${"^".repeat(Math.max(1, this.length))}`;
  }
}
