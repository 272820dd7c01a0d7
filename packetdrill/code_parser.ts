/**
 * Reads code blocks: assertions, assignments and prints, joined by newlines or semicolons.
 *
 * @module
 */

import type { Expression } from "./code_value.ts";
import { Unsupported } from "./errors.ts";

/** A statement. */
export type Statement =
  | {
    readonly kind: "assert";
    readonly test: Expression;
    readonly message?: Expression;
    /** The statement as written. */
    readonly text: string;
  }
  | { readonly kind: "print"; readonly items: readonly Expression[] }
  | { readonly kind: "assign"; readonly name: string; readonly value: Expression }
  | { readonly kind: "value"; readonly value: Expression };

interface Token {
  readonly kind: "number" | "string" | "name" | "op" | "break" | "end";
  readonly text: string;
  readonly start: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>(?:[ \t\r]|\\\n|#[^\n]*)+)`,
    String.raw`(?<number>0[xX][\da-fA-F]+|\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+|\d+)`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')`,
    String.raw`(?<name>[A-Za-z_]\w*)`,
    String.raw`(?<break>[\n;]|\\(?=.))`,
    String.raw`(?<op>\*\*|//|<<|>>|[<>=!]=|[-+*/%&|^]=|[-+*/%&|^~<>=(),.[\]])`,
  ].join("|"),
  "y",
);

/** Binary operators from the loosest to the tightest; comparisons stand between. */
const LOOSE: readonly (readonly string[])[] = [["or"], ["and"]];
const TIGHT: readonly (readonly string[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "//", "%"],
];
const COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "in"];
const STATEMENTS = ["if", "for", "while", "def", "import", "from", "class", "try", "with", "del"];

