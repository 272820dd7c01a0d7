/** Fast retransmit and recovery without SACK: RFC 5681 3.2, RFC 6582, RFC 3042. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;
const RTT = 100_000;

/** Number of the first byte of segment `i`, from 0. */
const at = (i: number) => 1 + i * MSS;

/** A connection with ten segments in flight and much more to send. */
async function inFlight(segments = 100): Promise<Conn> {
  const c = await established({ sndbuf: 1 << 20, rtt_us: RTT, options: [NEWRENO] });
  c.write(pattern(segments * MSS));
  assertEquals(c.takeAll().length, Math.min(segments, 10));
  c.host.advance(RTT);
  return c;
}

// RFC 5681 3.2-3, 3.2-7, 3.2-9
Deno.test("RFC 5681 3.2: the third duplicate ACK sends the segment again", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1 });
  c.send({ ack: 1 });
  c.silent();
  c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  c.silent();
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  assertEquals(c.tcb("cwnd"), 7 * MSS, "what is in flight and the one that goes again");
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  c.end();
});

// RFC 5681 3.2-4
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

// RFC 5681 3.2-11
Deno.test("RFC 6937bis: new data goes for half of what is delivered, to ssthresh", async () => {
  const c = await inFlight();
  for (let i = 0; i < 3; i++) c.send({ ack: 1 });
  assertEquals(c.takeAll().map((s) => s.seq), [at(10), at(11), 1]);
  // flight 12, ssthresh 5: less than half of what is delivered goes out
  const fresh: number[][] = [];
  for (let i = 0; i < 6; i++) {
    c.send({ ack: 1 });
    fresh.push(c.takeAll().map((s) => s.seq));
  }
  assertEquals(fresh, [[], [at(12)], [], [at(13)], [], []]);
  c.end();
});

// RFC 5681 3.2-12
Deno.test("RFC 6582 3.2 step 3, RFC 5681 3.2: the full ACK ends recovery at ssthresh", async () => {
  const c = await inFlight(10);
  for (let i = 0; i < 9; i++) c.send({ ack: 1 });
  c.expect({ seq: 1, len: MSS });
  c.send({ ack: at(10) });
  assertEquals(c.tcb("cwnd"), 5 * MSS);
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

Deno.test("RFC 6582 3.2 step 3: after a partial ACK no more than before is in flight", async () => {
  const c = await inFlight();
  for (let i = 0; i < 10; i++) c.send({ ack: 1 });
  c.takeAll();
  c.send({ ack: at(4) });
  c.expect({ seq: at(4), len: MSS });
  assert(c.tcb("cwnd") <= c.tcb("ssthresh") + MSS);
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
  // SRTT 100 ms, RTTVAR 50 ms
  assertEquals(c.expectWithin(SECOND, { seq: 1, len: MSS }), 300_000);
  assertEquals(c.tcb("cwnd"), MSS);
  c.end();
});
