/**
 * Parses filter expressions: the grammar of tcpdump's language, as far as it is understood here.
 *
 * `and` and `or` bind equally, from left to right. An address, number or name without words before
 * it takes those of the one before: `tcp port 80 or 443`.
 *
 * @module
 */

import { arithmeticEnd, parseArithmetic, RELATIONS } from "./parse_arith.ts";
import type { Direction, Expr, Id, IdType, Qualifier, Relation } from "./ast.ts";
import { PROTOCOL_WORDS, type ProtocolWord } from "./names.ts";
import { TokenStream } from "./token_stream.ts";

/** An expression, and the words that a bare address behind it takes; none behind a protocol. */
interface Parsed {
  readonly expr: Expr;
  readonly qualifier: Qualifier | undefined;
}

const PROTOCOLS = new Set<string>(PROTOCOL_WORDS);
const TYPES = new Set<string>(["host", "net", "port", "portrange"]);

/** The expression; undefined for a text without words. `FilterError` for one that has a fault. */
export function parse(text: string): Expr | undefined {
  const tokens = new TokenStream(text);
  if (tokens.atEnd) return undefined;
  const { expr } = parseChain(tokens, undefined);
  if (!tokens.atEnd) {
    throw tokens.error(tokens.here.text === ")" ? "there is no ( before it" : "expected and, or");
  }
  return expr;
}

function parseChain(tokens: TokenStream, before: Qualifier | undefined): Parsed {
  const first = parseTerm(tokens, before);
  const rest: { operator: "and" | "or"; expr: Expr }[] = [];
  let { qualifier } = first;
  while (tokens.isWord("and") || tokens.isWord("or")) {
    const operator = tokens.take().text as "and" | "or";
    const term = parseTerm(tokens, qualifier);
    rest.push({ operator, expr: term.expr });
    qualifier = term.qualifier;
  }
  const expr: Expr = rest.length === 0 ? first.expr : { kind: "chain", first: first.expr, rest };
  return { expr, qualifier };
}

/** One term, or an address that takes the words `before`. */
function parseTerm(tokens: TokenStream, before: Qualifier | undefined): Parsed {
  if (tokens.isWord("not")) {
    tokens.take();
    const { expr, qualifier } = tokens.nested(() => parseTerm(tokens, before));
    return { expr: { kind: "not", of: expr }, qualifier };
  }
  if (isRelation(tokens)) return { expr: parseRelation(tokens), qualifier: undefined };
  const { kind } = tokens.here;
  if (tokens.isSign("(")) return parseParenthesis(tokens, before);
  if (kind === "word") return parseWords(tokens);
  if (kind === "sign" || kind === "end") throw tokens.error("expected an expression");
  return parseId(tokens, before);
}

/** Whether a comparison begins here. */
function isRelation(tokens: TokenStream): boolean {
  const { kind, text } = tokens.here;
  if (kind === "sign" && text === "-") return true;
  if (kind !== "word") return compares(tokens, tokens.position);
  if (text === "len") return true;
  return PROTOCOLS.has(text) && tokens.at(tokens.position + 1).text === "[";
}

/** Whether arithmetic begins at a token, with a comparison behind it. */
function compares(tokens: TokenStream, from: number): boolean {
  const end = arithmeticEnd(tokens, from, 0);
  return end >= 0 && tokens.at(end).kind === "sign" && RELATIONS.has(tokens.at(end).text);
}

function parseRelation(tokens: TokenStream): Expr {
  const left = parseArithmetic(tokens);
  if (tokens.here.kind !== "sign" || !RELATIONS.has(tokens.here.text)) {
    throw tokens.error("expected a comparison");
  }
  const relation = tokens.take().text as Relation;
  const right = parseArithmetic(tokens);
  return { kind: "relation", relation, left, right };
}

/** An expression in parentheses, or addresses in parentheses that take the words `before`. */
function parseParenthesis(tokens: TokenStream, before: Qualifier | undefined): Parsed {
  if (isIds(tokens)) return parseId(tokens, before);
  const open = tokens.take();
  const { expr } = tokens.nested(() => parseChain(tokens, before));
  tokens.close(open);
  // what follows takes the words from before the parenthesis
  return { expr, qualifier: before };
}

