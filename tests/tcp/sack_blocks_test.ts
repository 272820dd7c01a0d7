/** SACK as a receiver: RFC 2018 3 and 4; RFC 6691 for the size of segments with options. */

import { assert, assertEquals } from "@std/assert";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

Deno.test("RFC 2018 4: the block that changed last first, then as they were reported", async () => {
  const c = await established({ sackOk: true });
  const blocks = (...sack: [number, number][]) => c.expect({ flags: "A", ack: 1, sack });
  c.send({ seq: 11, data: "x" });
  blocks([11, 12]);
  c.send({ seq: 31, data: "x" });
  blocks([31, 32], [11, 12]);
  c.send({ seq: 21, data: "x" });
  blocks([21, 22], [31, 32], [11, 12]);
  c.send({ seq: 12, data: "xy" });
  blocks([11, 14], [21, 22], [31, 32]);
  c.send({ seq: 30, data: "x" });
  blocks([30, 32], [11, 14], [21, 22]);
  c.send({ seq: 14, data: pattern(7) });
  blocks([11, 22], [30, 32]);
  c.send({ seq: 41, data: "x" });
  blocks([41, 42], [11, 22], [30, 32]);
  c.send({ seq: 1, data: pattern(10) }); // the order outlives an advance of the ACK
  c.expect({ flags: "A", ack: 22, sack: [[41, 42], [30, 32]] });
  c.end();
});

Deno.test(
  "RFC 2018 4: blocks that fell out of memory are reported where there is room",
  async () => {
    const c = await established({ sackOk: true });
    for (let i = 1; i <= 8; i++) c.send({ seq: 10 * i, data: "x" });
    c.takeAll();
    for (const at of [51, 61, 71]) c.send({ seq: at, data: pattern(9) });
    c.take();
    c.take();
    // 30 and 40 are remembered, 10 and 20 are not
    c.expect({ sack: [[50, 81], [40, 41], [30, 31], [10, 11]] });
    c.end();
  },
);

Deno.test("RFC 2018 3: four blocks fit, three beside timestamps", async () => {
  for (const ts of [false, true]) {
    const c = await established({ sackOk: true, ts });
    for (let i = 1; i <= 6; i++) c.send({ seq: 10 * i, data: "x" });
    const last = c.takeAll().at(-1);
    const want = [[60, 61], [50, 51], [40, 41], [30, 31]];
    assertEquals(last?.sack, (ts ? want.slice(0, 3) : want) as [number, number][]);
    c.end();
  }
});

Deno.test("RFC 2018 4: blocks go as the gaps fill", async () => {
  const c = await established({ sackOk: true });
  c.send({ seq: 11, data: "x" }, { seq: 21, data: "x" });
  c.takeAll();
  c.send({ seq: 1, data: pattern(10) });
  c.expect({ ack: 12, sack: [[21, 22]] });
  c.send({ seq: 12, data: pattern(9) });
  c.expect({ ack: 22, sack: null });
  c.send({ data: "z" });
  c.host.advance(40_000);
  c.expect({ ack: 23, sack: null });
  c.end();
});

Deno.test("RFC 2018 2: no blocks unless the peer permits them", async () => {
  const c = await established({ sackOk: false });
  c.send({ seq: 11, data: "x" });
  c.expect({ ack: 1, sack: null });
  c.end();
});

Deno.test("RFC 2018 4: a FIN out of order takes no block of its own", async () => {
  const c = await established({ sackOk: true });
  c.send({ flags: "FA", seq: 11 });
  c.expect({ ack: 1, sack: null });
  c.send({ seq: 9, data: "xy" });
  c.expect({ ack: 1, sack: [[9, 11]] });
  c.end();
});

Deno.test("RFC 6691 4: data with blocks is no larger than the MTU", async () => {
  for (const ts of [false, true]) {
    const c = await established({ sackOk: true, ts });
    for (let i = 1; i <= 6; i++) c.send({ seq: 10 * i, data: "x" });
    c.takeAll();
    c.write(pattern(8000));
    const sent = c.takeAll();
    assert(sent.length >= 5, "data goes although the queue holds gaps");
    for (const s of sent.slice(0, 5)) {
      assert(s.sack !== undefined);
      const options = 4 + 8 * s.sack.length + (ts ? 12 : 0);
      assertEquals(s.data.length, 1460 - options);
    }
    c.end();
  }
});

Deno.test("RFC 9293 3.10.7.4: bytes beyond a FIN are neither kept nor reported", async () => {
  const c = await established({ sackOk: true });
  c.send({ seq: 2, data: "x" });
  c.expect({ flags: "A", ack: 1, sack: [[2, 3]] });
  c.send({ flags: "FA", seq: 1 });
  c.expect({ flags: "A", ack: 2, sack: null });
  assertEquals(c.tcb("segq_count"), 0);
  c.end();
});
