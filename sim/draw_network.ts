/**
 * Draws stacks and the links between them.
 *
 * Hosts hang on routers that stand in a row; without routers all of them are on one segment:
 *
 * ```
 *   h0 h1         h2        10.0.0.0/24 ... 10.2.0.0/24: the segment of r0, r1, r2
 *     \|          |
 *     r0 -- r1 -- r2        10.100.0.0/30, 10.101.0.0/30: between them
 * ```
 *
 * @module
 */

import type { MemoryOptions } from "../runtime/engine.ts";
import { burstLoss } from "./gilbert.ts";
import type { LineSpec, QueueSpec } from "./line.ts";
import type { EndSpec, NodeSpec, SegmentSpec } from "./plan.ts";
import type { Random } from "./random.ts";
import { drawSettings } from "./draw_settings.ts";

const HOSTS_MIN = 2;
const HOSTS_MAX = 6;
const ROUTERS_MAX = 3;
const MTUS = [1500, 1500, 1500, 1492, 1400, 1280, 1006, 576, 296];
/** Share of networks with a black hole, and the longest frame that gets through it. */
const HOLE_SHARE = 0.06;
const HOLE_MIN = 300;
const HOLE_MAX = 1400;
const MTU_PROBING = "net.ipv4.tcp_mtu_probing";
/** No line loses more than this by itself: connections are to live, mostly. */
const LOSS_MAX = 0.12;

/** Enough for a few dozen connections. */
const MEMORY: MemoryOptions = {
  bytes: 6 << 20,
  sockets: 128,
  tcbs: 128,
  syncache: 64,
  timewaits: 128,
  routes: 64,
  neighbors: 64,
  addresses: 16,
  groups: 16,
  datagrams: 16,
};

/** So few mbufs that connections get into each other's way. */
const TIGHT: MemoryOptions = { ...MEMORY, mbufs_cluster: 300, mbufs_small: 200 };

/** Stacks and links of a world. */
export interface Network {
  /** Hosts first, then routers. */
  readonly nodes: NodeSpec[];
  /** Links. */
  readonly segments: SegmentSpec[];
  /** How many of the nodes are hosts. */
  readonly hosts: number;
  /** Address of each host. */
  readonly addresses: string[];
}

/** True if a stack is short of mbufs. */
export function isTight({ memory }: NodeSpec): boolean {
  return memory.mbufs_cluster !== undefined;
}

/** The share of frames that a line spoils for good, queues aside. */
export function lossOf({ loss, bursts, corrupt }: LineSpec): number {
  return 1 - (1 - loss) * (1 - (bursts ? burstLoss(bursts) : 0)) * (1 - corrupt);
}

function drawQueue(random: Random, rate_bps: number, calm: boolean): QueueSpec {
  // A few packets in the worst case, a second's worth in the best.
  const second_bytes = Math.min(rate_bps / 8, 4e6);
  const least = calm ? 60_000 : 3_100;
  return {
    kind: random.chance(0.3) ? "codel" : "tail",
    limit_bytes: random.scale(least, Math.max(second_bytes, 2 * least)),
    ecn: random.chance(0.4),
    ...(random.chance(0.2)
      ? { target_us: random.scale(1_000, 30_000), interval_us: random.scale(20_000, 400_000) }
      : {}),
  };
}

/** What goes wrong on a wire. */
function drawFaults(random: Random): Pick<LineSpec, "loss" | "corrupt" | "bursts"> {
  const loss = random.chance(0.5) ? random.scale(200, 80_000) / 1e6 : 0;
  const corrupt = random.chance(0.2) ? random.scale(200, 30_000) / 1e6 : 0;
  if (!random.chance(0.25)) return { loss, corrupt };
  const bursts = {
    enter: random.scale(200, 20_000) / 1e6,
    leave: random.scale(20, 900) / 1e3,
    bad: random.scale(200, 1_000) / 1e3,
    good: 0,
  };
  return { loss, corrupt, bursts };
}

/** One direction; `calm` ones have queues of some size and lose nothing. */
function drawLine(random: Random, calm: boolean): LineSpec {
  const rate_bps = random.chance(0.1) ? Infinity : random.scale(calm ? 2e6 : 128_000, 1e9);
  const delay_us = random.scale(10, random.chance(0.1) ? 600_000 : 120_000);
  const jitter_us = random.chance(0.4) ? random.scale(1, delay_us) : 0;
  const queue = drawQueue(random, rate_bps, calm);
  const quiet = { loss: 0, corrupt: 0, duplicate: 0, reorder: 0, reorder_us: 0 };
  if (calm) return { rate_bps, delay_us, jitter_us, queue, ...quiet };
  const line = {
    rate_bps,
    delay_us,
    jitter_us,
    queue,
    ...drawFaults(random),
    duplicate: random.chance(0.25) ? random.scale(500, 100_000) / 1e6 : 0,
    reorder: random.chance(0.3) ? random.scale(1_000, 400_000) / 1e6 : 0,
    reorder_us: random.scale(10, 150_000),
  };
  return lossOf(line) > LOSS_MAX ? { ...line, loss: 0, bursts: undefined } : line;
}

