/**
 * Attaches and detaches a driver again and again, with traffic on it, and counts what the process
 * and the engine hold before and after; with the loader too, where it takes the place of another
 * driver, or another its own. Runs in a process of its own: others would disturb it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { NullDriver } from "../../drivers/null.ts";
import { createStack, type Stack } from "../../mod.ts";
import { makeFrame, type World } from "../../drivers/contract/world.ts";

const WARM_ROUNDS = 4;
const ROUNDS = 12;
const LOOKS = 200;
const LOOK_MS = 10;
const FRAMES = 5;

/** What could be left behind. */
interface Holdings {
  /** Open files and sockets of the process. */
  readonly descriptors: number;
  /** Memory shared with the kernel: rings of sockets, event files. */
  readonly mappings: number;
  /** Threads that run Workers. */
  readonly workers: number;
  /** Buffers of the engine in use. */
  readonly mbufs: number;
  /** Interfaces of the stack, and the loader's rows. */
  readonly interfaces: number;
  readonly rows: number;
  /** What was known of the networks that they led to. */
  readonly routes: number;
  readonly neighbors: number;
}

/** True for what the kernel calls a thread that runs a Worker of Deno. */
export const WORKER_THREAD = /^(worker-|web-worker|deno-worker)/;

/** Names of this process's threads. */
export function threadNames(): string[] {
  const names: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      names.push(Deno.readTextFileSync(`/proc/self/task/${name}/comm`).trim());
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return names;
}

function holdings(stack: Stack): Holdings {
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  const { mbufs, interfaces, routes, neighbors } = stack.netstat();
  return {
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    mappings: maps.filter((line) => /socket:|zero|anon_inode|\(deleted\)/.test(line)).length,
    workers: threadNames().filter((name) => WORKER_THREAD.test(name)).length,
    mbufs: mbufs.small.used + mbufs.cluster.used,
    interfaces: interfaces.length,
    rows: stack.drivers.list().length,
    routes: routes.length,
    neighbors: neighbors.length,
  };
}

/** How the driver comes under the interface `under`. */
type Coming = "attached" | "loaded" | "swapped in" | "swapped out";
const COMING: readonly Coming[] = ["attached", "loaded", "swapped in", "swapped out"];

/** Attaches the driver of a fresh world, sends and receives, detaches it. */
async function round(
  stack: Stack,
  open: (arrivals: readonly Uint8Array[]) => World | Promise<World>,
  medium: "ethernet" | "ip",
  coming: Coming,
): Promise<void> {
  const arrivals = Array.from({ length: FRAMES }, (_, i) => makeFrame(medium, 60 + i, i));
  const world = await open(arrivals);
  const setup = { name: "under", addresses: ["10.77.0.1/24"] };
  const other = () => new NullDriver({ medium });
  if (coming === "attached") await stack.attach(world.driver, setup);
  else await stack.drivers.load(coming === "swapped in" ? other : world.driver, setup);
  if (coming === "swapped in") await stack.drivers.swap("under", world.driver);
  await traffic(stack, world);
  if (coming === "swapped out") await stack.drivers.swap("under", other);
  if (coming === "attached") await stack.detach("under");
  else await stack.drivers.unload("under");
  await world.close();
}

async function traffic(stack: Stack, world: World): Promise<void> {
  const udp = stack.listenDatagram({ hostname: "10.77.0.1", port: 0 });
  for (let i = 0; i < FRAMES; i++) {
    // Nobody answers for this address: the engine holds a packet until the interface goes.
    await udp.send(new Uint8Array(100), { hostname: "10.77.0.9", port: 9 }).catch(() => {});
  }
  await world.arrive();
  await new Promise((resolve) => setTimeout(resolve));
  udp.close();
}

/** Fails if anything is left behind by attaching and detaching. */
export async function leavesNothing(
  open: (arrivals: readonly Uint8Array[]) => World | Promise<World>,
): Promise<void> {
  const first = await open([makeFrame("ethernet", 60, 0)]);
  const { medium } = first.driver.caps;
  await using stack = await createStack();
  await stack.attach(first.driver, { name: "under" });
  await stack.detach("under");
  await first.close();
  for (let i = 0; i < WARM_ROUNDS; i++) await round(stack, open, medium, COMING[i % 4]);
  let before = holdings(stack);
  // What the host closes in its own time must not stand in the first count.
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = holdings(stack);
    if (now.descriptors < before.descriptors) before = now;
  }
  for (let i = 0; i < ROUNDS; i++) await round(stack, open, medium, COMING[i % 4]);
  let after = holdings(stack);
  for (let i = 0; i < LOOKS && after.descriptors > before.descriptors; i++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    after = holdings(stack);
  }
  assertEquals(after, before);
  assert(before.descriptors > 2 && before.interfaces === 1);
}
