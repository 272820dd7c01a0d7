/**
 * Attaches and detaches a driver again and again, with traffic on it, and counts what the process
 * and the engine hold before and after. Runs in a process of its own: others would disturb it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { createStack, type Stack } from "../../mod.ts";
import { makeFrame, type World } from "./case_kit.ts";

const WARM_ROUNDS = 3;
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
  /** Interfaces of the stack. */
  readonly interfaces: number;
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
  const { mbufs, interfaces } = stack.netstat();
  return {
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    mappings: maps.filter((line) => /socket:|zero|anon_inode|\(deleted\)/.test(line)).length,
    workers: threadNames().filter((name) => WORKER_THREAD.test(name)).length,
    mbufs: mbufs.small.used + mbufs.cluster.used,
    interfaces: interfaces.length,
  };
}

/** Attaches the driver of a fresh world, sends and receives, detaches it. */
async function round(
  stack: Stack,
  open: (arrivals: readonly Uint8Array[]) => World | Promise<World>,
  medium: "ethernet" | "ip",
): Promise<void> {
  const arrivals = Array.from({ length: FRAMES }, (_, i) => makeFrame(medium, 60 + i, i));
  const world = await open(arrivals);
  await stack.attach(world.driver, { name: "under", addresses: ["10.77.0.1/24"] });
  const udp = stack.listenDatagram({ hostname: "10.77.0.1", port: 0 });
  for (let i = 0; i < FRAMES; i++) {
    // Nobody answers for this address: the engine holds a packet until the interface goes.
    await udp.send(new Uint8Array(100), { hostname: "10.77.0.9", port: 9 }).catch(() => {});
  }
  await world.arrive();
  await new Promise((resolve) => setTimeout(resolve));
  udp.close();
  await stack.detach("under");
  await world.close();
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
  for (let i = 0; i < WARM_ROUNDS; i++) await round(stack, open, medium);
  let before = holdings(stack);
  // What the host closes in its own time must not stand in the first count.
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = holdings(stack);
    if (now.descriptors < before.descriptors) before = now;
  }
  for (let i = 0; i < ROUNDS; i++) await round(stack, open, medium);
  let after = holdings(stack);
  for (let i = 0; i < LOOKS && after.descriptors > before.descriptors; i++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    after = holdings(stack);
  }
  assertEquals(after, before);
  assert(before.descriptors > 2 && before.interfaces === 1);
}
