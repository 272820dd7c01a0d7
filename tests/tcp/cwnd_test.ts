/** The congestion window: RFC 5681 3.1 and 4.1, RFC 3465, RFC 6928, RFC 7661 4.3. */

import { assert, assertEquals } from "@std/assert";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;
const RTT = 100_000;

/** A connection with much to send and a window that never limits. */
async function bulk(mss = MSS, options: Shake["options"] = []): Promise<Conn> {
  const shake = {
    sndbuf: 4 << 20,
    wscale: 7,
    win: 60_000,
    mss,
    sackOk: true,
    rtt_us: RTT,
    options,
  };
  const c = await established(shake);
  c.send({}); // the window, scaled
  c.write(pattern(2 << 20));
  return c;
}

/** One round trip: everything in flight is acknowledged, every second segment. */
function round(c: Conn): number {
  const sent = c.takeAll();
  const acks = sent.filter((_, i) => i % 2 === 1 || i === sent.length - 1);
  for (const s of acks) c.send({ ack: s.seq + s.data.length });
  return sent.length;
}

Deno.test("RFC 6928 2: the initial window is ten segments", async () => {
  for (const mss of [536, 1460]) {
    const c = await bulk(mss);
    const sent = c.takeAll();
    assertEquals(sent.length, 10);
    assertEquals(sent.every((s) => s.data.length === mss), true);
    c.end();
  }
});

// RFC 5681 3.1-1, MUST-19
Deno.test("RFC 5681 3.1, RFC 3465 2.2: slow start doubles the window each round trip", async () => {
  const c = await bulk();
  const flights: number[] = [];
  for (let i = 0; i < 5; i++) flights.push(round(c));
  assertEquals(flights, [10, 20, 40, 80, 160]);
  c.end();
});

Deno.test("RFC 9406 4.2: an ACK of much grows the window by eight segments", async () => {
  const c = await bulk();
  const last = c.takeAll().at(-1)!;
  c.send({ ack: last.seq + last.data.length });
  assertEquals(c.tcb("cwnd"), 18 * MSS);
  c.end();
});

Deno.test("RFC 3465 5.1: ACKs of parts of a segment grow the window by their bytes", async () => {
  const c = await bulk();
  for (let i = 1; i <= 10; i++) c.send({ ack: 1 + i * 146 });
  assertEquals(c.tcb("cwnd"), 11 * MSS);
  c.end();
});

// RFC 5681 3.1-7, 3.1-9, 3.1-10, 3.1-11
Deno.test("RFC 5681 3.1: congestion avoidance adds one segment each round trip", async () => {
  const c = await bulk(MSS, [NEWRENO]);
  c.takeAll();
  c.rcv = 1;
  c.host.advance(RTT);
  // a loss sets ssthresh to half of what is in flight: five segments
  for (let i = 2; i <= 10; i++) c.send({ ack: 1, sack: [[1 + MSS, 1 + i * MSS]] });
  const end = Math.max(...c.takeAll().map((s) => s.seq + s.data.length));
  c.send({ ack: end });
  // RFC 5681 3.2 step 2: the two more that limited transmit sent do not count
  assertEquals(c.tcb("ssthresh"), 5 * MSS);
  const cwnds: number[] = [];
  for (let i = 0; i < 8; i++) {
    c.rcv = 0;
    const sent = c.takeAll();
    for (const s of sent) c.send({ ack: s.seq + s.data.length });
    cwnds.push(Math.floor(c.tcb("cwnd") / MSS));
  }
  const growth = cwnds.slice(1).map((w, i) => w - cwnds[i]);
  assertEquals(growth, [1, 1, 1, 1, 1, 1, 1], `${cwnds}`);
  assertEquals(cwnds[0], 6, "recovery ended at ssthresh");
  c.end();
});

Deno.test("RFC 5681 4.1-1: after an idle RTO the window is the initial one again", async () => {
  const c = await bulk();
  for (let i = 0; i < 12; i++) round(c);
  while (c.tcb("snd_una") !== c.tcb("snd_nxt")) {
    c.takeAll();
    c.send({});
  }
  const grown = c.tcb("cwnd");
  assert(grown > 100 * MSS, `${grown}`);
  c.host.advance(100_000); // less than the RTO
  c.write(pattern(100));
  c.takeAll();
  c.send({});
  assertEquals(c.tcb("cwnd"), grown);
  c.host.advance(SECOND);
  c.write(pattern(100 * MSS));
  assertEquals(c.tcb("cwnd"), 10 * MSS);
  assertEquals(c.takeAll().length, 10);
  c.end();
});

Deno.test("RFC 7661 4.3: a window that is not used does not grow", async () => {
  const c = await established();
  for (let i = 0; i < 100; i++) {
    c.write("x");
    c.takeAll();
    c.send({});
  }
  assertEquals(c.tcb("cwnd"), 10 * MSS);
  c.end();
});

Deno.test("RFC 5681 2-1, 3-1: the lesser of cwnd and the peer's window counts", async () => {
  const c = await established({ sndbuf: 1 << 20, win: 5 * MSS });
  c.write(pattern(100 * MSS));
  for (let i = 0; i < 5; i++) {
    assertEquals(round(c), 5);
  }
  c.end();
});

Deno.test("RFC 5681 3.1-13: ssthresh is at least two segments", async () => {
  const c = await established({ options: [NEWRENO] });
  c.write(pattern(MSS));
  c.expect({ seq: 1 });
  c.expectWithin(SECOND, { seq: 1 });
  assertEquals(c.tcb("ssthresh"), 2 * MSS);
  c.end();
});
