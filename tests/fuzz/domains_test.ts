/**
 * Calls at random on local sockets, packet sockets, routing sockets and those of the Internet, with
 * snapshots in between: nothing traps, every failure is an error of the call, and in the end
 * everything has been given back.
 *
 * `FUZZ_SEED` repeats a run; `FUZZ_SCALE` makes it longer or shorter.
 */

import { assert, assertEquals } from "@std/assert";
import { Station } from "../unit/protocol/station.ts";
import { CALLS, Program } from "./domains.ts";
import { Random } from "./random.ts";

const SCALE = Number(Deno.env.get("FUZZ_SCALE") ?? 1);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_123);
const STATIONS = Math.max(1, Math.ceil(50 * SCALE));
const STEPS = 3000;
/** Once in so many steps the stack moves into another one. */
const MOVES = 500;

function mbufs({ stack }: Station): number {
  const { small, cluster } = stack.netstat().mbufs;
  return small.used + cluster.used;
}

/** One stack after the other, each made of the one before; answers what worked. */
async function run(seed: number): Promise<Map<string, number>> {
  const random = new Random(seed);
  let station = await Station.create();
  const before = mbufs(station);
  const program = new Program(station, random);
  try {
    for (let step = 0; step < STEPS; step++) {
      await program.step();
      if (!random.oneIn(MOVES)) continue;
      const snapshot = station.stack.snapshot();
      const next = await Station.create({ snapshot });
      await station.stack.close();
      station = next;
      program.move(station);
    }
    await program.end();
    // what a connection of the Internet says last, and how long it lingers
    for (let minute = 0; minute < 20; minute++) await station.step(60_000_000);
    assertEquals(station.stack.netstat().sockets, [], "sockets left");
    assertEquals(mbufs(station), before, "mbufs left");
  } finally {
    await station.stack.close();
  }
  return program.worked;
}

Deno.test(`fuzz: calls on sockets of every domain leave nothing behind, seed ${SEED}`, async () => {
  const worked = new Map<string, number>();
  for (let i = 0; i < STATIONS; i++) {
    const seed = (SEED + i) >>> 0;
    try {
      for (const [name, count] of await run(seed)) {
        worked.set(name, (worked.get(name) ?? 0) + count);
      }
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_SCALE=0 repeats it`, { cause });
    }
  }
  const never = [...new Set(CALLS)].filter((name) => !worked.has(name));
  assert(SCALE < 1 || never.length === 0, `never worked: ${never}`);
});
