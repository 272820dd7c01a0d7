/** Numbers given out, the lowest free one first. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LowestFree } from "../../../runtime/socket/lowest_free.ts";

const SEED = 0x66726565;

Deno.test("always the lowest free number, as a list that is searched says", () => {
  const action = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(1000));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300, size: "max" }), (actions) => {
      const free = new LowestFree(3);
      const out = new Set<number>();
      for (const action of actions) {
        if (action < 0 || out.size === 0) {
          let lowest = 3;
          while (out.has(lowest)) lowest++;
          assertEquals(free.take(), lowest);
          out.add(lowest);
        } else {
          const number = [...out][action % out.size];
          free.giveBack(number);
          out.delete(number);
        }
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("numbers can be claimed in ascending order, and what lies between is free", () => {
  const free = new LowestFree(3);
  for (const number of [4, 5, 9]) free.claim(number);
  assertEquals([1, 2, 3, 4, 5].map(() => free.take()), [3, 6, 7, 8, 10]);
  for (const number of [10, 0, -1, NaN, 2 ** 24]) {
    assertThrows(() => free.claim(number), RangeError, String(number));
  }
});
