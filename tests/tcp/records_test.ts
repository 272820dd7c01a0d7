/** MSG_EOR: no segment holds parts of two records. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

const SEED = 20231117;
const NODELAY: [number, number, number][] = [[IpProto.TCP, TcpOpt.NODELAY, 1]];

/** A write of so many bytes, which ends a record or does not. */
const writes = fc.array(
  fc.record({ len: fc.integer({ min: 1, max: 2500 }), ends: fc.boolean() }),
  { minLength: 1, maxLength: 12 },
);

Deno.test("MSG_EOR: what waits leaves record by record, each as full as can be", async () => {
  const property = fc.asyncProperty(writes, async (list) => {
    const c = await established({ mss: 1000, options: NODELAY, win: 1000 });
    c.write(pattern(1000));
    c.takeAll();
    let end = 1001;
    let start = end;
    const want: [number, number][] = [];
    list.forEach(({ len, ends }, i) => {
      c.write(pattern(len), ends ? Msg.EOR : 0);
      end += len;
      if (!ends && i < list.length - 1) return;
      for (; start < end; start += want.at(-1)![1]) {
        want.push([start, Math.min(1000, end - start)]);
      }
    });
    const got: [number, number][] = [];
    for (let ack = 1001; ack < end; ack = got.at(-1)![0] + got.at(-1)![1]) {
      c.send({ ack, win: 60_000 });
      got.push(...c.takeAll().map((s): [number, number] => [s.seq, s.data.length]));
    }
    assertEquals(got, want);
    c.end();
  });
  await fc.assert(property, { seed: SEED, numRuns: 40 });
});

Deno.test("MSG_EOR: a record that ends in a short segment does not wait for Nagle", async () => {
  const c = await established({ mss: 1000, win: 60_000 });
  c.write("a");
  assertEquals(c.takeAll().map((s) => s.data.length), [1]);
  c.write(pattern(10), Msg.EOR);
  assertEquals(c.takeAll(), []); // it could still be the last
  c.write(pattern(20));
  assertEquals(c.takeAll().map((s) => s.data.length), [10]);
  c.end();
});

Deno.test("MSG_EOR: a burst of full segments ends where the record does", async () => {
  const settings = { initial_cwnd_segments: 30 };
  const c = await established({ mss: 1000, options: NODELAY, win: 1000, settings });
  c.write(pattern(1000));
  c.takeAll();
  for (let i = 0; i < 3; i++) c.write(pattern(4500), Msg.EOR);
  c.send({ ack: 1001, win: 60_000 });
  const sizes = c.takeAll().map((s) => s.data.length);
  assertEquals(sizes, [1, 2, 3].flatMap(() => [1000, 1000, 1000, 1000, 500]));
  c.end();
});

Deno.test("MSG_EOR: records are not joined when they are sent again", async () => {
  const c = await established({ mss: 1000, options: NODELAY, win: 60_000 });
  for (const flags of [0, Msg.EOR, 0, 0, Msg.EOR]) c.write(pattern(100), flags);
  c.takeAll();
  const again: [number, number][] = [];
  for (let una = 1; una < 501; una = again.at(-1)![0] + again.at(-1)![1]) {
    c.host.untilSent(100_000_000);
    again.push(...c.takeAll().map((s): [number, number] => [s.seq, s.data.length]));
    c.send({ ack: again.at(-1)![0] + again.at(-1)![1], win: 60_000 });
  }
  assertEquals(again.slice(-2), [[1, 200], [201, 300]]);
  c.end();
});
