/**
 * Cuts a filter expression into words, numbers, addresses and signs. As in tcpdump the longest
 * piece wins, so `len-4` is one name and `len - 4` is a difference.
 *
 * @module
 */

import { FilterError, type Span } from "./error.ts";
import { CONSTANTS, FOREIGN_WORDS, PROTOCOL_WORDS, SYNONYMS, WORDS } from "./names.ts";

/** What a token is. */
export type TokenKind =
  | "number"
  | "ip4"
  | "ip6"
  | "mac"
  | "name" // not a word of the language, or one behind a backslash
  | "word" // a word of the language
  | "sign"
  | "end";

/** One piece of an expression. */
export interface Token extends Span {
  readonly kind: TokenKind;
  /** A word or sign in its usual form: `and` for `&&`, `=` for `==`. */
  readonly text: string;
  /** Of a number. */
  readonly value: number;
  /** Bytes of an address; an IPv4 address may have fewer than four. */
  readonly bytes: readonly number[];
}

const NUMBER = /(?:0[xX][\da-fA-F]+|\d+)/y;
const NAME = /[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?/y;
const IP4 = /\d+(?:\.\d+){1,3}/y;
const IP6 = /[\da-fA-F]*:[\da-fA-F]*:(?:(?:[\da-fA-F:]*:)?\d+(?:\.\d+){3}|[\da-fA-F:]*)/y;
const MAC_BYTES = /[\da-fA-F]{1,2}(?:([:.-])[\da-fA-F]{1,2})(?:\1[\da-fA-F]{1,2}){4}/y;
const MAC_WORDS = /[\da-fA-F]{1,4}(?:\.[\da-fA-F]{1,4}){2}|[\da-fA-F]{12}/y;
const ESCAPED = /\\[^ !()\n\t]+/y;
const SIGN = />=|<=|!=|==|<<|>>|&&|\|\||[-+*/%&|^<>=!()[\]:]/y;
const SPACE = /\s*/y;

const SIGN_WORDS: Readonly<Record<string, string>> = {
  "&&": "and",
  "||": "or",
  "!": "not",
  "==": "=",
};

/** Kinds in the order in which they win if they are equally long. */
const FORMS: readonly (readonly [TokenKind, RegExp])[] = [
  ["number", NUMBER],
  ["ip4", IP4],
  ["mac", MAC_BYTES],
  ["mac", MAC_WORDS],
  ["ip6", IP6],
  ["name", NAME],
];

const PROTOCOLS = new Set<string>(PROTOCOL_WORDS);
const NO_BYTES: readonly number[] = [];

/** The tokens of an expression, with one of kind `end` behind them. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = match(SPACE, text, 0).length;
  while (at < text.length) {
    const token = next(text, at);
    tokens.push(token);
    at = token.at + token.length;
    at += match(SPACE, text, at).length;
  }
  tokens.push({ kind: "end", text: "", at: text.length, length: 0, value: 0, bytes: NO_BYTES });
  return tokens;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

function next(text: string, at: number): Token {
  const plain = { at, value: 0, bytes: NO_BYTES };
  const escaped = match(ESCAPED, text, at);
  if (escaped) return { ...plain, kind: "name", text: escaped.slice(1), length: escaped.length };
  let kind: TokenKind = "sign";
  let found = "";
  for (const [form, pattern] of FORMS) {
    const piece = match(pattern, text, at);
    if (piece.length > found.length) [kind, found] = [form, piece];
  }
  if (found === "") {
    found = match(SIGN, text, at);
    if (found === "") {
      throw new FilterError(text, { at, length: 1 }, "this character has no meaning");
    }
    const word = SIGN_WORDS[found] ?? found;
    const isWord = WORDS.has(word);
    return { ...plain, kind: isWord ? "word" : "sign", text: word, length: found.length };
  }
  const span = { at, length: found.length };
  switch (kind) {
    case "number":
      return { ...plain, kind, text: found, length: found.length, value: number(text, span) };
    case "ip4":
      return { ...plain, kind, text: found, length: found.length, bytes: ip4(text, span, found) };
    case "ip6":
      return { ...plain, kind, text: found, length: found.length, bytes: ip6(text, span, found) };
    case "mac":
      return { ...plain, kind, text: found, length: found.length, bytes: mac(found) };
    default:
      return word(text, span, found);
  }
}

/** A word of the language, a constant, or a name. */
function word(text: string, span: Span, found: string): Token {
  const plain = { ...span, value: 0, bytes: NO_BYTES };
  if (Object.hasOwn(CONSTANTS, found)) {
    return { ...plain, kind: "number", text: found, value: CONSTANTS[found] };
  }
  if (FOREIGN_WORDS.has(found)) {
    throw new FilterError(text, span, "this word of tcpdump's language is not understood here");
  }
  const usual = Object.hasOwn(SYNONYMS, found) ? SYNONYMS[found] : found;
  const kind = WORDS.has(usual) || PROTOCOLS.has(usual) ? "word" : "name";
  return { ...plain, kind, text: usual };
}

/** Decimal, hexadecimal behind 0x, or octal behind 0. */
function number(text: string, { at, length }: Span): number {
  const digits = text.slice(at, at + length);
  const octal = /^0\d/.test(digits);
  if (octal && /[89]/.test(digits)) {
    throw new FilterError(text, { at, length }, "a number that begins with 0 is octal");
  }
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  if (value > 0xffffffff) {
    throw new FilterError(text, { at, length }, "a number has 32 bits at most");
  }
  return value;
}

function ip4(text: string, span: Span, found: string): number[] {
  const bytes = found.split(".").map(Number);
  if (bytes.some((byte) => byte > 255)) {
    throw new FilterError(text, span, "an IPv4 address has numbers up to 255");
  }
  return bytes;
}

function mac(found: string): number[] {
  const groups = found.split(/[:.-]/);
  if (groups.length === 6) return groups.map((group) => Number.parseInt(group, 16));
  const digits = groups.map((group) => group.padStart(4, "0")).join("");
  return digits.match(/../g)!.map((byte) => Number.parseInt(byte, 16));
}

/** RFC 4291 section 2.2. */
function ip6(text: string, span: Span, found: string): number[] {
  const bytes = ip6Bytes(found);
  if (!bytes) throw new FilterError(text, span, "this is no IPv6 address");
  return bytes;
}

/** The 16 bytes of an address of RFC 4291 section 2.2; undefined for other text. */
export function ip6Bytes(address: string): number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const last = dotted?.[2].split(".").map(Number) ?? [];
  if (last.some((byte) => byte > 255)) return undefined;
  const tail = last.length === 0
    ? ""
    : [0, 2].map((i) => (last[i] * 256 + last[i + 1]).toString(16)).join(":");
  const halves = ((dotted?.[1] ?? address) + tail).split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const given = groups.flat();
  if (given.some((group) => !/^[\da-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - given.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const filled = halves.length === 1
    ? given
    : [...groups[0], ...Array<string>(missing).fill("0"), ...groups[1]];
  return filled.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
