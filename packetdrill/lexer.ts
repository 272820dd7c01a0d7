/**
 * Cuts a script into tokens, on demand: a few places read the raw text instead.
 *
 * @module
 */

import { ScriptError } from "./errors.ts";

/** What a token is. */
export type TokenKind =
  | "integer"
  | "hex"
  | "float"
  | "ellipsis"
  | "string"
  | "command"
  | "code"
  | "address"
  | "word"
  | "char"
  | "end";

/** One token. */
export interface Token {
  readonly kind: TokenKind;
  /** The text; of a string, command or code block what stands between the quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/** Patterns in the order of trying; the longest match wins, the first of equals. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ["address", /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])/y],
  ["address", /(?:[\da-fA-F]{1,4}:){7}[\da-fA-F]{1,4}/y],
  ["address", /(?:[\da-fA-F]{1,4}(?::[\da-fA-F]{1,4})*)?::(?:[\da-fA-F]{1,4}(?::[\da-fA-F.]+)*)?/y],
  ["float", /-?\d*\.\d+/y],
  ["hex", /0[xX][\da-fA-F]+/y],
  ["integer", /-?\d+/y],
  ["ellipsis", /\.\.\./y],
  ["word", /[A-Za-z_]\w*/y],
];

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
  v: "\v",
};

/** A position in a script, moving forward. */
export class Lexer {
  #at = 0;
  #next: Token | undefined = undefined;
  readonly #breaks: number[] = [];

  constructor(readonly text: string) {
    for (let i = 0; i < text.length; i++) if (text[i] === "\n") this.#breaks.push(i);
  }

  /** Line of an offset, from 1. */
  lineOf(offset: number): number {
    let [low, high] = [0, this.#breaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#breaks[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }

  /** Place of an offset in its line, from 1. */
  columnOf(offset: number): number {
    return offset - (this.#breaks[this.lineOf(offset) - 2] ?? -1);
  }

  /** The next token, which stays. */
  peek(): Token {
    return this.#next ??= this.#read();
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    this.#next = undefined;
    this.#at = token.end;
    return token;
  }

  /** Takes raw text that a pattern (sticky) matches behind blanks; undefined if none is there. */
  takeRaw(pattern: RegExp): string | undefined {
    this.#next = undefined;
    this.#skipBlanks();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (!match) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  /** Where the next token begins. */
  get offset(): number {
    return this.peek().start;
  }

  /** Goes back (or forward) to an offset. */
  seek(offset: number): void {
    this.#next = undefined;
    this.#at = offset;
  }

  #skipBlanks(): void {
    for (;;) {
      const blank = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
      blank.lastIndex = this.#at;
      blank.exec(this.text);
      if (blank.lastIndex === this.#at) break;
      this.#at = blank.lastIndex;
    }
    if (this.text.startsWith("/*", this.#at)) throw this.#error("a comment does not end");
  }

  #read(): Token {
    this.#skipBlanks();
    const start = this.#at;
    if (start >= this.text.length) return this.#token("end", "", start);
    const first = this.text[start];
    if (first === '"') return this.#string();
    if (first === "`") return this.#enclosed("command", "`", "`");
    if (this.text.startsWith("%{", start)) return this.#enclosed("code", "%{", "}%");
    let [kind, end]: [TokenKind, number] = ["char", start + 1];
    for (const [name, pattern] of PATTERNS) {
      pattern.lastIndex = start;
      const match = pattern.exec(this.text);
      if (match && (kind === "char" || start + match[0].length > end)) {
        [kind, end] = [name, start + match[0].length];
      }
    }
    return this.#token(kind, this.text.slice(start, end), end);
  }

  #token(kind: TokenKind, text: string, end: number): Token {
    return { kind, text, start: this.#at, end, line: this.lineOf(this.#at) };
  }

  #enclosed(kind: TokenKind, open: string, close: string): Token {
    const from = this.#at + open.length;
    const to = this.text.indexOf(close, from);
    if (to < 0) throw this.#error(`${open} without ${close}`);
    return this.#token(kind, this.text.slice(from, to), to + close.length);
  }

  #string(): Token {
    let value = "";
    for (let i = this.#at + 1; i < this.text.length; i++) {
      const c = this.text[i];
      if (c === '"') return this.#token("string", value, i + 1);
      if (c !== "\\") {
        value += c;
        continue;
      }
      const escape = this.text[++i];
      if (escape === "x") {
        const hex = /^[\da-fA-F]{2}/.exec(this.text.slice(i + 1, i + 3));
        if (!hex) throw this.#error("\\x without two hexadecimal digits");
        value += String.fromCharCode(parseInt(hex[0], 16));
        i += 2;
      } else value += ESCAPES[escape] ?? escape;
    }
    throw this.#error("a string does not end");
  }

  #error(message: string): ScriptError {
    return new ScriptError(message, this.lineOf(this.#at), this.columnOf(this.#at));
  }
}
