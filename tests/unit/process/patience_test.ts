import { assert, assertEquals } from "@std/assert";
import { Patience } from "../../../runtime/process/patience.ts";

/** A clock that moves by a microsecond with each look at it. */
function clock(): () => number {
  let now_us = 0;
  return () => now_us++ / 1000;
}

/** Waits in vain; answers how often it looked. */
function inVain(patience: Patience): number {
  patience.begin();
  let looks = 0;
  while (patience.lasts()) looks++;
  patience.end();
  return looks;
}

Deno.test("patience: looks for as long as it was told, and not at all for nothing", () => {
  assertEquals(inVain(new Patience(10, clock())), 9);
  assertEquals(inVain(new Patience(0, clock())), 0);
});

Deno.test("patience: ends when looks find nothing, tries now and then, and comes back", () => {
  const patience = new Patience(10, clock());
  const looked = (times: number) => Array.from({ length: times }, () => inVain(patience) > 0);
  assertEquals(looked(8), new Array(8).fill(true));
  const seldom = [...new Array(15).fill(false), true];
  assertEquals(looked(32), [...seldom, ...seldom]);
  // The next one that is made finds something.
  assertEquals(looked(15), new Array(15).fill(false));
  patience.begin();
  assertEquals(patience.lasts(), true);
  patience.end();
  assertEquals(looked(3), [true, true, false]);
});

Deno.test("patience: lasts as long as a third of the looks find something", () => {
  const patience = new Patience(10, clock());
  for (let i = 0; i < 300; i++) {
    if (i % 3 === 0) {
      patience.begin();
      assertEquals(patience.lasts(), true);
      patience.end();
    } else assert(inVain(patience) > 0);
  }
});
