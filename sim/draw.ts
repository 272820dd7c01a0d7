/**
 * Draws a whole world from its seed.
 *
 * @module
 */

import { drawTraffic } from "./draw_flows.ts";
import { drawNetwork } from "./draw_network.ts";
import type { CutSpec, RestoreSpec, SegmentSpec, WorldPlan } from "./plan.ts";
import { Random } from "./random.ts";

/** Share of calm worlds: there every connection has to come to a good end. */
const CALM = 0.3;
/** A partition that outlasts every timeout of TCP. */
const OUTLASTS_US = 3_000_000_000;

/** Draws it; the same seed gives the same world. */
export function drawWorld(seed: number): WorldPlan {
  const random = Random.of(seed, "world");
  const calm = random.chance(CALM);
  const network = drawNetwork(Random.of(seed, "network"), calm);
  const traffic = drawTraffic(Random.of(seed, "traffic"), network);
  const cuts = calm ? [] : drawCuts(random, network.segments);
  return {
    seed,
    nodes: network.nodes,
    segments: network.segments,
    listeners: traffic.listeners,
    flows: traffic.flows,
    cuts,
    restores: drawRestores(random, network.nodes.length),
  };
}

function drawCuts(random: Random, segments: readonly SegmentSpec[]): CutSpec[] {
  if (!random.chance(0.3)) return [];
  const cuts: CutSpec[] = [];
  const count = random.between(1, 3);
  // One after the other on each segment: a cut that heals while another begins would be no cut.
  const free = segments.map(() => 0);
  for (let i = 0; i < count; i++) {
    const segment = random.below(segments.length);
    const from_us = free[segment] + random.scale(1_000, 10_000_000);
    const outlasts = random.chance(0.1);
    const to_us = from_us + (outlasts ? OUTLASTS_US : random.scale(10_000, 200_000_000));
    free[segment] = to_us;
    const oneWay = random.chance(0.3);
    const end = random.below(segments[segment].ends.length);
    cuts.push({ segment, from_us, to_us, ...(oneWay ? { end } : {}) });
  }
  return cuts;
}

function drawRestores(random: Random, nodes: number): RestoreSpec[] {
  if (!random.chance(0.25)) return [];
  const restores: RestoreSpec[] = [];
  const count = random.between(1, 4);
  for (let i = 0; i < count; i++) {
    restores.push({ node: random.below(nodes), at_us: random.scale(1_000, 10_000_000) });
  }
  return restores;
}
