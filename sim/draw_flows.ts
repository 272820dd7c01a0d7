/**
 * Draws the connections of a world and the programs at their ends.
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../assembly/abi/socket.ts";
import type { Network } from "./draw_network.ts";
import type { Finish, FlowSpec, ListenerSpec, SideSpec } from "./plan.ts";
import type { Random } from "./random.ts";

const FLOWS_MAX = 20;
const FIRST_PORT = 7_000;
/** Where nobody listens. */
const CLOSED_PORT = 9;
/** Calls that a program needs at most to write or read everything, when it pauses after each. */
const PIECES_MAX = 250;
/** Windows of the smallest buffer that are sent at most: each may take a persist interval. */
const WINDOWS_MAX = 40;
/** The smallest buffer that holds this is no small one. */
const SMALL_BUFFER = 8_192;

type Option = readonly [level: number, name: number, value: number];

function drawOptions(random: Random, role: "client" | "server"): Option[] {
  const options: Option[] = [];
  const fast = random.chance(0.4);
  if (fast && role === "client") options.push([IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1]);
  if (random.chance(0.35)) options.push([Sol.SOCKET, So.SNDBUF, random.scale(512, 1 << 20)]);
  if (random.chance(0.35)) options.push([Sol.SOCKET, So.RCVBUF, random.scale(256, 1 << 20)]);
  if (random.chance(0.3)) options.push([IpProto.TCP, TcpOpt.NODELAY, 1]);
  if (random.chance(0.1)) options.push([IpProto.TCP, TcpOpt.NODELAYACK, 1]);
  if (random.chance(0.1)) options.push([IpProto.TCP, TcpOpt.CORK, 1]);
  if (random.chance(0.1)) options.push([IpProto.TCP, TcpOpt.QUICKACK, random.below(2)]);
  if (random.chance(0.05)) options.push([IpProto.TCP, TcpOpt.LINGER2, random.between(1, 30)]);
  if (random.chance(0.05)) options.push([IpProto.TCP, TcpOpt.MTU_PROBE, 1]);
  if (random.chance(0.3)) options.push([IpProto.TCP, TcpOpt.CONGESTION, random.below(2)]);
  if (random.chance(0.1)) {
    options.push([IpProto.TCP, TcpOpt.NOTSENT_LOWAT, random.scale(1, 1 << 17)]);
  }
  if (random.chance(0.08)) {
    options.push([IpProto.TCP, TcpOpt.WINDOW_CLAMP, random.scale(1_000, 1 << 17)]);
  }
  if (random.chance(0.1)) options.push([IpProto.TCP, TcpOpt.MAXSEG, random.between(100, 1460)]);
  if (random.chance(0.08)) {
    options.push([Sol.SOCKET, So.KEEPALIVE, 1]);
    options.push([IpProto.TCP, TcpOpt.KEEPIDLE, random.between(1, 120)]);
    options.push([IpProto.TCP, TcpOpt.KEEPINTVL, random.between(1, 60)]);
  }
  if (random.chance(0.05)) {
    options.push([IpProto.TCP, TcpOpt.USER_TIMEOUT, random.scale(5_000, 300_000)]);
  }
  return options;
}

function drawBytes(random: Random): number {
  const kind = random.unit();
  if (kind < 0.12) return 0;
  if (kind < 0.85) return random.scale(1, 60_000);
  return random.scale(60_000, 600_000);
}

function drawFinish(random: Random, role: "client" | "server"): Finish {
  const kind = random.unit();
  if (kind < 0.55) return "orderly";
  // Two ends that wait for each other would wait for ever.
  if (kind < 0.75) return role === "server" ? "reply" : "orderly";
  if (kind < 0.88) return "close";
  return "abort";
}

/** The smallest of the buffers that data of a side passes through. */
function smallestBuffer(...lists: (readonly Option[])[]): number {
  const sizes = lists.flat().filter(([level, name]) =>
    level === Sol.SOCKET && (name === So.SNDBUF || name === So.RCVBUF)
  );
  return Math.min(SMALL_BUFFER, ...sizes.map(([, , value]) => value));
}

