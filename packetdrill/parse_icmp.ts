/**
 * Reads ICMP lines.
 *
 * @module
 */

import type { IcmpBody } from "./ast.ts";
import { Unsupported } from "./errors.ts";
import type { Reader } from "./reader.ts";

/** Types of ICMPv4 by the names of scripts. */
const TYPES: Readonly<Record<string, number>> = {
  echo_reply: 0,
  unreachable: 3,
  dest_unreachable: 3,
  source_quench: 4,
  redirect: 5,
  echo_request: 8,
  time_exceeded: 11,
  parameter_problem: 12,
  timestamp: 13,
  timestamp_request: 13,
  timestamp_reply: 14,
  information_request: 15,
  information_reply: 16,
  address_mask_request: 17,
  address_mask_reply: 18,
};

/** Codes of ICMPv4, by type and name. */
const CODES: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  3: {
    net_unreachable: 0,
    host_unreachable: 1,
    protocol_unreachable: 2,
    port_unreachable: 3,
    frag_needed: 4,
    source_route_failed: 5,
    net_unknown: 6,
    host_unknown: 7,
    source_host_isolated: 8,
    net_prohibited: 9,
    host_prohibited: 10,
    net_unreachable_for_tos: 11,
    host_unreachable_for_tos: 12,
    packet_filtered: 13,
    communication_prohibited: 13,
    precedence_violation: 14,
    precedence_cutoff: 15,
  },
  5: { net: 0, host: 1 },
  11: {
    exceeded_in_transit: 0,
    ttl_exceeded_in_transit: 0,
    reassembly_time: 1,
    frag_reass_exceeded: 1,
  },
  12: { pointer: 0, missing_option: 1, bad_length: 2 },
};

/** Names that only ICMPv6 has. */
const V6_NAMES = [
  "packet_too_big",
  "parameter_problem6",
  "no_route",
  "admin_prohibited",
  "addr_unreachable",
  "not_neighbour",
  "reject_route",
  "policy_fail",
];

/** Reads what follows `icmp`. */
export function parseIcmp(r: Reader): IcmpBody {
  const type = parseType(r);
  let body: IcmpBody = { kind: "icmp", type, code: parseCode(r, type) };
  for (;;) {
    if (r.acceptWord("mtu")) body = { ...body, mtu: r.unsigned(16) };
    else if (r.acceptWord("id")) body = { ...body, id: r.unsigned(16) };
    else break;
  }
  if (r.accept("[")) {
    body = { ...body, echoed: parseEchoed(r) };
    r.expect("]");
  }
  return body;
}

function parseType(r: Reader): number {
  const token = r.take();
  if (V6_NAMES.includes(token.text)) throw new Unsupported("IPv6", token.line);
  const numbered = /^type_(\d+)$/.exec(token.text);
  const type = numbered ? Number(numbered[1]) : TYPES[token.text];
  return type ?? r.fail(`ICMP type ${token.text} is unknown`, token);
}

function parseCode(r: Reader, type: number): number {
  const token = r.peek();
  if (token.kind !== "word" || token.text === "mtu" || token.text === "id") return 0;
  const numbered = /^code_(\d+)$/.exec(token.text);
  const code = numbered ? Number(numbered[1]) : CODES[type]?.[token.text];
  // a word that begins the next event cannot stand here, so this is meant as a code
  if (code === undefined) r.fail(`ICMP code ${token.text} is unknown for type ${type}`, token);
  r.take();
  return code;
}

/** Reads what a message quotes. */
export function parseEchoed(r: Reader): NonNullable<IcmpBody["echoed"]> {
  const { line } = r.peek();
  if (r.acceptWord("raw")) throw new Unsupported("ICMP messages about raw packets", line);
  if (r.acceptWord("udp")) {
    r.expect("(");
    const length = r.unsigned(16);
    r.expect(")");
    return { protocol: "udp", seq: 0, length };
  }
  return { protocol: "tcp", ...r.range() };
}

/** Name of a type and code, as scripts write them. */
export function showIcmp(type: number, code: number): string {
  const name = Object.keys(TYPES).find((key) => TYPES[key] === type) ?? `type_${type}`;
  const codes = CODES[type];
  if (!codes) return code === 0 ? name : `${name} code_${code}`;
  const word = Object.keys(codes).find((key) => codes[key] === code) ?? `code_${code}`;
  return `${name} ${word}`;
}
