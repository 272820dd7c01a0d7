/**
 * Reads the TCP options of a packet line.
 *
 * @module
 */

import type { TcpOption } from "./ast.ts";
import { Unsupported } from "./errors.ts";
import type { Reader } from "./reader.ts";
import { encodeOptions } from "./wire_options.ts";

/** Most bytes of options that a header has room for. */
const OPTIONS_MAX = 40;
const MD5 = 19;
const EXPERIMENTAL = 254;
/** Accurate ECN (RFC 9768 3.2.3): the order of the counters decides which of the two it is. */
const ACCECN0 = 172;
const ACCECN1 = 174;
/** Identifiers of experimental options (RFC 6994). */
const TARR_ID = "00ac";
const ACCECN0_ID = "acc0";
const ACCECN1_ID = "acc1";

/** Reads a list; its opening bracket has been taken. `any`: whatever there is (`<...>`). */
export function parseOptions(r: Reader, outbound: boolean): readonly TcpOption[] | "any" {
  const first = r.peek();
  const options: TcpOption[] = [];
  if (r.acceptKind("ellipsis")) {
    r.expect(">");
    if (!outbound) r.fail("<...> is for packets that go out", first);
    return "any";
  }
  while (!r.accept(">")) {
    if (r.accept(",")) continue;
    options.push(parseOption(r, outbound));
  }
  const { length } = encodeOptions(options);
  if (length % 4 !== 0 || length > OPTIONS_MAX) {
    r.fail(`${length} bytes of options: they must fill words, at most ten`, first);
  }
  return options;
}

function parseOption(r: Reader, outbound: boolean): TcpOption {
  const token = r.take();
  switch (token.text) {
    case "nop":
    case "eol":
    case "sackOK":
      return { kind: token.text };
    case "mss":
      return { kind: "mss", value: r.unsigned(16) };
    case "wscale":
      return { kind: "wscale", value: r.unsigned(8) };
    case "TS":
      return parseTimestamps(r, outbound);
    case "sack":
      return { kind: "sack", blocks: parseBlocks(r) };
    case "FO":
    case "FOEXP":
      return { kind: token.text, cookie: parseHex(r) };
    case "md5":
      return { kind: "raw", code: MD5, bytes: parseHex(r) };
    case "ECN":
      return parseAccEcn(r, undefined, "");
    case "AccECN0":
      return parseAccEcn(r, 0, "");
    case "AccECN1":
      return parseAccEcn(r, 1, "");
    case "exp":
      return parseExperimental(r);
    default:
      if (token.kind !== "word") r.fail(`"${token.text}" is no TCP option`, token);
      throw new Unsupported(`TCP option ${token.text}`, token.line);
  }
}

/** In the FreeBSD dialect the value may be open (`...`), and the echo be of the wire (`!`). */
function parseTimestamps(r: Reader, outbound: boolean): TcpOption {
  r.expectWord("val");
  const open = r.acceptKind("ellipsis");
  if (open && !outbound) r.fail("a timestamp that comes in needs a value", open);
  const val = open ? 0 : r.unsigned(32);
  r.expectWord("ecr");
  const ecr = r.unsigned(32);
  const wire = r.accept("!");
  return { kind: "TS", val, ecr, ...(open ? { open: true } : {}), ...(wire ? { wire } : {}) };
}

function parseBlocks(r: Reader): [number, number][] {
  const blocks: [number, number][] = [];
  do {
    const left = r.unsigned(32);
    r.expect(":");
    blocks.push([left, r.unsigned(32)]);
  } while (r.peek().kind === "integer" || r.peek().kind === "hex");
  return blocks;
}

/** `exp-AccECN0 …` and `exp-TARR [n]`, kind 254 with a two-byte identifier. */
function parseExperimental(r: Reader): TcpOption {
  const token = r.lexer.takeRaw(/-[\w-]+/y) ?? "";
  if (/^-?AccECN0$/i.test(token)) return parseAccEcn(r, 0, ACCECN0_ID);
  if (/^-?AccECN1$/i.test(token)) return parseAccEcn(r, 1, ACCECN1_ID);
  if (!/^-TARR$/i.test(token)) r.fail(`"exp${token}" is no TCP option`);
  const rated = r.peek().kind === "integer" || r.peek().kind === "hex";
  const rate = rated ? ((r.number() & 0x7ff) << 5).toString(16).padStart(4, "0") : "";
  return { kind: "raw", code: EXPERIMENTAL, bytes: TARR_ID + rate };
}

/** Up to three counters of 24 bits, in one of two orders. */
function parseAccEcn(r: Reader, known: 0 | 1 | undefined, id: string): TcpOption {
  const counters: string[] = [];
  let bytes = "";
  const start = r.peek();
  for (let t = r.peek(); /^e?(e0b|e1b|ceb)$/i.test(t.text); t = r.peek()) {
    counters.push(r.take().text.toLowerCase().slice(-3));
    bytes += r.unsigned(24).toString(16).padStart(6, "0");
  }
  const order = known ?? (counters[0] === "e0b" ? 0 : 1);
  const wanted = order === 0 ? ["e0b", "ceb", "e1b"] : ["e1b", "ceb", "e0b"];
  if (counters.some((name, i) => name !== wanted[i])) {
    r.fail("the counters of Accurate ECN stand in another order", start);
  }
  if (id !== "") return { kind: "raw", code: EXPERIMENTAL, bytes: id + bytes };
  return { kind: "raw", code: order === 0 ? ACCECN0 : ACCECN1, bytes };
}

/** Hexadecimal digits, perhaps given by a symbol; none at all is fine. */
function parseHex(r: Reader): string {
  const token = r.lexer.peek();
  const raw = r.lexer.takeRaw(/\w+/y);
  if (raw === undefined) return "";
  const text = r.symbol(raw) ?? raw;
  if (!/^([\da-fA-F]{2})*$/.test(text)) r.fail(`"${text}" is not hexadecimal`, token);
  return text.toLowerCase();
}