/** Whether what the parenthesis here holds begins with an address, number or name. */
function isIds(tokens: TokenStream): boolean {
  let at = tokens.position;
  while (/^(\(|not)$/.test(tokens.at(at).text) && tokens.at(at).kind !== "name") {
    at++;
    if (compares(tokens, at)) return false;
  }
  const { kind } = tokens.at(at);
  return kind !== "word" && kind !== "sign" && kind !== "end";
}

/** An address, number or name; or several in parentheses. */
function parseId(tokens: TokenStream, qualifier: Qualifier | undefined): Parsed {
  if (tokens.isWord("not")) {
    tokens.take();
    const { expr } = tokens.nested(() => parseId(tokens, qualifier));
    return { expr: { kind: "not", of: expr }, qualifier };
  }
  if (tokens.isSign("(")) {
    const open = tokens.take();
    const { expr } = tokens.nested(() => parseIds(tokens, qualifier));
    tokens.close(open);
    return { expr, qualifier };
  }
  const { kind } = tokens.here;
  if (kind === "word" || kind === "sign" || kind === "end") {
    throw tokens.error(`expected ${idMeant(qualifier)}`);
  }
  if (!qualifier) {
    throw tokens.error("expected host, net, port, proto or another word before it");
  }
  const token = tokens.take();
  const id: Id = { ...token, kind, ...parseMask(tokens, kind) };
  return { expr: { kind: "id", qualifier, id }, qualifier };
}

function parseIds(tokens: TokenStream, qualifier: Qualifier | undefined): Parsed {
  const { expr: first } = parseId(tokens, qualifier);
  const rest: { operator: "and" | "or"; expr: Expr }[] = [];
  while (tokens.isWord("and") || tokens.isWord("or")) {
    const operator = tokens.take().text as "and" | "or";
    rest.push({ operator, expr: parseId(tokens, qualifier).expr });
  }
  return { expr: rest.length === 0 ? first : { kind: "chain", first, rest }, qualifier };
}

function idMeant(qualifier: Qualifier | undefined): string {
  switch (qualifier?.type) {
    case "port":
      return "a port";
    case "portrange":
      return "a range of ports";
    case "proto":
      return "a protocol";
    default:
      return "an address";
  }
}

/** `/24` or `mask 255.255.255.0` behind an address. */
function parseMask(tokens: TokenStream, kind: Id["kind"]): Pick<Id, "prefix" | "mask"> {
  if (kind !== "ip4" && kind !== "ip6") return {};
  if (tokens.isSign("/")) {
    tokens.take();
    return { prefix: tokens.takeNumber("the bits of a network") };
  }
  if (kind === "ip6" || !tokens.isWord("mask")) return {};
  tokens.take();
  if (tokens.here.kind !== "ip4") throw tokens.error("expected a mask such as 255.255.255.0");
  return { mask: tokens.take().bytes };
}

/** What begins with a word that is not `and`, `or`, `not` or `mask`. */
function parseWords(tokens: TokenStream): Parsed {
  const start = tokens.here;
  const none = undefined;
  if (tokens.isWord("less") || tokens.isWord("greater")) {
    const kind = tokens.take().text as "less" | "greater";
    return { expr: { kind, than: tokens.takeNumber("a length in bytes") }, qualifier: none };
  }
  if (tokens.isWord("vlan")) {
    tokens.take();
    const id = tokens.here.kind === "number" ? tokens.takeNumber("a VLAN") : undefined;
    return { expr: { kind: "vlan", id, span: start }, qualifier: none };
  }
  const protocol = PROTOCOLS.has(start.text) ? tokens.take().text as ProtocolWord : undefined;
  if (tokens.isWord("broadcast") || tokens.isWord("multicast")) {
    const { text, at, length } = tokens.take();
    const span = { at: start.at, length: at + length - start.at };
    return { expr: { kind: text as "broadcast", protocol, span }, qualifier: none };
  }
  const words = tokens.position;
  const direction = parseDirection(tokens);
  const type = parseType(tokens, direction);
  if (tokens.position === words) {
    if (!protocol) throw tokens.error("expected an expression");
    return { expr: { kind: "protocol", protocol, span: start }, qualifier: none };
  }
  return parseId(tokens, { protocol, direction, type });
}

/** `src`, `dst`, or both joined by `or` or `and`. */
function parseDirection(tokens: TokenStream): Direction {
  if (!tokens.isWord("src") && !tokens.isWord("dst")) return undefined;
  const one = tokens.take().text as "src" | "dst";
  const joined = tokens.isWord("and") || tokens.isWord("or");
  const other = tokens.at(tokens.position + 1);
  if (!joined || other.kind !== "word" || other.text !== (one === "src" ? "dst" : "src")) {
    return one;
  }
  const how = tokens.take().text;
  tokens.take();
  return how === "or" ? "src or dst" : "src and dst";
}

function parseType(tokens: TokenStream, direction: Direction): IdType {
  if (tokens.here.kind !== "word") return undefined;
  if (TYPES.has(tokens.here.text)) return tokens.take().text as IdType;
  if (!tokens.isWord("proto")) return undefined;
  if (direction) throw tokens.error(`a protocol is neither ${direction}`);
  tokens.take();
  return "proto";
}