function drawSide(
  random: Random,
  role: "client" | "server",
  options: Option[],
  buffer: number,
): SideSpec {
  const small = buffer < SMALL_BUFFER;
  const bytes = Math.min(drawBytes(random), small ? buffer * WINDOWS_MAX : Infinity);
  const pausing = random.chance(0.3);
  const burst = pausing ? random.scale(1, Math.max(bytes, 2)) : Infinity;
  // Such a connection waits for its first data: without any it would never open.
  const waits = ([, name]: Option) => name === TcpOpt.FASTOPEN_CONNECT && bytes === 0;
  return {
    bytes,
    write: Math.max(random.scale(1, 65_536), Math.ceil(bytes / PIECES_MAX)),
    burst: Math.max(burst, Math.ceil(bytes / 20)),
    pause_us: pausing ? random.scale(100, random.chance(0.1) ? 20_000_000 : 500_000) : 0,
    read: random.scale(1, 65_536),
    read_pause_us: 0,
    read_delay_us: random.chance(0.12) ? random.scale(1_000, 15_000_000) : 0,
    finish: drawFinish(random, role),
    abort_after: random.scale(1, Math.max(2 * bytes, 2)),
    options: options.filter((option) => !waits(option)),
  };
}

/** What an end reads has to do with what the other one sends. */
function withReads(random: Random, side: SideSpec, incoming: number): SideSpec {
  const read = Math.max(side.read, Math.ceil(incoming / PIECES_MAX));
  const slow = random.chance(0.2);
  return { ...side, read, read_pause_us: slow ? random.scale(100, 100_000) : 0 };
}

function drawListenerOptions(random: Random): Option[] {
  const options: Option[] = [];
  if (random.chance(0.2)) options.push([Sol.SOCKET, So.RCVBUF, random.scale(512, 1 << 20)]);
  if (random.chance(0.4)) options.push([IpProto.TCP, TcpOpt.FASTOPEN, random.scale(1, 10)]);
  return options;
}

/** Connections and those who listen for them. */
export interface Traffic {
  readonly flows: FlowSpec[];
  readonly listeners: ListenerSpec[];
}

/** Draws them for a network. */
export function drawTraffic(random: Random, network: Network): Traffic {
  const listeners: ListenerSpec[] = [];
  for (let node = 0; node < network.hosts; node++) {
    const count = random.between(1, 2);
    for (let i = 0; i < count; i++) {
      listeners.push({
        node,
        port: FIRST_PORT + i,
        backlog: random.scale(1, 20),
        pause_us: random.chance(0.2) ? random.scale(100, 200_000) : 0,
        options: drawListenerOptions(random),
      });
    }
  }
  const flows: FlowSpec[] = [];
  const count = random.scale(1, FLOWS_MAX);
  for (let id = 0; id < count; id++) flows.push(drawFlow(random, id, network, listeners));
  return { flows, listeners };
}

function drawFlow(
  random: Random,
  id: number,
  network: Network,
  listeners: readonly ListenerSpec[],
): FlowSpec {
  const listener = random.pick(listeners);
  const to = listener.node;
  const others = [...Array(network.hosts).keys()].filter((host) => host !== to);
  const refused = random.chance(0.06);
  const ours = drawOptions(random, "client");
  const theirs = drawOptions(random, "server");
  const buffer = smallestBuffer(ours, theirs, listener.options);
  const client = drawSide(random, "client", ours, buffer);
  const server = drawSide(random, "server", theirs, buffer);
  return {
    id,
    from: random.pick(others),
    to,
    port: refused ? CLOSED_PORT : listener.port,
    start_us: random.chance(0.5) ? random.below(1_000) : random.scale(1_000, 5_000_000),
    refused,
    client: withReads(random, client, server.bytes),
    server: withReads(random, server, client.bytes),
  };
}
