/** When messages sent in a row go out together, and when they do not. */

import { assertEquals } from "@std/assert";
import { Gather } from "../../../runtime/loop_gather.ts";

function sent(count: number, bytes: number): Gather {
  const gather = new Gather();
  for (let i = 0; i < count; i++) gather.add(bytes);
  return gather;
}

Deno.test("gather: the first messages of a row do not wait", () => {
  assertEquals(new Gather().waits(), false);
  assertEquals(sent(2, 64).waits(), false);
  assertEquals(sent(3, 64).waits(), true);
});

Deno.test("gather: the turn waits as long as more is sent, and no longer", () => {
  const gather = sent(3, 64);
  assertEquals(gather.waits(), true);
  gather.add(64);
  assertEquals(gather.waits(), true);
  assertEquals(gather.waits(), false, "nothing was added");
  gather.add(64);
  assertEquals(gather.waits(), true, "the row goes on after the turn");
});

Deno.test("gather: a row waits for a bounded amount", () => {
  for (const bytes of [0, 64, 1400, 65507]) {
    const gather = sent(3, bytes);
    let waited = 0;
    while (gather.waits()) {
      gather.add(bytes);
      waited++;
    }
    assertEquals(waited, Math.max(0, Math.ceil(8192 / (bytes + 256)) - 3), `${bytes} bytes`);
  }
});

Deno.test("gather: who receives in between asks for an answer, and does not wait", () => {
  const gather = sent(5, 64);
  gather.reset();
  assertEquals(gather.waits(), false);
  gather.add(64);
  assertEquals(gather.waits(), false);
});
