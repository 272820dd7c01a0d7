/** Timestamps: RFC 7323 3 to 5 and 7.1. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Host, pattern } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const SECOND = 1_000_000;
const DAY = 24 * 3600 * SECOND;

Deno.test("RFC 7323 3.2: every segment carries a timestamp; RST may go without", async () => {
  const c = await established({ ts: true });
  c.write(pattern(3000));
  const sent = c.takeAll();
  assertEquals(sent.map((s) => s.data.length), [1448, 1448]);
  assert(sent.every((s) => s.ts !== undefined));
  c.send({});
  c.expect({ len: 104, ts: true });
  c.send({ data: "x" });
  c.shutdown(1);
  c.expect({ flags: "FA", ts: true });
  c.end();
});

Deno.test("RFC 7323 5.4: our clock ticks in milliseconds", async () => {
  const c = await established({ ts: true });
  const stamps: number[] = [];
  for (const wait of [0, 1000, 10_000, 1_000_000]) {
    c.host.advance(wait);
    c.write("x");
    stamps.push(c.expect({ len: 1 }).ts![0]);
    c.send({});
  }
  assertEquals(stamps.map((s) => (s - stamps[0]) >>> 0), [0, 1, 11, 1011]);
  c.end();
});

Deno.test("RFC 7323 7.1: each connection has a clock of its own", async () => {
  const host = await Host.boot();
  const offsets = new Set<number>();
  for (let i = 0; i < 8; i++) {
    const c = await connecting({ port: 1000 + i }, host);
    offsets.add(c.tcb("ts_offset"));
    host.close(c.so);
  }
  assertEquals(offsets.size, 8);
  host.end();
});

Deno.test("RFC 7323 4.3: TSecr is that of the segment at the left edge", async () => {
  const c = await established({ ts: true });
  c.send({ data: "abc", ts: [9000, 0] });
  c.send({ data: "def", ts: [9005, 0] });
  c.expect({ ack: 7, tsEcr: 9000 }); // the first that is not acknowledged yet
  c.send({ seq: 10, data: "jkl", ts: [9010, 0] }); // out of order: not the left edge
  c.expect({ ack: 7, tsEcr: 9000 });
  c.send({ seq: 7, data: "ghi", ts: [9007, 0] }); // fills the gap
  c.expect({ ack: 13, tsEcr: 9007 });
  c.end();
});

Deno.test("RFC 7323 5.3 R1: an older timestamp is acknowledged and dropped", async () => {
  const c = await established({ ts: true });
  c.send({ data: "abc", ts: [10_000, 0] });
  c.host.advance(40_000);
  c.expect({ ack: 4 });
  for (const ts of [9999, 1, (10_000 + 2 ** 31 + 1) >>> 0]) {
    c.send({ seq: 4, data: "old", ts: [ts, 0] });
    assertEquals(c.fate(), Fate.TCP_PAWS);
    c.expect({ flags: "A", ack: 4, tsEcr: 10_000 });
  }
  c.send({ seq: 4, data: "def", ts: [10_000, 0] }); // equal is not older
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  assertEquals(c.read(), "abcdef");
  c.end();
});

Deno.test("RFC 7323 5.3: timestamps wrap", async () => {
  const c = await established({ ts: true });
  for (const ts of [2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 0, 1, 1000]) {
    c.send({ data: "x", ts: [ts, 0] });
    assertEquals(c.fate(), Fate.TCP_ACCEPTED, `${ts}`);
  }
  assertEquals(c.read(), "xxxxxx");
  c.end();
});

Deno.test("RFC 7323 5.3: RST is taken whatever its timestamp", async () => {
  const c = await established({ ts: true });
  c.send({ data: "x", ts: [10_000, 0] });
  c.send({ flags: "R", seq: 2, ts: [1, 0] });
  assertEquals(c.state(), TcpState.CLOSED);
  c.end();
  const d = await established({ ts: true });
  d.send({ flags: "R", seq: 1, noTs: true });
  assertEquals(d.state(), TcpState.CLOSED);
  d.end();
});

Deno.test("RFC 7323 3.2: a segment without the agreed timestamp is dropped", async () => {
  const c = await established({ ts: true });
  c.send({ data: "abc", noTs: true });
  assertEquals(c.fate(), Fate.TCP_TIMESTAMP_MISSING);
  c.silent();
  assertEquals(c.tcb("rcv_nxt"), (c.tcb("irs") + 1) >>> 0);
  c.end();
});

Deno.test("RFC 7323 3.2: timestamps that were not agreed on are ignored", async () => {
  const c = await established();
  c.send({ data: "abc", ts: [5, 0] });
  c.send({ data: "def", ts: [4, 0] });
  c.expect({ ack: 7, ts: false });
  assertEquals(c.read(), "abcdef");
  c.end();
});

Deno.test("RFC 7323 5.5: after 24 days of silence the saved timestamp means nothing", async () => {
  const c = await established({ ts: true });
  c.send({ data: "x", ts: [2 ** 31 + 5, 0] });
  c.host.advance(DAY);
  c.takeAll();
  c.send({ data: "y", ts: [5, 0] });
  assertEquals(c.fate(), Fate.TCP_PAWS);
  c.takeAll();
  c.host.advance(24 * DAY);
  c.send({ seq: 2, data: "y", ts: [5, 0] });
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  assertEquals(c.read(), "xy");
  c.end();
});

Deno.test("RFC 7323 4.3: an old duplicate does not move the saved timestamp forward", async () => {
  const c = await established({ ts: true });
  c.send({ data: "abc", ts: [9000, 0] });
  c.host.advance(40_000);
  c.expect({ ack: 4, tsEcr: 9000 });
  c.send({ seq: 200, data: "far", ts: [9900, 0] });
  c.expect({ ack: 4, tsEcr: 9000 });
  assertEquals(c.tcb("ts_recent"), 9000);
  c.end();
});