/** Reads one block. */
export class CodeParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(readonly text: string) {
    this.#tokens = cut(text);
  }

  /** All statements. Throws `Unsupported` for what is no part of the small language. */
  statements(): Statement[] {
    const found: Statement[] = [];
    for (;;) {
      while (this.#peek().kind === "break") this.#at++;
      if (this.#peek().kind === "end") return found;
      found.push(this.#statement());
      const { kind, text } = this.#peek();
      // a line may go on behind a backslash with another statement
      const joined = kind === "name" && (text === "assert" || text === "print");
      if (kind !== "break" && kind !== "end" && !joined) {
        throw new Unsupported(`"${text}" in a code block`);
      }
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at];
  }

  #accept(...texts: string[]): string | undefined {
    const { kind, text } = this.#peek();
    if (kind === "string" || !texts.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) {
      throw new Unsupported(`a code block without "${text}" before "${this.#peek().text}"`);
    }
  }

  #statement(): Statement {
    const { start, text, kind } = this.#peek();
    if (STATEMENTS.includes(text)) throw new Unsupported(`"${text}" in a code block`);
    if (this.#accept("assert")) {
      const test = this.#expression();
      const message = this.#accept(",") ? this.#expression() : undefined;
      const end = this.#peek().start;
      const source = this.text.slice(start, end).replaceAll(/\s+/g, " ").trim();
      return { kind: "assert", test, ...(message ? { message } : {}), text: source };
    }
    if (this.#accept("print")) return { kind: "print", items: this.#printed() };
    if (kind === "name") {
      const op = this.#tokens[this.#at + 1].text;
      if (op === "=" || /^[-+*/%&|^]=$/.test(op)) {
        this.#at += 2;
        const value = this.#expression();
        if (op === "=") return { kind: "assign", name: text, value };
        const b: Expression = { kind: "name", name: text };
        return { kind: "assign", name: text, value: { kind: "binary", op: op[0], a: b, b: value } };
      }
    }
    return { kind: "value", value: this.#expression() };
  }

  /** `print x, y` and `print(x, y)`. */
  #printed(): readonly Expression[] {
    if (this.#peek().kind === "break" || this.#peek().kind === "end") return [];
    const first = this.#expression();
    const items = first.kind === "tuple" ? [...first.items] : [first];
    while (this.#accept(",")) items.push(this.#expression());
    return items;
  }

  #expression(): Expression {
    return this.#loose(0);
  }

  #loose(level: number): Expression {
    if (level === LOOSE.length) return this.#not();
    let a = this.#loose(level + 1);
    for (let op = this.#accept(...LOOSE[level]); op; op = this.#accept(...LOOSE[level])) {
      a = { kind: "binary", op, a, b: this.#loose(level + 1) };
    }
    return a;
  }

  #not(): Expression {
    if (this.#accept("not")) return { kind: "unary", op: "not", operand: this.#not() };
    const first = this.#tight(0);
    const rest: [string, Expression][] = [];
    for (;;) {
      let op = this.#accept(...COMPARISONS);
      if (!op && this.#accept("not")) {
        this.#expect("in");
        op = "not in";
      }
      if (!op) break;
      rest.push([op, this.#tight(0)]);
    }
    return rest.length === 0 ? first : { kind: "compare", first, rest };
  }

  #tight(level: number): Expression {
    if (level === TIGHT.length) return this.#unary();
    let a = this.#tight(level + 1);
    for (let op = this.#accept(...TIGHT[level]); op; op = this.#accept(...TIGHT[level])) {
      a = { kind: "binary", op, a, b: this.#tight(level + 1) };
    }
    return a;
  }

  #unary(): Expression {
    const op = this.#accept("-", "+", "~");
    if (op) return { kind: "unary", op, operand: this.#unary() };
    let value = this.#primary();
    for (;;) {
      if (this.#accept(".")) {
        const name = this.#tokens[this.#at++].text;
        this.#expect("(");
        value = { kind: "call", name, on: value, args: this.#arguments(")") };
      } else if (this.#accept("**")) {
        value = { kind: "binary", op: "**", a: value, b: this.#unary() };
      } else if (value.kind === "name" && this.#accept("(")) {
        value = { kind: "call", name: value.name, args: this.#arguments(")") };
      } else return value;
    }
  }

  #arguments(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.#accept(close)) {
      while (this.#peek().kind === "break") this.#at++;
      items.push(this.#expression());
      while (this.#peek().kind === "break") this.#at++;
      if (!this.#accept(",") && this.#peek().text !== close) this.#expect(close);
    }
    return items;
  }

  #primary(): Expression {
    const token = this.#peek();
    this.#at++;
    if (token.kind === "number") return { kind: "constant", value: Number(token.text) };
    if (token.kind === "string") return { kind: "constant", value: this.#strings(token) };
    if (token.kind === "name") return named(token.text);
    if (token.text === "(" || token.text === "[") {
      const items = this.#arguments(token.text === "(" ? ")" : "]");
      const comma = this.#tokens[this.#at - 2]?.text === ",";
      const single = items.length === 1 && !comma && token.text === "(";
      return single ? items[0] : { kind: "tuple", items };
    }
    throw new Unsupported(`"${token.text.trim() || "a line break"}" in a code block`);
  }

  /** Adjacent strings are one. */
  #strings(first: Token): string {
    let value = unescape(first.text);
    while (this.#peek().kind === "string") value += unescape(this.#tokens[this.#at++].text);
    return value;
  }
}

function named(name: string): Expression {
  if (name === "True") return { kind: "constant", value: true };
  if (name === "False") return { kind: "constant", value: false };
  if (name === "None") return { kind: "constant", value: null };
  return { kind: "name", name };
}

function unescape(text: string): string {
  const plain: Record<string, string> = { n: "\n", t: "\t", r: "\r" };
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_all, c) => plain[c] ?? c);
}

function cut(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Unsupported(`"${text[at]}" in a code block`);
    const kind = Object.entries(match.groups!).find(([, part]) => part !== undefined)![0];
    if (kind !== "space") tokens.push({ kind: kind as Token["kind"], text: match[0], start: at });
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: "end", text: "", start: text.length }];
}
