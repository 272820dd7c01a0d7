/** Reporting what came twice: RFC 2883, with the examples of its section 4. */

import { assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const stream = pattern(20_000);

/** The peer sends bytes `start` to `end` of its stream. */
function send(c: Conn, start: number, end: number): void {
  c.send({ seq: 1 + start, data: stream.subarray(start, end) });
}

/** The engine must answer with this acknowledgment and these blocks, counted in the stream. */
function expect(c: Conn, ack: number, ...blocks: [number, number][]): void {
  const sack = blocks.map(([l, r]) => [l + 1, r + 1] as const);
  c.expect({ flags: "A", len: 0, ack: ack + 1, sack: sack.length ? sack : null });
}

/** A connection that has received so many bytes. */
async function begun(bytes: number, ts = false): Promise<Conn> {
  const c = await established({ sackOk: true, ts });
  for (let at = 0; at < bytes; at += 500) send(c, at, at + 500);
  c.host.advance(40_000);
  c.takeAll();
  return c;
}

Deno.test("RFC 2883 4.1.1: a whole segment again, its ACK was lost", async () => {
  const c = await begun(4000);
  send(c, 3000, 3500);
  expect(c, 4000, [3000, 3500]);
  send(c, 3500, 4000);
  expect(c, 4000, [3500, 4000]);
  assertEquals(c.stat(Stat.TCP_DSACK_OUT), 2);
  c.end();
});

Deno.test("RFC 2883 4.1.2: a duplicate beside a gap", async () => {
  const c = await begun(3500);
  send(c, 4000, 4500);
  expect(c, 3500, [4000, 4500]);
  send(c, 3000, 3500);
  expect(c, 3500, [3000, 3500], [4000, 4500]);
  c.end();
});

Deno.test(
  "RFC 2883 4.1.3: a duplicate of what is out of order, then the block around it",
  async () => {
    const c = await begun(3500);
    send(c, 4000, 4500);
    expect(c, 3500, [4000, 4500]);
    send(c, 4500, 5000);
    expect(c, 3500, [4000, 5000]);
    send(c, 4000, 4500);
    expect(c, 3500, [4000, 4500], [4000, 5000]);
    send(c, 6000, 6500);
    expect(c, 3500, [6000, 6500], [4000, 5000]);
    send(c, 4500, 5000); // its block comes second, before the one that changed last
    expect(c, 3500, [4500, 5000], [4000, 5000], [6000, 6500]);
    c.end();
  },
);

Deno.test("RFC 2883 4.2.1: a part again, left of the window", async () => {
  const c = await begun(1500);
  send(c, 1000, 2000);
  expect(c, 2000, [1000, 1500]);
  c.end();
});

Deno.test("RFC 2883 4.2.2: a part again of what is out of order", async () => {
  const c = await begun(1000);
  send(c, 2000, 2500);
  expect(c, 1000, [2000, 2500]);
  send(c, 1500, 2300);
  expect(c, 1000, [2000, 2300], [1500, 2500]);
  send(c, 2400, 2600);
  expect(c, 1000, [2400, 2500], [1500, 2600]);
  c.end();
});

Deno.test("RFC 2883 4.2.3: of two parts again the first is reported", async () => {
  const c = await begun(1000);
  send(c, 1500, 1800);
  expect(c, 1000, [1500, 1800]);
  send(c, 2100, 2300);
  expect(c, 1000, [2100, 2300], [1500, 1800]);
  send(c, 3000, 3100);
  expect(c, 1000, [3000, 3100], [2100, 2300], [1500, 1800]);
  send(c, 1100, 2400);
  expect(c, 1000, [1500, 1800], [1100, 2400], [3000, 3100]);
  send(c, 900, 1200); // and left of the window before what is right of it
  expect(c, 2400, [900, 1000], [3000, 3100]);
  c.end();
});

Deno.test("RFC 2883 4, rule 2: a duplicate is reported once", async () => {
  const c = await begun(1000);
  send(c, 500, 1000);
  expect(c, 1000, [500, 1000]);
  send(c, 1500, 2000);
  expect(c, 1000, [1500, 2000]);
  send(c, 1000, 1500);
  expect(c, 2000);
  send(c, 2000, 2500);
  c.host.advance(40_000);
  expect(c, 2500);
  c.end();
});

Deno.test("RFC 2883 4, rule 1: each of two in one batch has its own ACK", async () => {
  const c = await begun(2000);
  c.send({ seq: 1, data: stream.subarray(0, 500) }, { seq: 501, data: stream.subarray(500, 1000) });
  expect(c, 2000, [0, 500]);
  expect(c, 2000, [500, 1000]);
  c.send({ seq: 1501, data: stream.subarray(1500, 2500) }, {
    seq: 2001,
    data: stream.subarray(2000, 2500),
  });
  expect(c, 2500, [1500, 2000]);
  expect(c, 2500, [2000, 2500]);
  c.end();
});

Deno.test("RFC 2883 4: beside timestamps the report takes one of three places", async () => {
  const c = await begun(1000, true);
  for (const at of [2000, 3000, 4000]) send(c, at, at + 500);
  c.takeAll();
  send(c, 0, 500);
  expect(c, 1000, [0, 500], [4000, 4500], [3000, 3500]);
  c.end();
});

Deno.test("RFC 2883 3: no reports without SACK, or with them switched off", async () => {
  const c = await established({ sackOk: false });
  send(c, 0, 500);
  c.host.advance(40_000);
  c.takeAll();
  send(c, 0, 500);
  expect(c, 500);
  c.end();
  const off = await established({ sackOk: true });
  const at = off.host.call("tcp_settings") + layout.TcpSettings.dsack;
  off.host.engine.view.setUint32(at, 0, true);
  send(off, 0, 500);
  off.host.advance(40_000);
  off.takeAll();
  send(off, 0, 500);
  expect(off, 500);
  assertEquals(off.stat(Stat.TCP_DSACK_OUT), 0);
  off.end();
});

Deno.test("RFC 2883 4: data of ours carries the report, no larger than the MTU", async () => {
  const c = await begun(1000);
  c.host.stuck = true;
  c.write(pattern(3000));
  send(c, 0, 500);
  c.host.stuck = false;
  c.host.step();
  const sent = c.takeAll();
  const reports = sent.filter((s) => s.sack);
  assertEquals(reports.length, 1);
  assertEquals(reports[0].sack, [[1, 501]]);
  for (const s of sent) assertEquals(s.data.length <= 1460 - (s.sack ? 12 : 0), true);
  c.end();
});

Deno.test("RFC 7323 5.3 R1: an old duplicate that PAWS drops is reported", async () => {
  const c = await begun(1000, true);
  c.send({ seq: 1, data: stream.subarray(0, 500), ts: [1, 0] });
  expect(c, 1000, [0, 500]);
  c.end();
});

Deno.test("RFC 2883 4.1.1: also when the peer's FIN has been taken", async () => {
  const c = await begun(500);
  c.send({ flags: "FA" });
  expect(c, 501);
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  send(c, 0, 500);
  expect(c, 501, [0, 500]);
  c.send({ flags: "FA", seq: 501 }); // a FIN alone has no bytes to report
  expect(c, 501);
  c.end();
});
