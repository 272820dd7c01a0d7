/**
 * Parses the arithmetic of filter expressions.
 *
 * The operators bind as in tcpdump: `*` and `/` before `+` and `-`, these before shifts, these
 * before `&` and `|`, each from left to right. `%` and `^` have no rank in tcpdump's grammar:
 * whatever stands to the right of one is taken first, and one takes what stands left of it from any
 * other operator.
 *
 * @module
 */

import type { Arith, Operator } from "./ast.ts";
import { PROTOCOL_WORDS, type ProtocolWord } from "./names.ts";
import { DEPTH_MAX, OPERATORS_MAX, type TokenStream } from "./token_stream.ts";

/** Signs of comparisons. */
export const RELATIONS: ReadonlySet<string> = new Set(["=", "!=", "<", ">", "<=", ">="]);

/** How strongly operators bind; none for those without a rank. */
const RANK: Readonly<Record<string, number | undefined>> = {
  "|": 1,
  "&": 1,
  "<<": 2,
  ">>": 2,
  "+": 3,
  "-": 3,
  "*": 4,
  "/": 4,
  "%": undefined,
  "^": undefined,
};

/** That of the sign of a number. */
const RANK_NEGATE = 5;

const PROTOCOLS = new Set<string>(PROTOCOL_WORDS);

function isOperator(tokens: TokenStream, position: number): boolean {
  const { kind, text } = tokens.at(position);
  return kind === "sign" && Object.hasOwn(RANK, text);
}

/**
 * Number of the token behind the arithmetic that begins at a token, taken as long as can be; -1 if
 * none begins there. Nothing is reported and nothing taken.
 */
export function arithmeticEnd(tokens: TokenStream, from: number, depth: number): number {
  let at = operandEnd(tokens, from, depth);
  while (at >= 0 && isOperator(tokens, at)) at = operandEnd(tokens, at + 1, depth);
  return at;
}

function operandEnd(tokens: TokenStream, from: number, depth: number): number {
  let at = from;
  while (tokens.at(at).kind === "sign" && tokens.at(at).text === "-") at++;
  const { kind, text } = tokens.at(at);
  const next = tokens.at(at + 1);
  if (depth > DEPTH_MAX) return -1;
  if (kind === "number" || (kind === "word" && text === "len")) return at + 1;
  if (kind === "sign" && text === "(") return closed(tokens, at + 1, ")", depth);
  if (kind !== "word" || !PROTOCOLS.has(text) || next.text !== "[") return -1;
  return closed(tokens, at + 2, "]", depth);
}

/** Behind arithmetic and the bracket that closes it; in square ones a size may stand before. */
function closed(tokens: TokenStream, from: number, bracket: string, depth: number): number {
  const end = arithmeticEnd(tokens, from, depth + 1);
  if (end < 0) return -1;
  // What is wrong within square brackets is told when it is parsed.
  if (bracket === "]") return skipToBracket(tokens, end);
  return tokens.at(end).text === bracket ? end + 1 : -1;
}

function skipToBracket(tokens: TokenStream, from: number): number {
  let at = from;
  if (tokens.at(at).text === ":") at += 2;
  return tokens.at(at).text === "]" ? at + 1 : -1;
}

/** Arithmetic, taken as long as can be. */
export function parseArithmetic(tokens: TokenStream): Arith {
  return parseAbove(tokens, 0);
}

/** Arithmetic of operators that bind more strongly than `rank`, or have none. */
function parseAbove(tokens: TokenStream, rank: number): Arith {
  let left = parseOperand(tokens);
  for (let count = 0; isOperator(tokens, tokens.position); count++) {
    if (count === OPERATORS_MAX) throw tokens.error(`more than ${OPERATORS_MAX} operators`);
    const own = RANK[tokens.here.text];
    if (own !== undefined && own <= rank) break;
    const operator = tokens.take().text as Operator;
    const right = tokens.nested(() => parseAbove(tokens, own ?? 0));
    const { at } = left;
    left = { kind: "binary", operator, left, right, at, length: right.at + right.length - at };
  }
  return left;
}

function parseOperand(tokens: TokenStream): Arith {
  const token = tokens.here;
  const { at, length, text } = token;
  if (tokens.isSign("-")) {
    tokens.take();
    const of = tokens.nested(() => parseAbove(tokens, RANK_NEGATE));
    return { kind: "negate", of, at, length: of.at + of.length - at };
  }
  if (token.kind === "number") {
    return { kind: "number", value: tokens.take().value, at, length };
  }
  if (tokens.isWord("len")) {
    tokens.take();
    return { kind: "len", at, length };
  }
  if (tokens.isSign("(")) {
    tokens.take();
    const inner = tokens.nested(() => parseArithmetic(tokens));
    tokens.close(token);
    return inner;
  }
  if (token.kind !== "word" || !PROTOCOLS.has(text)) throw tokens.error("expected a number");
  tokens.take();
  tokens.expect("[");
  const index = tokens.nested(() => parseArithmetic(tokens));
  const bytes = parseSize(tokens);
  const end = tokens.here;
  tokens.expect("]");
  const span = { at, length: end.at + end.length - at };
  return { kind: "load", protocol: text as ProtocolWord, index, bytes, ...span };
}

function parseSize(tokens: TokenStream): 1 | 2 | 4 {
  if (!tokens.isSign(":")) return 1;
  tokens.take();
  const token = tokens.here;
  const size = tokens.takeNumber("a number of bytes");
  if (size !== 1 && size !== 2 && size !== 4) throw tokens.error("1, 2 or 4 bytes", token);
  return size;
}
