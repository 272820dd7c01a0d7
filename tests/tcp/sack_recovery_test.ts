/** Recovery with SACK: RFC 6675, RFC 2018 5 and 8, RFC 2883, RFC 3042. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;

const at = (i: number) => 1 + i * MSS;

/** A SACK block over segments `from` up to but not including `to`. */
const block = (from: number, to: number) => [at(from), at(to)] as const;

async function inFlight(segments = 100): Promise<Conn> {
  const c = await established({ sndbuf: 1 << 20, sackOk: true, options: [NEWRENO] });
  c.write(pattern(segments * MSS));
  assertEquals(c.takeAll().length, Math.min(segments, 10));
  return c;
}

const seqs = (c: Conn) => c.takeAll().map((s) => s.seq);

Deno.test("RFC 6675 5: three segments reported above a gap start recovery", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(1, 2)] });
  c.send({ ack: 1, sack: [block(1, 3)] });
  c.silent();
  c.send({ ack: 1, sack: [block(1, 4)] });
  c.expect({ seq: 1, len: MSS });
  c.silent();
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  assertEquals(c.tcb("cwnd"), 5 * MSS);
  c.end();
});

Deno.test("RFC 6675 4: one ACK may report enough to start recovery", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(2, 5)] });
  assertEquals(seqs(c), [1]); // pipe: five that are not lost and this one; cwnd: five
  c.send({ ack: 1, sack: [block(2, 7)] });
  assertEquals(seqs(c), [at(1)]);
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1);
  const d = await inFlight(10);
  d.send({ ack: 1, sack: [block(1, 2), block(3, 4), block(5, 6)] }); // three ranges
  assertEquals(seqs(d)[0], 1);
  c.end();
  d.end();
});

Deno.test("RFC 6675 5: several gaps are filled, nothing that was reported is sent", async () => {
  const c = await inFlight(10);
  // lost: 0, 2, 5
  c.send({ ack: 1, sack: [block(1, 2)] });
  c.send({ ack: 1, sack: [block(3, 4), block(1, 2)] });
  c.send({ ack: 1, sack: [block(3, 5), block(1, 2)] });
  const sent = seqs(c);
  for (const to of [7, 8, 9, 10]) {
    c.send({ ack: 1, sack: [block(6, to), block(3, 5), block(1, 2)] });
    sent.push(...seqs(c));
  }
  assertEquals(sent, [at(0), at(2), at(5)]);
  c.send({ ack: at(2), sack: [block(6, 10), block(3, 5)] });
  c.send({ ack: at(5), sack: [block(6, 10)] });
  c.send({ ack: at(10) });
  c.silentFor(10 * SECOND);
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 3);
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  assertEquals(c.tcb("sacked_count"), 0);
  c.end();
});

Deno.test("RFC 6675 5 step C: new data goes as the pipe empties to cwnd", async () => {
  const c = await inFlight();
  for (let i = 2; i <= 4; i++) c.send({ ack: 1, sack: [block(1, i)] });
  // two by limited transmit, and the gap
  assertEquals(seqs(c), [at(10), at(11), 1]);
  // cwnd 5, half of what was out before limited transmit; pipe is 12 - 3 in report = 9, of which
  // the first counts as sent again
  for (let i = 5; i <= 8; i++) {
    c.send({ ack: 1, sack: [block(1, i)] });
    c.silent();
  }
  for (let i = 9; i <= 12; i++) {
    c.send({ ack: 1, sack: [block(1, i)] });
    assertEquals(seqs(c), [at(12 + i - 9)]);
  }
  c.end();
});

Deno.test("RFC 3042, 6675 5 step 3: before recovery one new segment for each report", async () => {
  const c = await inFlight();
  c.send({ ack: 1, sack: [block(1, 2)] });
  c.expect({ seq: at(10), len: MSS });
  c.silent();
  c.send({ ack: 1, sack: [block(1, 3)] });
  c.expect({ seq: at(11), len: MSS });
  c.silent();
  c.end();
});

