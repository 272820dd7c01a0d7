/** Sequence numbers: RFC 9293 3.4, against plain integers that do not wrap. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { freshEngine } from "../unit/engine_instance.ts";

const { call } = freshEngine();
const number = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2, 2 ** 32 - 1),
);
const distance = fc.oneof(
  fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
  fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31) + 1),
);

Deno.test("property: RFC 9293 3.4: numbers less than 2^31 apart compare like integers", () => {
  fc.assert(
    fc.property(number, distance, (a, d) => {
      const b = (a + d) % 2 ** 32 >>> 0;
      assertEquals(call.probe_seq_lt(a, b) !== 0, d > 0);
      assertEquals(call.probe_seq_le(a, b) !== 0, d >= 0);
      assertEquals(call.probe_seq_gt(a, b) !== 0, d < 0);
      assertEquals(call.probe_seq_ge(a, b) !== 0, d <= 0);
      assertEquals(call.probe_seq_max(a, b) >>> 0, d > 0 ? b : a);
      assertEquals(call.probe_seq_min(a, b) >>> 0, d < 0 ? b : a);
    }),
    { numRuns: 2000, seed: 793 },
  );
});
