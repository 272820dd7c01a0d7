/** Counters and fates. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fate } from "../../../assembly/abi/fate.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { freshEngine } from "../engine_instance.ts";

const SEED = 0x73746174;

Deno.test("counters add up as unsigned 64-bit numbers", () => {
  const step = fc.record({
    stat: fc.nat(Stat.COUNT - 1),
    n: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const e = freshEngine();
      const expected = new BigUint64Array(Stat.COUNT);
      for (const { stat, n } of steps) {
        e.setU64(e.heap, n);
        e.call.probe_stat_add(stat, e.heap);
        e.call.probe_stat_inc(stat);
        expected[stat] += n + 1n;
        e.call.probe_stat_get(stat, e.heap + 8);
        assertEquals(e.u64(e.heap + 8), expected[stat]);
      }
      const table = e.call.probe_stat_counters();
      assertEquals(Array.from(expected, (_, i) => e.u64(table + 8 * i)), [...expected]);
    }),
    { seed: SEED, numRuns: 50 },
  );
});

Deno.test("each frame has one fate: the first, or none", () => {
  const e = freshEngine();
  const { call } = e;
  const frames: { fates: Fate[]; counted: Fate }[] = [
    { fates: [Fate.UDP_DELIVERED], counted: Fate.UDP_DELIVERED },
    { fates: [Fate.IP_CHECKSUM, Fate.UDP_DELIVERED], counted: Fate.IP_CHECKSUM },
    { fates: [], counted: Fate.NONE },
    { fates: [Fate.HOST_QUEUE_FULL], counted: Fate.HOST_QUEUE_FULL },
    { fates: [Fate.UDP_DELIVERED], counted: Fate.UDP_DELIVERED },
  ];
  const expected = new Array(256).fill(0n);
  for (const { fates, counted } of frames) {
    call.probe_stat_clear_fate();
    assertEquals(call.probe_stat_last_fate(), Fate.NONE);
    for (const fate of fates) call.probe_stat_fate(fate);
    assertEquals(call.probe_stat_last_fate(), counted);
    assertEquals(call.probe_stat_end_frame(), counted);
    expected[counted]++;
  }
  const table = call.probe_stat_fates();
  assertEquals(expected.map((_, i) => e.u64(table + 8 * i)), expected);
});
