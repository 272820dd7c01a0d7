import { assertEquals } from "@std/assert";
import { Waker } from "../../../drivers/waker.ts";

/** A waker whose rounds the test ends, and what it has done. */
function played() {
  let wakes = 0;
  const ends: (() => void)[] = [];
  const waker = new Waker(() => wakes++, (fn) => {
    ends.push(fn);
    return () => void ends.splice(ends.indexOf(fn), 1);
  });
  return { waker, wakes: () => wakes, pending: () => ends.length, end: () => ends.shift()!() };
}

Deno.test("waker: the first frame wakes at once, those after it together", () => {
  const { waker, wakes, pending, end } = played();
  waker.arrived(false);
  assertEquals([wakes(), pending()], [1, 1]);
  for (let i = 0; i < 10; i++) waker.arrived(false);
  assertEquals(wakes(), 1);
  end();
  assertEquals([wakes(), pending()], [2, 1]);
  waker.arrived(false);
  assertEquals(wakes(), 2);
  end();
  assertEquals(wakes(), 3);
  end();
  assertEquals([wakes(), pending()], [3, 0]);
  waker.arrived(false);
  assertEquals([wakes(), pending()], [4, 1]);
});

Deno.test("waker: an urgent frame wakes at once, and nothing is left to wake for", () => {
  const { waker, wakes, pending, end } = played();
  waker.arrived(false);
  waker.arrived(false);
  waker.arrived(true);
  assertEquals([wakes(), pending()], [2, 1]);
  end();
  assertEquals([wakes(), pending()], [2, 0]);
});

Deno.test("waker: wakes nobody once stopped, and leaves nothing pending", () => {
  const { waker, wakes, pending } = played();
  waker.arrived(false);
  waker.arrived(false);
  waker.stop();
  assertEquals([wakes(), pending()], [1, 0]);
});

Deno.test("waker: wakes for each frame where the host has no end of a round", () => {
  let wakes = 0;
  const host = globalThis as { setImmediate?: unknown };
  const { setImmediate } = host;
  try {
    host.setImmediate = undefined;
    const bare = new Waker(() => wakes++);
    for (let i = 0; i < 5; i++) bare.arrived(false);
    assertEquals(wakes, 5);
  } finally {
    host.setImmediate = setImmediate;
  }
});
