/**
 * The tokens of an expression, taken one after the other.
 *
 * @module
 */

import { FilterError, type Span } from "./error.ts";
import { type Token, tokenize } from "./lexer.ts";

/** How deep parentheses and negations may stand in each other. */
export const DEPTH_MAX = 200;

/** Operators that arithmetic may have side by side. */
export const OPERATORS_MAX = 1000;

/** Where a parser stands in an expression. */
export class TokenStream {
  /** Number of the token that comes next. */
  position = 0;
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #depth = 0;

  /** `FilterError` for a character that means nothing. */
  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  /** The token that comes next. */
  get here(): Token {
    return this.#tokens[this.position];
  }

  /** Whether all tokens have been taken. */
  get atEnd(): boolean {
    return this.here.kind === "end";
  }

  /** A token by its number; the last one, which is the end, for those behind it. */
  at(position: number): Token {
    return this.#tokens[Math.min(position, this.#tokens.length - 1)];
  }

  /** Whether this word comes next. */
  isWord(word: string): boolean {
    return this.here.kind === "word" && this.here.text === word;
  }

  /** Whether this sign comes next. */
  isSign(sign: string): boolean {
    return this.here.kind === "sign" && this.here.text === sign;
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.here;
    if (token.kind !== "end") this.position++;
    return token;
  }

  /** Takes a number, which may stand in parentheses. */
  takeNumber(meant: string): number {
    if (this.isSign("(")) {
      const open = this.take();
      const value = this.nested(() => this.takeNumber(meant));
      this.close(open);
      return value;
    }
    if (this.here.kind !== "number") throw this.error(`expected ${meant}`);
    return this.take().value;
  }

  /** Takes a sign that must come. */
  expect(sign: string): void {
    if (!this.isSign(sign)) throw this.error(`expected ${sign}`);
    this.take();
  }

  /** Takes the parenthesis that ends what `open` began. */
  close(open: Token): void {
    if (this.isSign(")")) this.take();
    else if (this.here.kind === "end") throw this.error("the ( is not closed", open);
    else throw this.error("expected and, or, or )");
  }

  /** Parses what stands one level deeper. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= DEPTH_MAX) throw this.error(`more than ${DEPTH_MAX} levels`);
    this.#depth++;
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  /** What is wrong with the next token, or with another piece. */
  error(reason: string, span: Span = this.here): FilterError {
    return new FilterError(this.#text, span, reason);
  }
}
