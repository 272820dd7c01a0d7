/**
 * Reads a script: options, commands, events.
 *
 * @module
 */

import type { Call, Command, Expr, Field, Script, ScriptEvent, When } from "./ast.ts";
import { parsePacket } from "./parse_packet.ts";
import { chooseBranches, readOptions } from "./preprocess.ts";
import { Reader } from "./reader.ts";
import { ScriptError } from "./errors.ts";

/** Longest that a script may last, seconds. */
const SECONDS_MAX = 1e6;

/** What the runners of the public suites define. */
const USUAL_SYMBOLS: readonly (readonly [string, string])[] = [
  ["STANDARD", "1"],
  ["TFO_COOKIE", "3021b9d889017eeb"],
  ["CODE", "host_unreachable"],
  ["CMSG_LEVEL_IP", "SOL_IP"],
  ["CMSG_TYPE_RECVERR", "IP_RECVERR"],
];

/** What is known before the script is read. */
export interface ParseOptions {
  /** Symbols, by the runner: they override the script's own. */
  readonly defines?: ReadonlyMap<string, string>;
}

/**
 * Reads a script.
 *
 * @throws ScriptError if it cannot be read, Unsupported for what the interpreter lacks
 */
export function parseScript(source: string, options: ParseOptions = {}): Script {
  const given = options.defines ?? new Map<string, string>();
  const own = new Map(USUAL_SYMBOLS);
  const definitions = {
    has: (name: string) => given.has(name) || own.has(name),
    set: (name: string, value: string) => void own.set(name, value),
    delete: (name: string) => void own.delete(name),
  };
  // options first: a symbol they define may choose branches
  for (const [name, value] of readOptions(source.replaceAll(/^\s*#.*$/gm, "")).options) {
    if (name === "define") addDefine(own, value);
  }
  const text = chooseBranches(source, definitions);
  const { options: scriptOptions, end } = readOptions(text);
  for (const [name, value] of scriptOptions) if (name === "define") addDefine(own, value);
  const r = new Reader(text, new Map([...own, ...given]));
  r.lexer.seek(end);
  return { options: scriptOptions, ...parseEvents(r) };
}

/** Takes `NAME=value` into a table of symbols. */
export function addDefine(table: Map<string, string>, text: string): void {
  const match = /^([A-Za-z_]\w*)(?:=([^]*))?$/.exec(text);
  if (!match) throw new ScriptError(`"${text}" defines no symbol`);
  table.set(match[1], match[2] ?? "1");
}

function parseCommand(r: Reader): Command {
  const { text, line } = r.take();
  return { kind: "command", text, line };
}

function parseEvents(r: Reader): Pick<Script, "setup" | "events" | "cleanup"> {
  const events: ScriptEvent[] = [];
  const first = r.peek();
  const setup = r.peek().kind === "command" ? parseCommand(r) : undefined;
  let cleanup: Command | undefined;
  while (r.peek().kind !== "end") {
    if (r.peek().kind === "command") {
      cleanup = parseCommand(r);
      if (r.peek().kind !== "end") r.fail("a command inside the script needs a time");
      break;
    }
    events.push(parseEvent(r));
  }
  if (events.length === 0) r.fail("there are no events", first);
  if (events[0].when.at_us !== 0) {
    throw new ScriptError("the first event must be at time 0", events[0].line);
  }
  checkOrder(events);
  return { ...(setup ? { setup } : {}), events, ...(cleanup ? { cleanup } : {}) };
}

/** Absolute times must not go back. */
function checkOrder(events: readonly ScriptEvent[]): void {
  let last = 0;
  for (const { when, line } of events) {
    if (when.kind !== "abs") continue;
    if (when.at_us < last) throw new ScriptError("time goes backward", line);
    last = when.at_us;
  }
}

function parseEvent(r: Reader): ScriptEvent {
  const { line } = r.peek();
  const when = parseWhen(r);
  const token = r.peek();
  let action: ScriptEvent["action"];
  if (r.accept("<")) action = parsePacket(r, false);
  else if (r.accept(">")) action = parsePacket(r, true);
  else if (token.kind === "command") action = parseCommand(r);
  else if (token.kind === "code") action = { kind: "code", text: r.take().text };
  else if (token.kind === "word") action = parseCall(r);
  else r.fail(`"${token.text}" is nothing that can happen`, token);
  const expected = action.kind === "packet" && action.outbound;
  if (!expected && (when.kind === "any" || when.until_us !== undefined)) {
    r.fail("only packets that go out may come at any time or in a window", token);
  }
  if (when.end_us !== undefined && action.kind !== "call") {
    r.fail("only calls have an end", token);
  }
  return { line, when, action };
}

function parseWhen(r: Reader): When {
  if (r.accept("*")) return { kind: "any", at_us: 0 };
  const kind = r.accept("+") ? "rel" : "abs";
  const at_us = parseTime(r);
  if (r.accept("~")) {
    r.accept("+");
    const until_us = parseTime(r);
    if (until_us < at_us) r.fail("a window ends before it begins");
    return { kind, at_us, until_us };
  }
  if (r.acceptKind("ellipsis")) {
    r.accept("+");
    const end_us = parseTime(r);
    if (end_us < at_us) r.fail("a call ends before it begins");
    return { kind, at_us, end_us };
  }
  return { kind, at_us };
}

function parseTime(r: Reader): number {
  const token = r.take();
  if (token.kind !== "float" && token.kind !== "integer") {
    r.fail(`"${token.text}" is no time`, token);
  }
  const seconds = Number(token.text);
  if (!(seconds >= 0 && seconds <= SECONDS_MAX)) r.fail(`${token.text} is no time`, token);
  return Math.round(seconds * 1e6);
}

function parseCall(r: Reader): Call {
  const start = r.lexer.offset;
  const name = r.take().text;
  const args = parseArguments(r);
  r.expect("=");
  const result = parseOr(r, false);
  const token = r.peek();
  let errno: string | undefined;
  if (token.kind === "word" && /^E[A-Z\d]+$/.test(token.text)) errno = r.take().text;
  const text = r.lexer.text.slice(start, r.lexer.offset).replace(/\/\/.*$/gms, "")
    .replaceAll(/\s+/g, " ").trim();
  if (r.peek().text === "(") r.lexer.takeRaw(/\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)/y);
  return { kind: "call", name, args, result, ...(errno ? { errno } : {}), text };
}

function parseArguments(r: Reader): Expr[] {
  r.expect("(");
  const args: Expr[] = [];
  while (!r.accept(")")) {
    args.push(parseOr(r, true));
    if (!r.accept(",") && r.peek().text !== ")") r.expect(")");
  }
  return args;
}

/** `A|B|C`; `apply` is false where a bracket begins a remark. */
function parseOr(r: Reader, apply: boolean): Expr {
  const items = [parsePrimary(r, apply)];
  while (r.accept("|")) items.push(parsePrimary(r, apply));
  return items.length === 1 ? items[0] : { kind: "or", items };
}

function parsePrimary(r: Reader, apply: boolean): Expr {
  const token = r.take();
  switch (token.kind) {
    case "integer":
    case "hex":
      return { kind: "number", value: Number(token.text) };
    case "float":
      return { kind: "number", value: Number(token.text) };
    case "ellipsis":
      return { kind: "ellipsis" };
    case "address":
      return { kind: "string", value: token.text };
    case "string": {
      let value = token.text;
      for (let more = r.acceptKind("string"); more; more = r.acceptKind("string")) {
        value += more.text;
      }
      r.acceptKind("ellipsis"); // more of it, which does not matter
      return { kind: "string", value };
    }
    case "word":
      if (!apply || r.peek().text !== "(") return { kind: "word", name: token.text };
      return { kind: "apply", name: token.text, args: parseArguments(r) };
    default:
      if (token.text === "[") return parseList(r);
      if (token.text === "{") return parseRecord(r);
      if (token.text === "(") {
        const inner = parseOr(r, true);
        r.expect(")");
        return inner;
      }
      r.fail(`"${token.text}" is no value`, token);
  }
}

function parseList(r: Reader): Expr {
  const items: Expr[] = [];
  while (!r.accept("]")) {
    const item = parseOr(r, true);
    if (item.kind === "word" && r.accept("=")) {
      items.push({ kind: "record", fields: [{ name: item.name, value: parseOr(r, true) }] });
    } else items.push(item);
    if (!r.accept(",") && r.peek().text !== "]") r.expect("]");
  }
  return { kind: "list", items };
}

function parseRecord(r: Reader): Expr {
  const fields: Field[] = [];
  while (!r.accept("}")) {
    fields.push(parseField(r));
    if (!r.accept(",") && r.peek().text !== "}") r.expect("}");
  }
  return { kind: "record", fields };
}

function parseField(r: Reader): Field {
  const start = r.lexer.offset;
  if (r.peek().kind === "word") {
    const name = r.take().text;
    let size: Expr | undefined;
    if (r.accept("(")) {
      size = parseOr(r, true);
      r.expect(")");
    }
    if (r.accept("=")) return { name, ...(size ? { size } : {}), value: parseOr(r, true) };
    r.lexer.seek(start);
  }
  return { name: "", value: parseOr(r, true) };
}
