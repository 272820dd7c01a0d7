/**
 * The lexer with what all parts of the parser need: numbers, symbols and expectations.
 *
 * @module
 */

import { ScriptError } from "./errors.ts";
import { Lexer, type Token, type TokenKind } from "./lexer.ts";
import { unquote } from "./preprocess.ts";

/** A script being read. */
export class Reader {
  readonly lexer: Lexer;

  /**
   * @param text the script, branches chosen
   * @param symbols what words stand for, by `--define`
   */
  constructor(text: string, readonly symbols: ReadonlyMap<string, string>) {
    this.lexer = new Lexer(text);
  }

  /** The next token, a symbol replaced by what it stands for. */
  peek(): Token {
    const token = this.lexer.peek();
    if (token.kind !== "word") return token;
    const value = this.symbols.get(token.text);
    if (value === undefined) return token;
    if (value.startsWith('"')) return { ...token, kind: "string", text: unquote(value) };
    if (value.startsWith("`")) return { ...token, kind: "command", text: unquote(value) };
    const kind = /^-?\d+$/.test(value) ? "integer" : /^0[xX]/.test(value) ? "hex" : "word";
    return { ...token, kind, text: value };
  }

  /** Takes it. */
  take(): Token {
    const token = this.peek();
    this.lexer.take();
    return token;
  }

  /** What a word is defined as; without its quotes. */
  symbol(name: string): string | undefined {
    const value = this.symbols.get(name);
    return value === undefined ? undefined : unquote(value);
  }

  /** Takes the next token if it is this character. */
  accept(char: string): boolean {
    const token = this.peek();
    if (token.kind !== "char" || token.text !== char) return false;
    this.take();
    return true;
  }

  /** Takes the next token if it is this word. */
  acceptWord(word: string): boolean {
    const token = this.lexer.peek();
    if (token.kind !== "word" || token.text !== word) return false;
    this.lexer.take();
    return true;
  }

  /** Takes the next token if it is of this kind. */
  acceptKind(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.take() : undefined;
  }

  /** The next token must be this character. */
  expect(char: string): void {
    if (!this.accept(char)) this.fail(`"${char}" is missing before "${this.peek().text}"`);
  }

  /** The next token must be this word. */
  expectWord(word: string): void {
    if (!this.acceptWord(word)) this.fail(`"${word}" is missing before "${this.peek().text}"`);
  }

  /** The next token must be a whole number. */
  number(): number {
    const token = this.take();
    if (token.kind !== "integer" && token.kind !== "hex") {
      this.fail(`a number was expected, not "${token.text}"`, token);
    }
    return Number(token.text);
  }

  /** The next token must be a whole number that so many bits hold. */
  unsigned(bits: 8 | 16 | 24 | 32): number {
    const token = this.peek();
    const value = this.number();
    if (value < 0 || value >= 2 ** bits) this.fail(`${token.text} is no ${bits}-bit number`, token);
    return value;
  }

  /** `a:b(n)`, where n must be b - a. */
  range(): { seq: number; length: number } {
    const token = this.peek();
    const seq = this.unsigned(32);
    this.expect(":");
    const end = this.unsigned(32);
    this.expect("(");
    const length = this.unsigned(16);
    this.expect(")");
    if (((end - seq) >>> 0) !== length) {
      this.fail(`${seq}:${end}(${length}): the length is ${(end - seq) >>> 0}`, token);
    }
    return { seq, length };
  }

  /** Throws: the script cannot be read on. */
  fail(message: string, token: Token = this.peek()): never {
    const column = this.lexer.columnOf(token.start);
    throw new ScriptError(`cannot read the script: ${message}`, token.line, column);
  }
}
