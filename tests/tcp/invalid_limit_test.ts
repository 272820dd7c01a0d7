/** The limit of answers to invalid segments, for each connection: RFC 9293 3.10.7.4, RFC 5961 7. */

import { assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

const LIMIT_MS = 500;

function limited(shake: Shake = {}): Promise<Conn> {
  return established({ ...shake, host: { tcp: { invalid_ratelimit_ms: LIMIT_MS } } });
}

/** How many ACKs ten of these segments bring. */
function answers(c: Conn, say: Parameters<Conn["send"]>[0]): number {
  const nxt = c.nxt;
  for (let i = 0; i < 10; i++) {
    c.send(say);
    c.nxt = nxt;
  }
  return c.takeAll().length;
}

Deno.test(
  "RFC 9293 3.10.7.4: pure ACKs outside of the window are answered once in 500 ms",
  async () => {
    const c = await limited();
    assertEquals(answers(c, { seq: 100_000 }), 1);
    assertEquals(c.stat(Stat.TCP_INVALID_LIMITED), 9);
    c.host.advance(LIMIT_MS * 1000 - 1);
    assertEquals(answers(c, { seq: 0 }), 0);
    c.host.advance(1);
    assertEquals(answers(c, { seq: 0 }), 1);
    c.end();
  },
);

Deno.test("RFC 7323 5.3: what PAWS refuses is limited the same way", async () => {
  const c = await limited({ ts: true });
  assertEquals(answers(c, { ts: [1, 0] }), 1);
  assertEquals(answers(c, { seq: 100_000 }), 0, "it is one limit");
  c.end();
});

Deno.test("RFC 5961 3.2, 4.2, 5.2: challenge ACKs are, too", async () => {
  for (const say of [{ flags: "R", seq: 2 }, { flags: "S", seq: 500 }, { ack: 70_000 }]) {
    const c = await limited();
    assertEquals(answers(c, say), 1);
    assertEquals(c.stat(Stat.TCP_CHALLENGE), 1);
    c.end();
  }
});

Deno.test("RFC 2883: segments with data are always answered", async () => {
  const c = await limited({ sackOk: true });
  c.send({ data: pattern(100) });
  c.host.advance(40_000);
  c.takeAll();
  assertEquals(answers(c, { seq: 1, data: pattern(100) }), 10);
  assertEquals(answers(c, { seq: 100_000, data: "x" }), 10);
  assertEquals(answers(c, { seq: 1, flags: "FA" }), 10);
  assertEquals(c.stat(Stat.TCP_INVALID_LIMITED), 0);
  c.end();
});

Deno.test("without the setting everything is answered", async () => {
  const c = await established();
  assertEquals(answers(c, { seq: 100_000 }), 10);
  c.end();
});
