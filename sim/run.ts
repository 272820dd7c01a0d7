/**
 * Runs a world from its first frame to the last timer, and judges it.
 *
 * @module
 */

import { mbufs } from "../runtime/netstat.ts";
import { drawWorld } from "./draw.ts";
import { End } from "./end.ts";
import { Fault, wordsOf } from "./fault.ts";
import { HostProgram } from "./host_program.ts";
import type { LineStats } from "./line.ts";
import type { WorldPlan } from "./plan.ts";
import { countOutcomes, type Flow, isHarsh, mayOpenTwice, verifyFlows } from "./verify.ts";
import { START_US, World, type WorldOptions } from "./world.ts";

/** What became of a world. */
export interface Result {
  /** What it was drawn from. */
  readonly seed: number;
  /** What went wrong; `undefined` if nothing did. */
  readonly fault: string | undefined;
  /** Hash of all frames and their times. */
  readonly hash: string;
  /** Frames sent. */
  readonly frames: number;
  /** Turns of all stacks; the invariants were checked after each. */
  readonly turns: number;
  /** Virtual time that passed. */
  readonly virtual_us: number;
  /** Stacks that went on from a snapshot. */
  readonly restored: number;
  /** What happened on the links. */
  readonly lines: LineStats | undefined;
  /** How the ends of connections came out. */
  readonly outcomes: Record<string, number>;
  /** Counters of all stacks together, those that are not 0. */
  readonly counters: Record<string, number>;
}

/** A run that can be looked into: what is left when it has ended. */
export interface Run {
  /** Its end. */
  readonly result: Result;
  /** The world; `undefined` if it could not even be made. */
  readonly world: World | undefined;
}

/** An end whose other end has gone without a word gives up after this. */
const GRACE_US = 1_000_000_000;
/** Longest without any progress, in a world where nothing stands in the way ... */
const STALL_US = 120_000_000;
/** ... and in any other, the longest partition included. */
const STALL_HARSH_US = 6_000_000_000;
/** No world lasts longer. */
const LIMIT_US = 40_000_000_000;
/** By then TIME-WAIT, orphans and neighbours are gone. */
const REST_US = 10_000_000_000;

/** The connections of a world and the programs of its hosts. */
class Traffic {
  readonly flows: Flow[];
  readonly #world: World;
  readonly #programs: HostProgram[];
  readonly #addresses: string[];
  /** Connections by the address and port of the client and the port of the server. */
  readonly #calls = new Map<string, Flow>();
  readonly #watched = new Set<End>();
  readonly #stall_us: number;

  constructor(world: World) {
    this.#world = world;
    const { plan } = world;
    this.#stall_us = isHarsh(plan) || hasHole(plan) ? STALL_HARSH_US : STALL_US;
    this.#addresses = plan.nodes.map((_, node) => addressOf(plan, node));
    this.#programs = world.nodes.map((node) =>
      new HostProgram(
        world,
        node,
        (address, port, to) => this.#claim(node.index, address, port, to),
      )
    );
    world.nodes.forEach((node, i) => node.program = this.#programs[i]);
    for (const listener of plan.listeners) this.#programs[listener.node].listen(listener);
    this.flows = plan.flows.map((spec) => {
      const client = new End(world, world.nodes[spec.from], spec, "client");
      return { spec, client, server: undefined };
    });
    for (const flow of this.flows) {
      world.at(START_US + flow.spec.start_us, () => this.#connect(flow));
    }
  }

  #connect(flow: Flow): void {
    const { from, to, port } = flow.spec;
    const local = flow.client.connect(this.#addresses[to]);
    this.#calls.set(`${this.#addresses[from]}:${local} ${to}:${port}`, flow);
    this.#programs[from].add(flow.client);
  }

  #claim(node: number, address: string, port: number, to: number): End {
    const key = `${address}:${port} ${node}:${to}`;
    const flow = this.#calls.get(key);
    if (!flow) throw new Fault(`accept answers a connection that nobody made: ${key}`);
    const end = new End(this.#world, this.#world.nodes[node], flow.spec, "server");
    if (!flow.server) flow.server = end;
    else if (!mayOpenTwice(this.#world.plan, node)) {
      throw new Fault(`flow ${flow.spec.id} was accepted twice: ${key}`);
    } else {
      end.ghost = true;
    }
    return end;
  }

  /** True when all have ended. Sees to it that nobody waits for ever for one that is gone. */
  done(): boolean {
    let [done, waiting] = [true, false];
    for (const { client, server } of this.flows) {
      if (server) {
        this.#watch(client, server);
        this.#watch(server, client);
      }
      for (const end of server ? [client, server] : [client]) {
        if (end.outcome !== undefined) continue;
        done = false;
        waiting ||= !this.#watched.has(end);
      }
    }
    if (done) return true;
    const idle_us = waiting ? this.#world.now_us - this.#world.progress_us : 0;
    if (idle_us > this.#stall_us) {
      throw new Fault(`did not finish: no progress for ${idle_us / 1e6} s; ${this.waiting()}`);
    }
    return false;
  }

  #watch(end: End, peer: End): void {
    if (end.outcome === undefined || peer.outcome !== undefined || this.#watched.has(peer)) return;
    this.#watched.add(peer);
    this.#world.at(this.#world.now_us + GRACE_US, () => {
      peer.reset("given up");
      peer.node.dirty = true;
    });
  }

