/** What RFC 5681 demands of the sender that no other test is about; with NewReno. */

import { assert, assertEquals } from "@std/assert";
import { Cc } from "../../assembly/abi/tcp.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { accepted, established } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;

/** A connection with much to send and a window that never limits. */
async function bulk(shake: Shake = {}): Promise<Conn> {
  const settings = { congestion: Cc.NEWRENO, early_retrans: 0, ...shake.settings };
  const c = await established({ sndbuf: 4 << 20, wscale: 7, win: 60_000, ...shake, settings });
  c.send({}); // the window, scaled
  c.write(pattern(2 << 20));
  c.host.advance(20_000);
  return c;
}

/** Bytes of the segments that are sent for the first time, `from` on. */
function fresh(segments: readonly { seq: number; data: Uint8Array }[], from: number): number {
  return segments.filter((s) => s.seq >= from).reduce((sum, s) => sum + s.data.length, 0);
}

Deno.test("RFC 5681 3.1-3: SYN-ACK and its ACK do not make the window grow", async () => {
  const active = await established();
  assertEquals(active.tcb("cwnd"), 10 * MSS);
  active.end();
  const { c } = await accepted();
  assertEquals(c.tcb("cwnd"), 10 * MSS);
  c.end();
});

Deno.test("RFC 5681 3.1-6: ssthresh begins beyond any window", async () => {
  const c = await established({ wscale: 14 });
  assert(c.tcb("ssthresh") >= 0x3fffffff);
  c.end();
});

Deno.test("RFC 5681 3.1-14: further timeouts of a segment leave ssthresh", async () => {
  const c = await bulk({ settings: { frto: 0 } });
  c.takeAll();
  c.host.untilSent(10 * SECOND);
  const threshold = c.tcb("ssthresh");
  assertEquals(threshold, 5 * MSS);
  for (let i = 0; i < 4; i++) {
    c.takeAll();
    c.host.untilSent(60 * SECOND);
    assertEquals(c.tcb("ssthresh"), threshold);
    assertEquals(c.tcb("cwnd"), MSS);
  }
  c.end();
});

Deno.test("RFC 5681 3.2-5, 3.2-8: what limited transmit sends changes no window", async () => {
  for (const sackOk of [false, true]) {
    const c = await bulk({ sackOk, settings: { recovery: 0 } });
    c.takeAll();
    c.rcv = 1;
    const dup = (n: number) => c.send({ ack: 1, ...(sackOk ? { sack: [sacked(n)] } : {}) });
    const sacked = (n: number) => [1 + MSS, 1 + (1 + n) * MSS] as const;
    for (let i = 1; i <= 2; i++) {
      dup(i);
      const [s, ...rest] = c.takeAll();
      assertEquals([s.seq, rest.length], [1 + (9 + i) * MSS, 0]);
      assertEquals(c.tcb("cwnd"), 10 * MSS);
    }
    dup(3);
    c.host.untilSent(SECOND);
    assertEquals(c.tcb("ssthresh"), 5 * MSS);
    c.end();
  }
});

// RFC 5681 3.2-6
Deno.test("RFC 5681 3.2: with SACK a duplicate ACK without news sends nothing", async () => {
  const c = await bulk({ sackOk: true });
  c.takeAll();
  c.rcv = 1;
  for (let i = 0; i < 5; i++) c.send({ ack: 1 });
  assertEquals(c.takeAll(), []);
  c.send({ ack: 1, sack: [[1 + MSS, 1 + 2 * MSS]] });
  assertEquals(c.takeAll().length, 1);
  for (let i = 0; i < 5; i++) c.send({ ack: 1, sack: [[1 + MSS, 1 + 2 * MSS]] });
  assertEquals(c.takeAll(), []);
  c.end();
});

Deno.test("RFC 5681 4.2-7: no segment brings more than one ACK", async () => {
  const c = await established({ sackOk: true, rcvbuf: 60_000 });
  let segments = 0;
  let acks = 0;
  for (const [seq, size] of [[1, 100], [101, 1460], [3000, 100], [1561, 700], [1, 50], [9000, 1]]) {
    c.send({ seq, data: pattern(size, seq - 1) }, { seq, data: pattern(size, seq - 1) });
    segments += 2;
    acks += c.takeAll().length;
  }
  c.host.advance(SECOND);
  acks += c.takeAll().length;
  assert(acks <= segments, `${acks} ACKs of ${segments} segments`);
  c.end();
});

// RFC 5681 4.3-2
Deno.test("RFC 5681 4.3: in a round trip of repair half of the flight goes", async () => {
  for (const sackOk of [false, true]) {
    const c = await bulk({ sackOk });
    for (let i = 0; i < 2; i++) {
      const sent = c.takeAll();
      c.host.advance(20_000);
      for (const s of sent) c.send({ ack: s.seq + s.data.length });
    }
    const flight = c.takeAll();
    const first = flight[0].seq;
    const end = first + flight.length * MSS;
    c.host.advance(20_000);
    c.rcv = first;
    // all but the first arrive, one after the other
    for (let i = 2; i <= flight.length; i++) {
      c.send({ ack: first, ...(sackOk ? { sack: [[first + MSS, first + i * MSS]] } : {}) });
    }
    c.host.advance(10_000);
    const bytes = fresh(c.takeAll(), end);
    // two segments by limited transmit, before the loss is established
    assert(bytes <= flight.length * MSS / 2 + 2 * MSS, `${bytes / MSS} of ${flight.length}`);
    c.end();
  }
});

Deno.test("RFC 5681 4.3-4: a loss in the next window lowers the window once more", async () => {
  const c = await bulk({ sackOk: true });
  c.rcv = 1;
  let una = 1;
  const thresholds: number[] = [];
  for (let i = 0; i < 2; i++) {
    const flight = c.takeAll();
    const end = Math.max(...flight.map((s) => s.seq + s.data.length));
    c.host.advance(20_000);
    c.send({ ack: una, sack: [[una + MSS, end]] });
    c.host.untilSent(SECOND);
    thresholds.push(c.tcb("ssthresh"));
    const repaired = c.takeAll();
    assert(repaired.some((s) => s.seq === una), "the lost segment goes again");
    c.host.advance(20_000);
    const all = Math.max(end, ...repaired.map((s) => s.seq + s.data.length));
    c.send({ ack: all });
    una = all;
  }
  assert(thresholds[1] < thresholds[0], `${thresholds}`);
  c.end();
});
