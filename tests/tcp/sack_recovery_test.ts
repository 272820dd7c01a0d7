/** Recovery with SACK: RFC 6675, RFC 2018 5 and 8, RFC 2883, RFC 3042. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;
const RTT = 100_000;

const at = (i: number) => 1 + i * MSS;

/** A SACK block over segments `from` up to but not including `to`. */
const block = (from: number, to: number) => [at(from), at(to)] as const;

async function inFlight(segments = 100): Promise<Conn> {
  const c = await established({ sndbuf: 1 << 20, sackOk: true, rtt_us: RTT, options: [NEWRENO] });
  c.write(pattern(segments * MSS));
  assertEquals(c.takeAll().length, Math.min(segments, 10));
  c.host.advance(RTT);
  return c;
}

const seqs = (c: Conn) => c.takeAll().map((s) => s.seq);

// RFC 5681 4.3-1
Deno.test("RFC 6675 5: three segments reported above a gap start recovery", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(1, 2)] });
  c.send({ ack: 1, sack: [block(1, 3)] });
  c.silent();
  c.send({ ack: 1, sack: [block(1, 4)] });
  c.expect({ seq: 1, len: MSS });
  c.silent();
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  assertEquals(c.tcb("cwnd"), 7 * MSS, "PRR: what is in flight and the one that goes again");
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

// RFC 5681 4.3-5
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
  assertEquals(c.tcb("sacked_segments"), 0);
  c.end();
});

