/**
 * Reads packet lines: what stands behind `<` and `>`.
 *
 * @module
 */

import type { IcmpBody, IpInfo, Packet, TcpBody, TcpOption, UdpBody } from "./ast.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import { FIN, parseFlags, SYN } from "./flags.ts";
import { parseEchoed, parseIcmp } from "./parse_icmp.ts";
import type { Reader } from "./reader.ts";

const ECN_WORDS = ["noecn", "ect0", "ect1", "ce", "ect01"] as const;
/** Words that open headers which the interpreter has no use for. */
const ENCAPSULATIONS = ["gre", "mpls", "encap", "ipv4", "ipv6", "sctp", "udplite"];

/** Reads a packet; the direction has been taken. */
export function parsePacket(r: Reader, outbound: boolean): Packet {
  const quoted = parseQuoted(r);
  if (quoted) {
    r.expectWord("icmp");
    return { kind: "packet", outbound, ip: {}, body: { ...parseIcmp(r), echoed: quoted } };
  }
  const ip = parseIpInfo(r);
  const ports = parsePorts(r);
  const token = r.peek();
  if (token.kind === "word" && ENCAPSULATIONS.includes(token.text)) {
    throw new Unsupported(`${token.text} packets`, token.line);
  }
  let body: TcpBody | UdpBody | IcmpBody;
  if (r.acceptWord("udp")) body = parseUdp(r);
  else if (r.acceptWord("icmp")) body = parseIcmp(r);
  else body = parseTcp(r, outbound);
  return { kind: "packet", outbound, ip, ...(ports ? { ports } : {}), body };
}

/** The other dialect has what an ICMP message quotes in front: `[1:1001(1000)] icmp ...`. */
function parseQuoted(r: Reader): IcmpBody["echoed"] {
  const start = r.lexer.offset;
  if (!r.accept("[")) return undefined;
  const { kind, text } = r.peek();
  if (kind === "integer" || kind === "hex" || text === "udp" || text === "raw") {
    const echoed = parseEchoed(r);
    r.expect("]");
    return echoed;
  }
  r.lexer.seek(start);
  return undefined;
}

function parseIpInfo(r: Reader): IpInfo {
  const close = r.accept("[") ? "]" : r.accept("(") ? ")" : "";
  if (close === "") return {};
  let info: IpInfo = {};
  while (!r.accept(close)) {
    const token = r.take();
    const ecn = ECN_WORDS.find((name) => name === token.text);
    if (ecn) info = { ...info, ecn };
    else if (token.text === "tos") info = { ...info, tos: r.number() };
    else if (token.text === "ttl") info = { ...info, ttl: r.number() };
    else if (["flowlabel", "class", "hlim"].includes(token.text)) {
      throw new Unsupported("IPv6", token.line);
    } else if (token.text !== ",") r.fail(`${token.text} tells nothing of an IP header`, token);
  }
  return info;
}

/** `source > destination`, perhaps with a colon. */
function parsePorts(r: Reader): [number, number] | undefined {
  const token = r.peek();
  if (token.kind === "address") throw new Unsupported("addresses in packet lines", token.line);
  if (token.kind !== "integer") return undefined;
  const start = r.lexer.offset;
  r.take();
  if (!r.accept(">")) {
    r.lexer.seek(start);
    return undefined;
  }
  const ports: [number, number] = [Number(token.text), r.number()];
  r.accept(":");
  return ports;
}

function parseUdp(r: Reader): UdpBody {
  r.expect("(");
  const length = r.number();
  r.expect(")");
  return { kind: "udp", length };
}

function parseTcp(r: Reader, outbound: boolean): TcpBody {
  const { line } = r.peek();
  const word = r.lexer.takeRaw(/[^\s]+/y) ?? "";
  const flags = parseFlags(word);
  if (flags === undefined) throw new ScriptError(`"${word}" are no control bits`, line);
  const { seq, length } = r.range();
  let [ack, win, urg]: [number | undefined, number | undefined, number] = [undefined, undefined, 0];
  if (r.acceptWord("ack")) ack = r.number() >>> 0;
  if (r.acceptWord("win")) win = r.number();
  if (r.acceptWord("urg")) urg = r.number();
  const options = r.accept("<") ? parseOptions(r, outbound) : [];
  const syn = flags & SYN;
  if (!outbound && win === undefined) win = missingWindow(flags, line);
  if (syn && flags & FIN && length < 0) throw new ScriptError("a negative length", line);
  return {
    kind: "tcp",
    flags,
    seq,
    length,
    ...(ack === undefined ? {} : { ack }),
    ...(win === undefined ? {} : { win }),
    urg,
    options,
  };
}

/** The language demands a window of every segment that comes in; a reset may do without. */
function missingWindow(flags: number, line: number): number {
  if (flags & 0x04) return 0;
  throw new ScriptError("a packet that comes in needs a window", line);
}

function parseOptions(r: Reader, outbound: boolean): readonly TcpOption[] | "any" {
  const options: TcpOption[] = [];
  if (r.acceptKind("ellipsis")) {
    r.expect(">");
    if (!outbound) r.fail("<...> is for packets that go out");
    return "any";
  }
  while (!r.accept(">")) {
    if (r.accept(",")) continue;
    options.push(parseOption(r));
  }
  return options;
}

function parseOption(r: Reader): TcpOption {
  const token = r.take();
  switch (token.text) {
    case "nop":
    case "eol":
    case "sackOK":
      return { kind: token.text };
    case "mss":
    case "wscale":
      return { kind: token.text, value: r.number() };
    case "TS":
      return parseTimestamps(r);
    case "sack":
      return { kind: "sack", blocks: parseBlocks(r) };
    case "FO":
    case "FOEXP":
      return { kind: token.text, cookie: parseHex(r) };
    case "md5":
      return { kind: "raw", code: 19, bytes: parseHex(r) };
    default:
      if (token.kind !== "word") r.fail(`"${token.text}" is no TCP option`, token);
      throw new Unsupported(`TCP option ${token.text}`, token.line);
  }
}

function parseTimestamps(r: Reader): TcpOption {
  r.expectWord("val");
  const val = r.number() >>> 0;
  r.expectWord("ecr");
  return { kind: "TS", val, ecr: r.number() >>> 0 };
}

function parseBlocks(r: Reader): [number, number][] {
  const blocks: [number, number][] = [];
  while (r.peek().kind === "integer" || r.peek().kind === "hex") {
    const left = r.number() >>> 0;
    r.expect(":");
    blocks.push([left, r.number() >>> 0]);
  }
  return blocks;
}

/** Hexadecimal digits, perhaps given by a symbol; none at all is fine. */
function parseHex(r: Reader): string {
  const { line } = r.peek();
  const raw = r.lexer.takeRaw(/\w+/y);
  if (raw === undefined) return "";
  const text = r.symbol(raw) ?? raw;
  if (!/^([\da-fA-F]{2})*$/.test(text)) throw new ScriptError(`"${text}" is not hexadecimal`, line);
  return text.toLowerCase();
}