/** Both directions: often alike, but for the draws of what happens. */
function drawLines(random: Random, calm: boolean): [LineSpec, LineSpec] {
  const line = drawLine(random, calm);
  return random.chance(0.6) ? [line, line] : [line, drawLine(random, calm)];
}

function drawNode(random: Random, name: string, router: boolean): NodeSpec {
  const settings = drawSettings(random);
  const tight = !router && random.chance(0.06);
  return { name, router, memory: tight ? TIGHT : MEMORY, ...settings, routes: [] };
}

/** Ends of one host segment: the router, if there is one, and its hosts. */
function drawHostEnds(
  random: Random,
  network: number,
  members: readonly number[],
  router: number | undefined,
  calm: boolean,
): EndSpec[] {
  const gateway = router === undefined ? undefined : `10.${network}.0.1`;
  const ends: EndSpec[] = [];
  const lines = drawLines(random, calm);
  const end = (node: number, address: string, i: number) => {
    const line = i < 2 || random.chance(0.7) ? lines[i & 1] : drawLine(random, calm);
    const backpressure = random.chance(0.5);
    ends.push({ node, address, line, backpressure, ...(i > 0 && gateway ? { gateway } : {}) });
  };
  if (router !== undefined) end(router, `10.${network}.0.1/24`, 0);
  members.forEach((host, i) => end(host, `10.${network}.0.${host + 2}/24`, router ? i + 1 : i));
  return ends;
}

/** Draws them; in a calm network nothing is lost but by full queues. */
export function drawNetwork(random: Random, calm: boolean): Network {
  const hosts = random.between(HOSTS_MIN, random.chance(0.5) ? 3 : HOSTS_MAX);
  const routers = random.chance(0.4) ? 0 : random.between(1, ROUTERS_MAX);
  const nodes: NodeSpec[] = [];
  for (let i = 0; i < hosts; i++) nodes.push(drawNode(random, `h${i}`, false));
  const home = nodes.map(() => random.below(Math.max(routers, 1)));
  for (let i = 0; i < routers; i++) nodes.push(drawRouter(random, i, routers));
  const segments: SegmentSpec[] = [];
  for (let i = 0; i < Math.max(routers, 1); i++) {
    const members = home.flatMap((router, host) => router === i ? [host] : []);
    if (members.length === 0) continue;
    const router = routers > 0 ? hosts + i : undefined;
    const ends = drawHostEnds(random, i, members, router, calm);
    segments.push(drawSegment(random, ends));
  }
  for (let i = 0; i + 1 < routers; i++) {
    const [left, right] = drawLines(random, calm);
    const backpressure = random.chance(0.3);
    const ends: EndSpec[] = [
      { node: hosts + i, address: `10.${100 + i}.0.1/30`, line: left, backpressure },
      { node: hosts + i + 1, address: `10.${100 + i}.0.2/30`, line: right, backpressure },
    ];
    segments.push(drawSegment(random, ends));
  }
  const addresses = home.map((at, host) => `10.${at}.0.${host + 2}`);
  const network = { nodes, segments, hosts, addresses };
  return random.chance(HOLE_SHARE) ? withHole(random, network) : network;
}

function drawSegment(random: Random, ends: EndSpec[]): SegmentSpec {
  const medium = ends.length === 2 && random.chance(0.4) ? "ip" : "ethernet";
  return { medium, mtu: random.pick(MTUS), ends };
}

/** Makes one of the segments swallow what is long; stacks that probe path MTUs get through. */
function withHole(random: Random, network: Network): Network {
  const at = random.below(network.segments.length);
  const hole_bytes = random.between(HOLE_MIN, HOLE_MAX);
  const segments = network.segments.map((segment, i) => {
    if (i !== at) return segment;
    const ends = segment.ends.map((end) => ({ ...end, line: { ...end.line, hole_bytes } }));
    return { ...segment, ends };
  });
  const nodes = network.nodes.map((node) => {
    const probing = node.sysctl[MTU_PROBING] === 2 ? 2 : 1;
    return { ...node, sysctl: { ...node.sysctl, [MTU_PROBING]: probing } };
  });
  return { ...network, segments, nodes };
}

/** A router knows the way to all others: they stand in a row. */
function drawRouter(random: Random, i: number, routers: number): NodeSpec {
  const routes: { to: string; gateway: string }[] = [];
  for (let other = 0; other < routers; other++) {
    if (other === i) continue;
    const gateway = other < i ? `10.${99 + i}.0.1` : `10.${100 + i}.0.2`;
    routes.push({ to: `10.${other}.0.0/24`, gateway });
  }
  return { ...drawNode(random, `r${i}`, true), routes };
}
