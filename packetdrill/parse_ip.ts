/**
 * Reads what packet lines say of IP headers: `[ect0, ttl 64]`, `(tos 0x10)`, `[dscp cs1, ecn ce]`.
 *
 * @module
 */

import type { IpInfo } from "./ast.ts";
import { Unsupported } from "./errors.ts";
import type { Reader } from "./reader.ts";

const ECN_WORDS = ["noecn", "ect0", "ect1", "ce", "ect01"] as const;

/** Differentiated services code points by name (RFC 2474, 2597, 3246, 5865, 8622). */
const CODE_POINTS: Readonly<Record<string, number>> = {
  cs0: 0,
  le: 1,
  cs1: 8,
  af11: 10,
  af12: 12,
  af13: 14,
  cs2: 16,
  af21: 18,
  af22: 20,
  af23: 22,
  cs3: 24,
  af31: 26,
  af32: 28,
  af33: 30,
  cs4: 32,
  af41: 34,
  af42: 36,
  af43: 38,
  cs5: 40,
  voice_admit: 44,
  ef: 46,
  cs6: 48,
  cs7: 56,
};

/** Reads a list in brackets; empty if there is none. */
export function parseIpInfo(r: Reader, outbound: boolean): IpInfo {
  const close = r.accept("[") ? "]" : r.accept("(") ? ")" : "";
  if (close === "") return {};
  let info: IpInfo = {};
  while (!r.accept(close)) {
    info = { ...info, ...parseItem(r, outbound) };
    if (!r.accept(",") && r.peek().text !== close) r.expect(close);
  }
  return info;
}

function parseItem(r: Reader, outbound: boolean): IpInfo {
  const token = r.take();
  switch (token.text.toLowerCase()) {
    case "tos":
    case "class": // the same octet of IPv6
      return { tos: r.unsigned(8) };
    case "ttl":
    case "hlim":
      return { ttl: r.unsigned(8) };
    case "ecn":
      return parseEcn(r, outbound, r.take());
    case "dscp":
      return { dscp: parseCodePoint(r) };
    case "flowlabel":
      throw new Unsupported("IPv6", token.line);
    default:
      return parseEcn(r, outbound, token);
  }
}

function parseEcn(r: Reader, outbound: boolean, token: ReturnType<Reader["take"]>): IpInfo {
  const ecn = ECN_WORDS.find((name) => name === token.text);
  if (!ecn) r.fail(`"${token.text}" tells nothing of an IP header`, token);
  if (ecn === "ect01" && !outbound) r.fail("ect01 is for packets that go out", token);
  return { ecn };
}

function parseCodePoint(r: Reader): number {
  const token = r.peek();
  if (token.kind !== "word") {
    const value = r.unsigned(8);
    if (value > 63) r.fail(`${token.text} is no code point`, token);
    return value;
  }
  const value = CODE_POINTS[r.take().text.toLowerCase().replaceAll("-", "_")];
  return value ?? r.fail(`"${token.text}" is no code point`, token);
}
