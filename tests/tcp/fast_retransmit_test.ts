/** Fast retransmit and recovery without SACK: RFC 5681 3.2, RFC 6582, RFC 3042. */

import { assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;

/** Number of the first byte of segment `i`, from 0. */
const at = (i: number) => 1 + i * MSS;

/** A connection with ten segments in flight and much more to send. */
async function inFlight(segments = 100): Promise<Conn> {
  const c = await established({ sndbuf: 1 << 20, options: [NEWRENO] });
  c.write(pattern(segments * MSS));
  assertEquals(c.takeAll().length, Math.min(segments, 10));
  return c;
}

Deno.test("RFC 5681 3.2: the third duplicate ACK sends the segment again", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1 });
  c.send({ ack: 1 });
  c.silent();
  c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  c.silent();
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  assertEquals(c.tcb("cwnd"), 8 * MSS, "half the flight and the three that left");
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  c.end();
});

Deno.test("RFC 3042: the first two duplicate ACKs let one new segment go each", async () => {
  const c = await inFlight();
  c.send({ ack: 1 });
  c.expect({ seq: at(10), len: MSS });
  c.silent();
  c.send({ ack: 1 });
  c.expect({ seq: at(11), len: MSS });
  c.silent();
  assertEquals(c.tcb("cwnd"), 10 * MSS);
  c.end();
});

Deno.test("RFC 5681 3.2 step 4: further duplicates inflate the window", async () => {
  const c = await inFlight();
  for (let i = 0; i < 3; i++) c.send({ ack: 1 });
  assertEquals(c.takeAll().map((s) => s.seq), [at(10), at(11), 1]);
  // ssthresh 5, without the two of limited transmit: eight segments fit, then nine ...
  for (let i = 0; i < 4; i++) c.send({ ack: 1 });
  c.silent();
  for (let i = 0; i < 3; i++) {
    c.send({ ack: 1 });
    c.expect({ seq: at(12 + i), len: MSS });
    c.silent();
  }
  c.end();
});

Deno.test("RFC 6582 3.2 step 3: the full ACK ends recovery at ssthresh", async () => {
  const c = await inFlight(10);
  for (let i = 0; i < 9; i++) c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  c.send({ ack: at(10) });
  assertEquals(c.tcb("cwnd"), 2 * MSS, "min(ssthresh, max(FlightSize, SMSS) + SMSS)");
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  c.silentFor(10 * SECOND);
  c.end();
});

Deno.test("RFC 6582 3.2 step 3: a partial ACK sends the next gap at once", async () => {
  const c = await inFlight(10);
  for (let i = 0; i < 4; i++) c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  c.send({ ack: at(4) }); // the fifth was lost too
  c.expect({ seq: at(4), len: MSS });
  c.silent();
  c.send({ ack: at(7) });
  c.expect({ seq: at(7), len: MSS });
  c.silent();
  c.send({ ack: at(10) });
  c.silentFor(10 * SECOND);
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1, "one recovery for all three");
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 3);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  c.end();
});

Deno.test("RFC 6582 3.2 step 3: a partial ACK deflates the window", async () => {
  const c = await inFlight();
  for (let i = 0; i < 10; i++) c.send({ ack: 1 });
  c.takeAll();
  const before = c.tcb("cwnd");
  c.send({ ack: at(4) });
  assertEquals(c.tcb("cwnd"), before - 4 * MSS + MSS);
  c.expect({ seq: at(4), len: MSS });
  c.end();
});

Deno.test("RFC 6582 3.2 step 1: duplicates after a timeout start no recovery", async () => {
  const c = await inFlight(10);
  c.expectWithin(SECOND, { seq: 1 });
  c.send({ ack: at(1) });
  c.takeAll();
  for (let i = 0; i < 6; i++) c.send({ ack: at(1) });
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 0);
  c.end();
});

Deno.test("RFC 5681 2: what is no duplicate ACK", async () => {
  const c = await inFlight(10);
  for (let i = 0; i < 5; i++) c.send({ ack: 1, win: 60_000 + i }); // window updates
  for (let i = 0; i < 5; i++) c.send({ ack: 1, win: 60_004, data: "x" }); // data
  assertEquals(c.stat(Stat.TCP_DUPACKS_IN), 0);
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 0);
  c.end();
  const idle = await established();
  for (let i = 0; i < 5; i++) idle.send({ ack: 1 }); // nothing is in flight
  assertEquals(idle.stat(Stat.TCP_DUPACKS_IN), 0);
  idle.end();
});

Deno.test("RFC 5681 3.2: news between duplicates starts the count anew", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1 });
  c.send({ ack: 1 });
  c.send({ ack: at(2) });
  c.send({ ack: at(2) });
  c.send({ ack: at(2) });
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 0);
  c.silent();
  c.send({ ack: at(2) });
  c.expect({ seq: at(2), len: MSS });
  c.end();
});

Deno.test("RFC 5681 3.2: a lost retransmission is the timer's", async () => {
  const c = await inFlight(10);
  for (let i = 0; i < 9; i++) c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  assertEquals(c.expectWithin(SECOND, { seq: 1, len: MSS }), 200_000);
  assertEquals(c.tcb("cwnd"), MSS);
  c.end();
});
