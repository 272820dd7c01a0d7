/** Content made while it is sent, and numbers for people. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Content } from "../../../examples/start/content.ts";
import { bitRate, bytes, count, parseBytes, table } from "../../../examples/start/format.ts";

function all(content: Content): Uint8Array {
  const whole = new Uint8Array(content.length);
  for (let at = 0; at < content.length;) {
    const piece = content.next();
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

Deno.test("content: the same for the same seed, whatever the length and the blocks", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom(4, 64, 1024),
      (seed, one, other, block) => {
        const left = all(new Content(one, seed, block));
        const right = all(new Content(other, seed));
        const shared = Math.min(one, other);
        assertEquals(left.subarray(0, shared), right.subarray(0, shared));
      },
    ),
    { seed: 20260101 },
  );
});

Deno.test("content: another seed is another content, and it is not all alike", () => {
  const one = all(new Content(4096, 1));
  const two = all(new Content(4096, 2));
  const alike = one.filter((byte, i) => byte === two[i]).length;
  assert(alike < 64, `${alike} of 4096 bytes alike`);
  assert(new Set(one).size > 250);
});

Deno.test("content: ends at its length", () => {
  const content = new Content(10, 1, 8);
  assertEquals([content.next().length, content.next().length, content.next().length], [8, 2, 0]);
  assertEquals(content.done, 10);
});

Deno.test("numbers: bytes there and back", () => {
  const pairs: [string, number | undefined][] = [
    ["0", 0],
    ["1500", 1500],
    ["1500B", 1500],
    ["64MiB", 67108864],
    ["64 mib", 67108864],
    ["2k", 2000],
    ["2KB", 2000],
    ["0.5GiB", 536870912],
    ["", undefined],
    ["-1", undefined],
    ["1e9", undefined],
    ["12 parsecs", undefined],
  ];
  for (const [text, value] of pairs) assertEquals(parseBytes(text), value, text);
  assertEquals([0, 1023, 1024, 1536, 67108864, 123456789].map(bytes), [
    "0 B",
    "1023 B",
    "1 KiB",
    "1.50 KiB",
    "64 MiB",
    "118 MiB",
  ]);
});

Deno.test("numbers: rates and counts", () => {
  assertEquals(bitRate(125_000_000, 1), "1 Gbit/s");
  assertEquals(bitRate(1_000_000, 1), "8 Mbit/s");
  assertEquals(bitRate(1000, 2), "4 kbit/s");
  assertEquals(bitRate(1000, 0), "0 kbit/s");
  assertEquals(count(46349), "46,349");
});

Deno.test("tables: text to the left, numbers to the right", () => {
  const lines = table(["name", "frames"], [["eth0", 12345], ["lo", 7]]).split("\n");
  assertEquals(lines.filter((line) => /eth0|lo/.test(line)), [
    "│ eth0 │ 12,345 │",
    "│ lo   │      7 │",
  ]);
});
