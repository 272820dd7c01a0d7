/**
 * Is a packet that the stack sent what a line expects?
 *
 * @module
 */

import type { Packet, TcpBody, TcpOption } from "./ast.ts";
import { ACK } from "./flags.ts";
import { patternFault } from "./pattern.ts";
import { showFlags } from "./flags.ts";
import { showOptions } from "./show.ts";
import { type LivePacket, PROTOCOL, type Segment } from "./wire.ts";

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"] as const;
/** A TTL of 255 in a script means that it does not matter. */
const TTL_ANY = 255;

/** What is compared, and how strictly. */
export interface CompareOptions {
  /** Windows and lists with `mss` or `TS` are not compared. */
  readonly lenient: boolean;
  /** Timestamps that the remote has sent. */
  readonly echoes: ReadonlySet<number>;
  /** Microseconds that a tick of the timestamp clock takes; 0: values are not compared. */
  readonly tsTick_us: number;
  /** How far a timestamp may be off, microseconds. */
  readonly tsTolerance_us: number;
}

/** What differs, a phrase each; empty if the packet is what was expected. */
export function differences(
  expected: Packet,
  live: LivePacket,
  tcp: Segment | undefined,
  options: CompareOptions,
): string[] {
  const found = [...live.faults];
  compareIp(expected, live, found);
  const { body } = expected;
  if (body.kind === "tcp") {
    if (tcp) compareTcp(body, tcp, options, found);
    else found.push(`protocol ${live.protocol} instead of TCP`);
  } else if (body.kind === "udp") {
    if (!live.udp) found.push(`protocol ${live.protocol} instead of UDP`);
    else if (live.udp.data.length !== body.length) found.push("length");
  } else if (!live.icmp) {
    found.push(`protocol ${live.protocol} instead of ICMP`);
  } else {
    if (live.icmp.type !== body.type) found.push("ICMP type");
    if (live.icmp.code !== body.code) found.push("ICMP code");
  }
  return found;
}

/** Number of the IP protocol that a line is about. */
export function protocolOf(expected: Packet): number {
  return PROTOCOL[expected.body.kind];
}

function compareIp({ ip }: Packet, live: LivePacket, found: string[]): void {
  const ecn = ECN_NAMES[live.tos & 3];
  if (ip.ecn === "ect01") {
    if (ecn !== "ect0" && ecn !== "ect1") found.push(`ECN ${ecn}`);
  } else if (ip.ecn && ip.ecn !== ecn) found.push(`ECN ${ecn}`);
  if (ip.tos !== undefined && ip.tos !== live.tos) found.push(`TOS ${live.tos}`);
  if (ip.dscp !== undefined && ip.dscp !== live.tos >> 2) found.push(`code point ${live.tos >> 2}`);
  if (ip.ttl !== undefined && ip.ttl !== TTL_ANY && ip.ttl !== live.ttl) {
    found.push(`TTL ${live.ttl}`);
  }
}

function compareTcp(
  body: TcpBody,
  live: Segment,
  options: CompareOptions,
  found: string[],
): void {
  if (body.flags !== live.flags) found.push(`control bits ${showFlags(live.flags)}`);
  if (body.seq !== live.seq) found.push("sequence number");
  if (body.length !== live.data.length) found.push("length");
  if ((body.ack ?? 0) !== live.ack) {
    found.push(live.flags & ACK ? "acknowledgment number" : "acknowledgment number without ACK");
  }
  if (!options.lenient && body.win !== undefined && body.win !== live.win) found.push("window");
  if (body.urg !== live.urg) found.push("urgent pointer");
  compareOptions(body, live, options, found);
}

/** Payload that is not what was written; `first` is the place in the stream where it begins. */
export function payloadFault(live: Segment, first: number): string | undefined {
  const at = patternFault(live.data, first);
  return at < 0 ? undefined : `payload: byte ${at} is not what was written`;
}

function compareOptions(
  body: TcpBody,
  live: Segment,
  options: CompareOptions,
  found: string[],
): void {
  if (body.options === "any") return;
  const forgiven = body.options.some(({ kind }) => kind === "mss" || kind === "TS");
  if (options.lenient && forgiven) return;
  const same = body.options.length === live.options.length &&
    body.options.every((o, i) => sameOption(o, live.options[i]));
  if (!same) {
    const list = showOptions(live.options).trim() || "none";
    found.push(`options ${list}`);
    return;
  }
  body.options.forEach((o, i) => compareTimestamps(o, live.options[i], options, found));
}

function sameOption(a: TcpOption, b: TcpOption): boolean {
  if (a.kind === "TS" && b.kind === "TS") return true;
  return JSON.stringify(a) === JSON.stringify(b);
}

function compareTimestamps(
  expected: TcpOption,
  live: TcpOption,
  options: CompareOptions,
  found: string[],
): void {
  if (expected.kind !== "TS" || live.kind !== "TS") return;
  // an echo that the script's remote never sent cannot be meant; any that it did send will do
  const meant = expected.ecr === 0 || options.echoes.has(expected.ecr);
  if (meant ? expected.ecr !== live.ecr : !options.echoes.has(live.ecr)) {
    found.push(`TS ecr ${live.ecr}`);
  }
  if (options.tsTick_us === 0 || expected.open) return;
  const off = Math.abs((live.val - expected.val) | 0) * options.tsTick_us;
  if (off > options.tsTolerance_us) found.push(`TS val ${live.val}`);
}