  /** Those that have not ended. */
  waiting(): string {
    const ends = this.flows.flatMap(({ client, server }) => server ? [client, server] : [client]);
    return ends.filter(({ outcome }) => !outcome).map((end) => end.describe()).join("; ");
  }

  /** Closes the listeners. */
  close(): void {
    for (const program of this.#programs) program.close();
  }
}

/** True if paths have to be probed by what gets lost, which takes timeouts. */
function hasHole({ segments }: WorldPlan): boolean {
  return segments.some(({ ends }) => ends.some(({ line }) => line.hole_bytes !== undefined));
}

function addressOf(plan: WorldPlan, node: number): string {
  for (const { ends } of plan.segments) {
    const end = ends.find((one) => one.node === node);
    if (end) return end.address.replace(/\/.*/, "");
  }
  throw new Error(`node ${node} is on no segment`);
}

/** When all timers have run out, everything that was taken has to be given back. */
async function verifyRest(world: World): Promise<void> {
  for (const { label, stack, health } of world.nodes) {
    // An interface gives back the empty mbufs that were lent to its driver.
    for (const { name } of [...stack.interfaces]) await stack.detach(name);
    health.check();
    const { small, cluster } = mbufs(stack.engine);
    const left = [
      [small.used + cluster.used, "mbufs"],
      [health.sockets(), "sockets"],
      [health.timers(), "timers"],
    ].filter(([count]) => count !== 0).map(([count, what]) => `${count} ${what}`);
    if (left.length > 0) throw new Fault(`${label} has not given back ${left.join(", ")}`);
  }
}

async function live(world: World, traffic: Traffic): Promise<void> {
  const end_us = START_US + LIMIT_US;
  if (!await world.run(() => traffic.done(), end_us)) {
    throw new Fault(`did not finish: nothing happens any more; ${traffic.waiting()}`);
  }
  verifyFlows(world.plan, traffic.flows);
  traffic.close();
  await world.run(() => false, world.now_us + REST_US);
  await verifyRest(world);
}

/** Runs a plan. What goes wrong is in the result, whatever it is. */
export async function runPlan(plan: WorldPlan, options: WorldOptions): Promise<Run> {
  let world: World | undefined;
  let traffic: Traffic | undefined;
  let fault: string | undefined;
  try {
    world = await World.create(plan, options);
    traffic = new Traffic(world);
    await live(world, traffic);
  } catch (error) {
    fault = wordsOf(error);
    world?.log(fault);
  }
  const result: Result = {
    seed: plan.seed,
    fault,
    hash: world?.hash.digest() ?? "",
    frames: world?.frames ?? 0,
    turns: world?.nodes.reduce((sum, { turns }) => sum + turns, 0) ?? 0,
    virtual_us: (world?.now_us ?? START_US) - START_US,
    restored: world?.restored ?? 0,
    lines: world?.lineStats(),
    outcomes: countOutcomes(traffic?.flows ?? []),
    counters: world?.counters() ?? {},
  };
  return { result, world };
}

/** Runs the world of a seed. */
export async function runSeed(seed: number, options: WorldOptions): Promise<Result> {
  return (await runPlan(drawWorld(seed), options)).result;
}
