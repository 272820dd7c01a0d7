/**
 * Calls the engine in any order, on interfaces that come and go, with mbufs that run out: whatever
 * is called, nothing may trap, and in the end everything has been given back.
 *
 * `FUZZ_SEED` repeats a run; `FUZZ_SCALE` makes it longer or shorter.
 */

import { assertEquals } from "@std/assert";
import { Caller } from "./calls.ts";
import { Random } from "./random.ts";

const SCALE = Number(Deno.env.get("FUZZ_SCALE") ?? 1);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_122);
const HOSTS = Math.max(1, Math.ceil(12 * SCALE));
const STEPS = 3000;

Deno.test(`fuzz: calls in any order leave nothing behind, seed ${SEED}`, () => {
  for (let i = 0; i < HOSTS; i++) {
    const seed = (SEED + i) >>> 0;
    const caller = new Caller(new Random(seed));
    try {
      for (let step = 0; step < STEPS; step++) caller.step();
      caller.finish();
      assertEquals(caller.host.mbufs(), 0, "mbufs left");
      assertEquals(caller.host.call.probe_so_used(), 0, "sockets left");
      assertEquals(caller.host.call.probe_reass_count(), 0, "datagrams left");
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_SCALE=0 repeats it`, { cause });
    }
  }
});
