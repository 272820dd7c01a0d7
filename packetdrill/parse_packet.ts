/**
 * Reads packet lines: what stands behind `<` and `>`.
 *
 * @module
 */

import type { IcmpBody, Packet, TcpBody, UdpBody } from "./ast.ts";
import { Unsupported } from "./errors.ts";
import { parseFlags, RST } from "./flags.ts";
import { parseEchoed, parseIcmp } from "./parse_icmp.ts";
import { parseIpInfo } from "./parse_ip.ts";
import { parseOptions } from "./parse_options.ts";
import type { Reader } from "./reader.ts";

/** Words that open headers which the interpreter has no use for. */
const ENCAPSULATIONS = ["gre", "mpls", "encap", "ipv4", "ipv6", "sctp", "udplite"];

/** Reads a packet; the direction has been taken. */
export function parsePacket(r: Reader, outbound: boolean): Packet {
  const quoted = parseQuoted(r);
  if (quoted) {
    r.expectWord("icmp");
    return { kind: "packet", outbound, ip: {}, body: { ...parseIcmp(r), echoed: quoted } };
  }
  const ip = parseIpInfo(r, outbound);
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
  r.lexer.seek(start);
  const source = r.unsigned(16);
  r.expect(">");
  const ports: [number, number] = [source, r.unsigned(16)];
  r.accept(":");
  return ports;
}

function parseUdp(r: Reader): UdpBody {
  r.expect("(");
  const length = r.unsigned(16);
  r.expect(")");
  return { kind: "udp", length };
}

function parseTcp(r: Reader, outbound: boolean): TcpBody {
  const first = r.lexer.peek();
  const word = r.lexer.takeRaw(/[^\s]+/y) ?? "";
  const flags = parseFlags(word);
  if (flags === undefined) r.fail(`"${word}" are no control bits`, first);
  const numbers = parseNumbers(r, outbound);
  let [ack, win, urg]: [number | undefined, number | undefined, number] = [undefined, undefined, 0];
  if (r.acceptWord("ack")) ack = r.unsigned(32);
  if (r.acceptWord("win")) win = r.unsigned(16);
  if (r.acceptWord("urg")) urg = r.unsigned(16);
  const options = r.accept("<") ? parseOptions(r, outbound) : [];
  if (r.accept("/")) throw new Unsupported("UDP encapsulation", r.peek().line);
  if (!outbound && win === undefined) {
    // the language demands a window of every segment that comes in; a reset may do without
    if (!(flags & RST)) r.fail("a packet that comes in needs a window", first);
    win = 0;
  }
  return {
    kind: "tcp",
    flags,
    ...numbers,
    ...(ack === undefined ? {} : { ack }),
    ...(win === undefined ? {} : { win }),
    urg,
    options,
  };
}

/** `a:b(n)`; in the FreeBSD dialect also `a:b(n)!`, numbers of the wire, and `...(n)`, any. */
function parseNumbers(
  r: Reader,
  outbound: boolean,
): Pick<TcpBody, "seq" | "length" | "numbering"> {
  const open = r.acceptKind("ellipsis");
  if (open) {
    if (!outbound) r.fail("a packet that comes in needs a sequence number", open);
    r.expect("(");
    const length = r.unsigned(16);
    r.expect(")");
    return { seq: 0, length, numbering: "any" };
  }
  const range = r.range();
  return r.accept("!") ? { ...range, numbering: "wire" } : range;
}
