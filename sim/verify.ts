/**
 * Judges how the connections of a world ended: every byte that was acknowledged was delivered
 * exactly once and in order, or the program got an error, and for every error there is a reason.
 *
 * @module
 */

import { TcpOpt } from "../assembly/abi/socket.ts";
import { IpProto } from "../assembly/abi/proto.ts";
import { isTight, lossOf } from "./draw_network.ts";
import type { End } from "./end.ts";
import { Fault } from "./fault.ts";
import type { FlowSpec, WorldPlan } from "./plan.ts";

/** Both ends of a connection; the accepting one if there ever was one. */
export interface Flow {
  /** What was to happen. */
  readonly spec: FlowSpec;
  /** The connecting end. */
  readonly client: End;
  /** The accepting end. */
  server: End | undefined;
}

/** Loss beyond which a connection may run into its timeouts by chance alone. */
const LOSS_HARSH = 0.02;
/** A queue that holds no ten packets may lose most of what comes. */
const QUEUE_HARSH_BYTES = 20_000;
const RATE_HARSH_BPS = 1e6;
/** A connection gives up after a minute (SYN) or more without an answer. */
const CUT_HARSH_US = 1_000_000;

/** True if connections may fail in this world without a fault of anybody. */
export function isHarsh(plan: WorldPlan): boolean {
  const lines = plan.segments.flatMap(({ ends }) => ends.map(({ line }) => line));
  const kept = lines.reduce((share, line) => share * (1 - lossOf(line)), 1);
  return 1 - kept > LOSS_HARSH || plan.nodes.some(isTight) ||
    plan.cuts.some(({ from_us, to_us }) => to_us - from_us > CUT_HARSH_US) ||
    lines.some(({ queue, rate_bps }) =>
      queue.limit_bytes < QUEUE_HARSH_BYTES || rate_bps < RATE_HARSH_BPS
    );
}

/** No connection gives up sooner of itself: neither its SYNs nor its data (RFC 9293 3.8.3). */
const TIMEOUT_US = 60_000_000;

/** Errors that tell of a connection that the other end has broken off. */
const BROKEN = new Set(["ECONNRESET", "EPIPE", "ENOTCONN", "ECONNABORTED", "ESHUTDOWN"]);
/** Errors that tell of a network that does not deliver. */
const UNREACHED = new Set(["ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"]);

/** True if the other end had gone away before, so that this one may get a reset or no answer. */
function leftBehind(end: End, peer: End | undefined): boolean {
  const gone = peer?.outcome !== undefined && peer.outcome !== "done";
  return gone && (end.open || end.fast) && peer.ended_us < end.ended_us;
}

function hasOption(flow: FlowSpec, role: "client" | "server", wanted: number): boolean {
  return flow[role].options.some(([level, name]) => level === IpProto.TCP && name === wanted);
}

/** True if a stack may answer a SYN without keeping a record. */
function sendsCookies({ nodes }: WorldPlan, node: number): boolean {
  const { sysctl } = nodes[node];
  const cookies = sysctl["net.ipv4.tcp_syncookies"] ?? 1;
  return cookies === 2 || cookies === 1 && "net.ipv4.tcp_max_syn_backlog" in sysctl;
}

/** True if data in a SYN may be taken at once (RFC 7413). */
function opensFast({ nodes }: WorldPlan, node: number): boolean {
  return (Number(nodes[node].sysctl["net.ipv4.tcp_fastopen"] ?? 1) & 2) !== 0;
}

/**
 * True if a segment that comes late, or twice, may open a connection again that is over: a cookie
 * came back once more (RFC 4987 3.6), or a SYN with data did (RFC 7413 2.1).
 */
export function mayOpenTwice(plan: WorldPlan, node: number): boolean {
  return sendsCookies(plan, node) || opensFast(plan, node);
}

/** Why an end may have failed as it did; `undefined` if there is no reason. */
function excuse(plan: WorldPlan, flow: Flow, end: End): string | undefined {
  const peer = end === flow.client ? flow.server : flow.client;
  const { error } = end;
  const hasty = end.role === "client"
    ? hasOption(flow.spec, "server", TcpOpt.USER_TIMEOUT)
    : hasOption(flow.spec, "client", TcpOpt.USER_TIMEOUT);
  if (error === "ECONNREFUSED") {
    if (flow.spec.refused) return "nobody listens";
    return end.fast && leftBehind(end, peer) ? "the other end broke off" : undefined;
  }
  if (BROKEN.has(error) && leftBehind(end, peer)) return "the other end broke off";
  if (BROKEN.has(error) && hasty) return "the other end's user timeout is short";
  // A cookie is good at the beginning of the stream alone: what overtakes that, or follows it while
  // the accept queue has no room, is reset (RFC 4987 3.6).
  if (BROKEN.has(error) && sendsCookies(plan, flow.spec.to)) return "cookies";
  if (error === "ETIMEDOUT" && end.ended_us - end.begun_us < TIMEOUT_US) {
    const own = hasOption(flow.spec, end.role, TcpOpt.USER_TIMEOUT) ||
      hasOption(flow.spec, end.role, TcpOpt.KEEPIDLE);
    return own ? "its own timeouts are short" : undefined;
  }
  if (UNREACHED.has(error)) {
    if (isHarsh(plan)) return "the network is bad";
    if (hasOption(flow.spec, end.role, TcpOpt.USER_TIMEOUT)) return "its user timeout is short";
    if (leftBehind(end, peer)) return "the other end is gone";
  }
  // A handshake that the listener gave up, or a connection whose end the network swallowed.
  if (BROKEN.has(error) && isHarsh(plan)) return "the network is bad";
  return undefined;
}

function checkEnd(plan: WorldPlan, flow: Flow, end: End, peer: End | undefined): void {
  const fail = (words: string) => {
    const other = peer ? `${peer.label} ${peer.outcome} ${peer.error}` : "nobody accepted";
    throw new Fault(`${end.label} ${words}; ${other}`);
  };
  if (end.outcome === undefined) fail("has not ended");
  if (end.outcome === "failed" && excuse(plan, flow, end) === undefined) {
    fail(`failed without a reason: ${end.syscall} ${end.error}`);
  }
  if (end.received > (peer?.sent ?? 0)) fail("has read more than was sent");
  if (end.eof) {
    if (!peer?.shut) fail("has read an end of the stream that was not sent");
    if (end.received !== peer!.sent) fail(`has not read all of the ${peer!.sent} bytes sent`);
  }
  // An end that read all and sent all has to meet one that did, or left or failed for a reason.
  const complete = end.outcome === "done" && peer?.outcome === "done";
  if (complete && (end.received !== peer.sent || end.sent !== end.spec.bytes)) {
    fail("is done without having sent and read everything");
  }
  if (end.outcome === "given up" && !isHarsh(plan) && !leftBehind(end, peer)) {
    fail("was given up though the other end was there");
  }
}

/** Throws a `Fault` for the first connection that ended as none may. */
export function verifyFlows(plan: WorldPlan, flows: readonly Flow[]): void {
  for (const flow of flows) {
    const { client, server } = flow;
    checkEnd(plan, flow, client, server);
    if (server) checkEnd(plan, flow, server, client);
    else if (client.outcome === "done") {
      throw new Fault(`${client.label} is done, but nobody accepted it`);
    }
  }
}

/** How the ends of a world came out, in words, counted. */
export function countOutcomes(flows: readonly Flow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { client, server } of flows) {
    for (const end of server ? [client, server] : [client]) {
      const name = end.error ? `${end.syscall} ${end.error}` : end.outcome ?? "open";
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}