Deno.test("RFC 6937bis: new data goes for half of what is delivered, to ssthresh", async () => {
  const c = await inFlight();
  for (let i = 2; i <= 4; i++) c.send({ ack: 1, sack: [block(1, i)] });
  // two by limited transmit, and the gap
  assertEquals(seqs(c), [at(10), at(11), 1]);
  // flight 12, ssthresh 5, without the two of limited transmit
  const fresh: number[][] = [];
  for (let i = 5; i <= 10; i++) {
    c.send({ ack: 1, sack: [block(1, i)] });
    fresh.push(seqs(c));
  }
  assertEquals(fresh, [[], [at(12)], [], [at(13)], [], []]);
  c.send({ ack: at(12) });
  assertEquals(c.tcb("cwnd"), 5 * MSS);
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

Deno.test("RFC 6675 5 step 5, RFC 5681 4.3-3: the ACK of all in flight ends recovery", async () => {
  const c = await inFlight(20);
  for (let i = 2; i <= 10; i++) c.send({ ack: 1, sack: [block(1, i)] });
  const end = c.takeAll().reduce((max, s) => Math.max(max, s.seq + s.data.length), 0);
  assertEquals(end > at(10), true);
  c.send({ ack: end });
  assert(c.tcb("cwnd") <= c.tcb("ssthresh"));
  assertEquals(c.tcb("sacked_bytes"), 0);
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
  c.expectWithin(RTT / 4, { seq: 1, len: MSS }); // RACK's reordering window
  c.silent();
  c.rcv = 1;
  c.expectWithin(SECOND, { seq: 1, len: MSS }); // lost again: the timer
  assertEquals(c.stat(Stat.TCP_RTO), 1);
  c.rcv = 1;
  c.send({ ack: at(2), sack: [block(4, 5)] });
  assertEquals(seqs(c), [at(2), at(3)]);
  c.send({ ack: at(5) });
  assertEquals(seqs(c).slice(0, 3), [at(5), at(6), at(7)]);
  c.end();
});

Deno.test(
  "RFC 8985 6.2: segments sent before a reported one are lost a quarter RTT later",
  async () => {
    const c = await inFlight(10);
    c.send({ ack: 1, sack: [block(2, 3)] });
    c.silentFor(RTT / 4 - 1000);
    assertEquals(c.expectWithin(2000, { seq: 1, len: MSS }) <= 1000, true);
    assertEquals(c.stat(Stat.TCP_FAST_REXMT), 1);
    assertEquals(c.tcb("lost_bytes"), 2 * MSS);
    c.end();
  },
);

Deno.test("RFC 8985 6.2 step 3: what was overtaken and arrives widens the window", async () => {
  const c = await inFlight(10);
  c.send({ ack: 1, sack: [block(1, 2)] });
  c.send({ ack: at(2) }); // the first came late
  assertEquals(c.tcb("reordering") & 0xff, 1);
  for (let i = 4; i <= 8; i++) c.send({ ack: at(2), sack: [block(3, i)] });
  c.silentFor(RTT / 4 - 1000);
  c.expectWithin(2000, { seq: at(2), len: MSS });
  c.end();
});

Deno.test("RFC 8985 6.3: a retransmission that is lost is found without the timer", async () => {
  const c = await inFlight(40);
  for (let i = 2; i <= 5; i++) c.send({ ack: 1, sack: [block(1, i)] });
  assertEquals(seqs(c).includes(1), true);
  c.host.advance(RTT);
  c.rcv = 1;
  // new data that left after the retransmission is reported
  c.send({ ack: 1, sack: [block(1, 12)] });
  c.host.advance(RTT / 4 + 1000);
  c.rcv = 1;
  assertEquals(seqs(c).includes(1), true);
  assertEquals([c.stat(Stat.TCP_LOST_REXMT), c.stat(Stat.TCP_RTO)], [1, 0]);
  c.end();
});

Deno.test("RFC 8985 7: with no ACK the last segment asks after two round trips", async () => {
  const c = await established({ sackOk: true, rtt_us: RTT });
  c.write(pattern(5 * MSS));
  c.takeAll();
  c.rcv = at(4);
  assertEquals(c.expectWithin(SECOND, { seq: at(4), len: MSS }), 2 * RTT + 2000);
  assertEquals([c.stat(Stat.TCP_LOSS_PROBES), c.stat(Stat.TCP_RTO)], [1, 0]);
  // the report of the last finds the others lost, without a timeout
  c.host.advance(RTT);
  c.send({ ack: 1, sack: [block(4, 5)] });
  c.rcv = 1;
  c.host.advance(RTT / 4 + 1000);
  assertEquals(seqs(c)[0], 1);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  c.end();
});

Deno.test(
  "RFC 8985 7.4: a probe that filled a gap reduces the window, one that came twice not",
  async () => {
    for (const twice of [false, true]) {
      const c = await established({ sackOk: true, rtt_us: RTT });
      c.write(pattern(2 * MSS));
      c.takeAll();
      c.rcv = at(1);
      c.expectWithin(SECOND, { seq: at(1), len: MSS });
      c.write(pattern(MSS));
      c.expect({ seq: at(2), len: MSS });
      c.send({ ack: at(3), ...(twice ? { sack: [block(1, 2)] } : {}) });
      assertEquals(c.stat(Stat.TCP_LOSS_PROBE_RECOVERIES), twice ? 0 : 1);
      assertEquals(c.tcb("cwnd") < 10 * MSS, !twice);
      c.end();
    }
  },
);

Deno.test("RFC 5682 2.2: a timeout that came too early is taken back", async () => {
  const c = await inFlight(40);
  const cwnd = c.tcb("cwnd");
  c.host.advance(SECOND);
  c.takeAll();
  assertEquals(c.tcb("ca_state"), 4);
  c.send({ ack: at(1) }); // for the retransmission, or the original?
  assertEquals(seqs(c), [at(11), at(12)], "step 2b: new data"); // 10 was the probe
  c.send({ ack: at(2) }); // this one was sent only once
  assertEquals(c.stat(Stat.TCP_SPURIOUS_RTO), 1);
  assertEquals(c.tcb("ca_state") < 3, true);
  assert(c.tcb("cwnd") >= cwnd);
  c.end();
});

Deno.test("RFC 5682 2.2 step 3a: a report says that the timeout was right", async () => {
  const c = await inFlight(40);
  c.host.advance(SECOND);
  c.takeAll();
  c.rcv = 1;
  c.send({ ack: at(1) });
  c.takeAll();
  c.send({ ack: at(1), sack: [[at(11), at(12)]] });
  assertEquals(c.stat(Stat.TCP_SPURIOUS_RTO), 0);
  assertEquals(seqs(c)[0], at(1));
  c.end();
});

Deno.test(
  "RFC 2883, 3708: DSACKs for all that was sent again take the reduction back",
  async () => {
    const c = await inFlight(40);
    const cwnd = c.tcb("cwnd");
    for (let i = 2; i <= 4; i++) c.send({ ack: 1, sack: [block(1, i)] });
    assertEquals(seqs(c).includes(1), true);
    assert(c.tcb("ssthresh") < cwnd);
    c.send({ ack: at(4) }); // the original came late
    c.send({ ack: at(4), sack: [block(0, 1)] });
    assertEquals(c.stat(Stat.TCP_UNDO), 1);
    assert(c.tcb("cwnd") >= cwnd);
    assertEquals(c.tcb("rack_mult") & 0xff, 2, "RFC 8985 6.2 step 4");
    c.end();
  },
);

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
  assertEquals(c.tcb("snd_una"), c.tcb("snd_nxt"));
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
  assertEquals(c.tcb("sacked_bytes"), 0);
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
    assertEquals(c.tcb("sacked_bytes"), 0, `${sack}`);
  }
  c.end();
});

Deno.test("RFC 2018: the scoreboard is bounded, and what it forgets costs no data", async () => {
  const c = await established({ sackOk: true, mss: 64, sndbuf: 1 << 20 });
  c.write(pattern(100_000));
  // open the window without loss until 600 tiny segments are in flight
  for (let i = 0; c.tcb("snd_nxt") - c.tcb("snd_una") < 600 * 64 && i < 200; i++) {
    c.takeAll();
    c.send({});
  }
  c.takeAll();
  const una = c.rcv - ((c.tcb("snd_nxt") - c.tcb("snd_una")) >>> 0);
  for (let i = 0; i < 300; i++) {
    const left = una + 64 + 128 * i;
    c.send({ ack: una, sack: [[left, left + 64]] });
  }
  assert(c.tcb("sacked_segments") <= 600);
  c.end();
});
