/** Data coming in: RFC 9293 3.10.7.4 seventh step, RFC 5681 4.2; reassembly and its limits. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

Deno.test("RFC 9293 3.4: data in order, over the wrap of sequence numbers", async () => {
  const c = await established();
  for (let at = 0; at < 3000; at += 100) c.send({ data: pattern(100, at) });
  assertEquals(c.tryRead().data, pattern(3000));
  assertEquals(c.stat(Stat.TCP_BYTES_IN), 3000);
  c.end();
});

// RFC 5681 4.2-4, 4.2-5, SHLD-31
Deno.test("RFC 5681 4.2: what is out of order is kept and acknowledged, each segment", async () => {
  const c = await established();
  c.send({ seq: 4, data: "def" }, { seq: 10, data: "jkl" }, { seq: 7, data: "ghi" });
  for (let i = 0; i < 3; i++) c.expect({ flags: "A", ack: 1, len: 0 });
  c.silent();
  assertEquals(c.tryRead().n, -11);
  c.send({ seq: 1, data: "abc" });
  c.expect({ flags: "A", ack: 13 });
  assertEquals(c.read(), "abcdefghijkl");
  assertEquals(c.tcb("segq"), 0);
  c.end();
});

// RFC 5681 3.2-2, 4.2-6
Deno.test("RFC 5681 3.2: a segment that fills part of a gap is acknowledged at once", async () => {
  const c = await established();
  c.send({ seq: 7, data: "ghi" });
  c.expect({ ack: 1 });
  c.send({ seq: 1, data: "abc" });
  c.expect({ ack: 4 });
  assertEquals(c.read(), "abc");
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: duplicates are acknowledged and dropped", async () => {
  const c = await established();
  c.send({ data: "abc" });
  c.host.advance(40_000);
  c.expect({ ack: 4 });
  c.send({ seq: 1, data: "abc" });
  assertEquals(c.fate(), Fate.TCP_OUT_OF_WINDOW);
  c.expect({ flags: "A", ack: 4 });
  c.send({ seq: 2, data: "bc" });
  c.expect({ ack: 4 });
  assertEquals(c.read(), "abc");
  assertEquals(c.stat(Stat.TCP_DUPLICATE), 2);
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: the new part of a segment is taken", async () => {
  const c = await established();
  c.send({ data: "abc" });
  c.send({ seq: 2, data: "BCdef" });
  c.expect({ ack: 7 });
  c.send({ seq: 1, data: "......ghi" });
  c.expect({ ack: 10 });
  assertEquals(c.read(), "abcdefghi");
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: overlaps in the queue: what came first stays", async () => {
  const c = await established();
  c.send({ seq: 5, data: "5678" });
  c.send({ seq: 3, data: "34xx" }); // reaches into it from the left
  c.send({ seq: 7, data: "xx9a" }); // and from the right
  c.send({ seq: 6, data: "xx" }); // within
  c.send({ seq: 20, data: "kl" });
  c.send({ seq: 18, data: "ijxxmn" }); // around a whole one
  c.send({ seq: 1, data: "12" });
  assertEquals(c.takeAll().at(-1)?.ack, 11);
  c.send({ seq: 11, data: "bcdefgh" });
  assertEquals(c.read(), "123456789abcdefghijklmn");
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: FIN out of order waits for the data before it", async () => {
  const c = await established();
  c.send({ flags: "FA", seq: 4, data: "def" });
  c.expect({ ack: 1 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ seq: 1, data: "abc" });
  c.expect({ ack: 8 });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.read(), "abcdef");
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("a lone FIN out of order, many times, is kept once", async () => {
  const c = await established();
  for (let i = 0; i < 20; i++) {
    c.send({ flags: "FA", seq: 4 });
    c.expect({ ack: 1 });
  }
  assertEquals(c.tcb("segq_count"), 1);
  c.send({ seq: 1, data: "abc" });
  c.expect({ ack: 5 });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: after the peer's FIN nothing more is taken", async () => {
  const c = await established();
  c.send({ flags: "FA", data: "abc" });
  c.expect({ ack: 5 });
  c.send({ seq: 5, data: "more" });
  assertEquals(c.read(), "abc");
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("reassembly: what is held is bounded, and the rest of it recovers", async () => {
  const c = await established({ sackOk: true, rcvbuf: 70_000 });
  for (let i = 0; i < 1100; i++) c.send({ seq: 3 + 2 * i, data: "x" });
  assertEquals(c.host.inspect.fate(Fate.TCP_REASSEMBLY_LIMIT), 76);
  assertEquals(c.tcb("segq_count"), 1024);
  c.send({ seq: 2 + 2 * 1024, data: "y" }); // makes no new run
  assertEquals(c.host.inspect.fate(Fate.TCP_REASSEMBLY_LIMIT), 76);
  c.host.wire.length = 0;
  c.send({ seq: 1, data: pattern(1460) });
  c.send({ seq: 1461, data: pattern(1460) });
  assertEquals(c.takeAll().at(-1)?.ack, 2921);
  assertEquals(c.tcb("segq_count"), 0);
  assertEquals(c.tryRead().n, 2920);
  c.end();
});

Deno.test("reassembly: small payloads do not pin frames", async () => {
  const c = await established({ rcvbuf: 65535 });
  const mbufs = () => c.host.inspect.mbufs() - c.host.lent();
  const before = mbufs();
  for (let i = 0; i < 100; i++) c.send({ seq: 2 + 200 * i, data: pattern(100) });
  const at = c.host.engine.scratch + 3072;
  c.host.call("pool_stats", at);
  assertEquals(mbufs() - before, 100);
  assertEquals(c.host.inspect.u32(at + 16) - c.host.lent(), 0, "clusters");
  c.end();
});

Deno.test(
  "reassembly: tiny segments side by side share mbufs, in whatever order they come",
  async () => {
    for (const order of [(i: number) => i, (i: number) => 999 - i, (i: number) => (i * 7) % 1000]) {
      const c = await established({ sackOk: true, rcvbuf: 65535 });
      const before = c.host.inspect.mbufs();
      const data = pattern(1001);
      for (let i = 0; i < 1000; i++) {
        const at = order(i);
        c.send({ seq: 2 + at, data: data.subarray(1 + at, 2 + at) });
      }
      assertEquals(c.takeAll().at(-1)?.sack, [[2, 1002]]);
      assertEquals(c.tcb("segq_count"), 1);
      assert(c.host.inspect.mbufs() - before < 200, `${c.host.inspect.mbufs() - before} mbufs`);
      c.send({ seq: 1, data: data.subarray(0, 1) });
      assertEquals(c.tryRead().data, data);
      c.end();
    }
  },
);

Deno.test("reassembly: storage is bounded by the buffer, however small the segments", async () => {
  const c = await established({ sackOk: true, rcvbuf: 65535 });
  for (let i = 0; i < 200; i++) c.send({ seq: 2 + 300 * i, data: pattern(200) });
  assert(c.host.inspect.fate(Fate.TCP_REASSEMBLY_LIMIT) > 0);
  assert(c.tcb("segq_mbcnt") <= 4 * 65535);
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: what a peer says to lie beyond its FIN is not taken", async () => {
  const c = await established({ sackOk: true });
  c.send({ flags: "FA", seq: 4, data: "def" }); // the FIN is number 7
  c.send({ seq: 8, data: "xyz" }); // beyond it, apart
  c.send({ seq: 5, data: "efgh" }); // and across it
  c.send({ seq: 7, data: "gh" });
  c.takeAll();
  c.send({ seq: 1, data: "abc" });
  c.expect({ ack: 8, sack: null });
  assertEquals(c.read(), "abcdef");
  assertEquals(c.read(), "");
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.tcb("segq_count"), 0);
  c.end();
});

Deno.test("reassembly: short of mbufs, only what comes next in order is kept", async () => {
  const memory = { mbufs_small: 64, mbufs_cluster: 64 };
  const c = await established({ host: { memory }, rcvbuf: 262144 });
  for (let i = 1; i < 80; i++) c.send({ seq: 1 + 1000 * i, data: pattern(1000, 1000 * i) });
  assert(c.host.inspect.fate(Fate.TCP_REASSEMBLY_LIMIT) > 0);
  c.host.wire.length = 0;
  for (let i = 0; i < 80; i++) {
    c.send({ seq: 1 + 1000 * i, data: pattern(1000, 1000 * i) });
    c.tryRead();
  }
  c.host.advance(40_000);
  assertEquals(c.takeAll().at(-1)?.ack, 80_001);
  c.end();
});

Deno.test("property: any cutting and order of a stream gives the stream", async () => {
  const total = 600;
  const piece = fc.record({ start: fc.nat(total - 1), length: fc.integer({ min: 1, max: 120 }) });
  const pieces = fc.array(piece, { maxLength: 60 });
  const property = fc.asyncProperty(
    pieces,
    fc.boolean(),
    fc.nat(5),
    async (list, sackOk, reads) => {
      const c = await established({ sackOk });
      const stream = pattern(total);
      // the reference: which bytes the peer has sent, up to which there is no gap
      const have = new Uint8Array(total);
      let read = 0;
      const check = () => {
        const edge = have.indexOf(0);
        const next = edge < 0 ? total : edge;
        const acks = c.takeAll();
        if (acks.length > 0) assertEquals(acks.at(-1)?.ack, next + 1);
        return next;
      };
      for (const [i, { start, length }] of list.entries()) {
        const end = Math.min(start + length, total);
        c.send({ seq: 1 + start, data: stream.subarray(start, end) });
        have.fill(1, start, end);
        const next = check();
        if (reads > 0 && i % reads === 0 && next > read) {
          assertEquals(c.tryRead().data, stream.subarray(read, next));
          read = next;
        }
      }
      c.send({ flags: "FA", seq: 1, data: stream });
      assertEquals(c.takeAll().at(-1)?.ack, total + 2);
      assertEquals(c.tryRead().n, total - read);
      assertEquals(c.state(), TcpState.CLOSE_WAIT);
      c.end();
    },
  );
  await fc.assert(property, { numRuns: 150, seed: 9293 });
});