Deno.test("RFC 6675 5 step 5: the ACK of all in flight ends recovery", async () => {
  const c = await inFlight(20);
  for (let i = 2; i <= 10; i++) c.send({ ack: 1, sack: [block(1, i)] });
  const end = c.takeAll().reduce((max, s) => Math.max(max, s.seq + s.data.length), 0);
  assertEquals(end > at(10), true);
  c.send({ ack: end });
  assert(c.tcb("cwnd") <= c.tcb("ssthresh"));
  assertEquals(c.tcb("sacked"), 0);
  c.end();
});

Deno.test("RFC 6675: what is lost again after its retransmission waits for the timer", async () => {
  const c = await inFlight(10);
  for (let i = 2; i <= 10; i++) c.send({ ack: 1, sack: [block(1, i)] });
  assertEquals(seqs(c), [1]);
  c.silentFor(199_000);
  c.expectWithin(2_000, { seq: 1, len: MSS });
  c.silent();
  c.send({ ack: at(10) });
  c.silentFor(10 * SECOND);
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 2);
  c.end();
});

Deno.test("RFC 6675 5.1: after a timeout reported data is passed over", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(1, 2), block(4, 5)] });
  c.expectWithin(SECOND, { seq: 1, len: MSS });
  c.silent();
  c.rcv = 1;
  c.send({ ack: at(2), sack: [block(4, 5)] });
  assertEquals(seqs(c), [at(2), at(3)]);
  c.send({ ack: at(5) });
  assertEquals(seqs(c), [at(5), at(6), at(7)]);
  c.end();
});

Deno.test("RFC 2018 8: a peer that has dropped what it reported gets it again", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(2, 10)] });
  assertEquals(seqs(c), [1, at(1)]);
  c.send({ ack: at(2) }); // and nothing more, although 2 to 10 were reported
  c.send({ ack: at(2) });
  c.host.advance(500_000);
  assertEquals(seqs(c)[0], at(2));
  for (let i = 3; i <= 10; i++) {
    c.send({ ack: at(i) });
    c.takeAll();
  }
  assertEquals(c.tcb("snd_una"), c.tcb("snd_max"));
  c.end();
});

Deno.test("RFC 2883 4: DSACK reports are no duplicate ACKs", async () => {
  const c = await established({ sackOk: true });
  c.write(pattern(2 * MSS));
  c.takeAll();
  c.send({ ack: at(1) });
  c.write(pattern(3 * MSS));
  c.takeAll();
  for (let i = 0; i < 5; i++) c.send({ ack: at(1), sack: [block(0, 1)] });
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 0);
  assertEquals(c.tcb("sacked"), 0);
  c.silent();
  c.end();
});

Deno.test("RFC 2018 4: reports that make no sense are ignored", async () => {
  const c = await inFlight(10);
  const blocks = [
    [at(3), at(3)], // empty
    [at(4), at(3)], // backwards
    [at(5), at(30)], // never sent
    [at(20), at(21)],
    [-5000, -100], // before the first
  ] as const;
  for (const sack of blocks) {
    c.send({ ack: 1, sack: [sack] });
    assertEquals(c.tcb("sacked"), 0, `${sack}`);
  }
  c.end();
});

Deno.test("RFC 2018: the scoreboard is bounded, and what it forgets costs no data", async () => {
  const c = await established({ sackOk: true, mss: 64, sndbuf: 1 << 20 });
  c.write(pattern(100_000));
  // open the window without loss until 600 tiny segments are in flight
  for (let i = 0; c.tcb("snd_max") - c.tcb("snd_una") < 600 * 64 && i < 200; i++) {
    c.takeAll();
    c.send({});
  }
  c.takeAll();
  const una = c.rcv - ((c.tcb("snd_max") - c.tcb("snd_una")) >>> 0);
  for (let i = 0; i < 300; i++) {
    const left = una + 64 + 128 * i;
    c.send({ ack: una, sack: [[left, left + 64]] });
  }
  assert(c.tcb("sacked_count") <= 256);
  c.end();
});
