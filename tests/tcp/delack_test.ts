/**
 * Quick and delayed ACKs with the behaviour of Linux (RFC 9293 3.8.6.3, RFC 5681 4.2), which the
 * setting `quickacks` switches on.
 */

import { assert, assertEquals } from "@std/assert";
import { TcpState } from "../../assembly/abi/tcp.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 1000;
const MIN = 40_000;

function connection(shake: Shake = {}): Promise<Conn> {
  return established({ ...shake, host: { ...shake.host, tcp: { quickacks: 16 } } });
}

/** Bytes of the peer's next segments; how many ACKs each of them brought at once. */
function feed(c: Conn, ...sizes: number[]): number[] {
  return sizes.map((size) => {
    c.send({ data: pattern(size, c.nxt - 1) });
    return c.takeAll().length;
  });
}

/** A field of a byte. */
function byte(c: Conn, name: "quick" | "pingpong" | "ack_pushed"): number {
  const tp = c.host.call("tcb_of", c.so) >>> 0;
  return c.host.engine.memory[tp + layout.Tcb[name]];
}

/** A connection whose first quick ACKs are used up; the user has read all. */
async function settled(shake: Shake = {}): Promise<Conn> {
  const c = await connection(shake);
  for (let i = 0; i < 16; i++) {
    assertEquals(feed(c, MSS), [1], `quick ACK ${i + 1}`);
    c.tryRead();
  }
  assertEquals(byte(c, "quick"), 0);
  return c;
}

Deno.test("the first 16 segments are acknowledged at once, then every second", async () => {
  const c = await settled();
  assertEquals(feed(c, MSS, MSS, MSS, MSS), [0, 1, 0, 1]);
  c.silentFor(1_000_000);
  c.end();
});

Deno.test("as many quick ACKs as half the window holds segments, two at least", async () => {
  const half = await connection({ rcvbuf: 12_000 });
  assertEquals(feed(half, MSS), [1]);
  assertEquals(byte(half, "quick"), 5); // six, and one is used
  half.end();
  const small = await connection({ rcvbuf: 2500 });
  feed(small, MSS);
  assertEquals(byte(small, "quick"), 1);
  small.end();
});

Deno.test("RFC 9293 3.8.6.3: bytes are counted, not segments", async () => {
  const c = await settled();
  const small = [300, 300, 300, 100, 1].map((size) => {
    c.send({ flags: "PA", data: pattern(size) });
    return c.takeAll().length;
  });
  assertEquals(small, [0, 0, 0, 0, 1]); // 1000 bytes are one full segment, 1001 are more
  c.end();
});

Deno.test("the size of the peer's segments is believed when two in a row have it", async () => {
  const c = await settled();
  assertEquals(c.tcb("rcv_mss_seen"), 1000);
  feed(c, 700, 1000, 700, 650);
  assertEquals(c.tcb("rcv_mss_seen"), 1000);
  feed(c, 700, 700);
  assertEquals(c.tcb("rcv_mss_seen"), 700);
  feed(c, 1200);
  assertEquals(c.tcb("rcv_mss_seen"), 1200);
  c.end();
});

// MUST-40
Deno.test("one segment waits 40 ms, in company of a slow peer longer", async () => {
  const c = await settled();
  feed(c, MSS);
  assertEquals(c.expectWithin(500_000, { flags: "A" }), MIN);
  // data every 90 ms: the timer expires each time, and the delay doubles to less than 0.5 s
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    feed(c, MSS);
    delays.push(c.expectWithin(500_000, { flags: "A" }));
    c.host.advance(1000);
  }
  assert(delays.every((us) => us >= MIN && us <= 200_000), `${delays}`);
  c.end();
});

Deno.test("the delay goes back to 40 ms when data comes fast", async () => {
  const c = await settled();
  feed(c, 100);
  c.host.advance(200_000); // too long: the delay has doubled
  c.takeAll();
  assertEquals(c.tcb("ato_us"), 2 * MIN);
  for (let i = 0; i < 8; i++) {
    c.host.advance(1000);
    feed(c, 10);
  }
  assert(c.tcb("ato_us") < MIN * 1.1, `${c.tcb("ato_us")}`);
  c.end();
});

Deno.test("after a pause of more than the RTO ACKs are quick again", async () => {
  const c = await settled();
  c.host.advance(5_000_000);
  assertEquals(feed(c, MSS, MSS, MSS), [1, 1, 1]);
  c.end();
});

Deno.test("a connection that answers lets ACKs wait for its data", async () => {
  const c = await connection();
  assertEquals(feed(c, 100), [1]);
  c.write("answer");
  c.expect({ data: "answer" });
  assertEquals(byte(c, "pingpong"), 1);
  assertEquals(feed(c, 100), [0]); // 15 quick ACKs are left, but it is interactive now
  c.write("answer");
  c.expect({ data: "answer", ack: 201 });
  c.silentFor(MIN);
  feed(c, 100);
  assertEquals(c.expectWithin(500_000, { flags: "A", len: 0, ack: 301 }), MIN); // no answer
  assertEquals(byte(c, "pingpong"), 0);
  assertEquals(feed(c, 100), [1]);
  c.end();
});

Deno.test("data long after the question is no answer", async () => {
  const c = await connection();
  feed(c, 100);
  c.host.advance(MIN + 1);
  c.write("late");
  assertEquals(byte(c, "pingpong"), 0);
  c.end();
});

Deno.test("RFC 5681 4.2: a duplicate brings quick ACKs back", async () => {
  const c = await settled();
  c.send({ seq: 1, data: pattern(MSS) });
  c.expect({ flags: "A" });
  assertEquals(feed(c, MSS, MSS, MSS), [1, 1, 1]);
  c.end();
});

Deno.test(
  "RFC 5681 4.2: out of order and gaps filled are acknowledged at once in any mode",
  async () => {
    const c = await settled();
    c.write("x"); // interactive
    c.takeAll();
    const next = c.nxt;
    for (let i = 1; i < 5; i++) {
      c.send({ seq: next + i * MSS, data: pattern(MSS) });
      c.expect({ flags: "A", ack: next });
    }
    c.send({ seq: next, data: pattern(500) });
    c.expect({ ack: next + 500 });
    c.send({ seq: next + 500, data: pattern(500) });
    c.expect({ ack: next + 5 * MSS });
    c.end();
  },
);

Deno.test("data for a closed window brings quick ACKs back", async () => {
  const c = await connection({ rcvbuf: 3000 });
  feed(c, MSS, MSS, MSS);
  c.send({ data: "z", seq: 3001 });
  c.expect({ win: 0, ack: 3001 });
  assert(byte(c, "quick") > 0);
  c.end();
});

Deno.test("the user's read sends the ACK of more than a segment, or of a whole write", async () => {
  const c = await settled();
  feed(c, 300);
  c.tryRead(100); // not all
  c.silent();
  c.tryRead(); // all of it; the peer's segment was not full, so nothing may follow
  c.expect({ flags: "A", ack: c.nxt });
  feed(c, MSS); // a full one: the next is on its way
  c.tryRead();
  c.silent();
  c.host.advance(MIN);
  c.takeAll();
  c.send({ flags: "PA", data: pattern(MSS) }); // full, but the end of a write
  c.silent();
  c.tryRead();
  c.expect({ flags: "A", ack: c.nxt });
  c.end();
});

Deno.test("a user that lags behind gets the ACK with the read that opens the window", async () => {
  const c = await settled({ rcvbuf: 40_000 });
  let acks = 0;
  for (let i = 0; i < 40; i++) acks += feed(c, MSS)[0];
  assert(acks >= 10 && acks < 20, `${acks} ACKs`);
  c.host.advance(MIN * 6);
  c.takeAll();
  c.tryRead();
  c.expect({ flags: "A", ack: c.nxt, win: 40_000 });
  c.end();
});

Deno.test("the ACK of a FIN waits for our own, as long as an ACK may", async () => {
  const c = await settled();
  c.send({ flags: "FA" });
  c.silent();
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  c.shutdown(1);
  c.expect({ flags: "FA", ack: c.nxt });
  c.end();
  const late = await settled();
  late.send({ flags: "FA" });
  assertEquals(late.expectWithin(500_000, { flags: "A", ack: late.nxt }), MIN);
  late.end();
});

Deno.test("the ACK of a FIN leaves at once in FIN-WAIT-1 and FIN-WAIT-2", async () => {
  for (const acked of [false, true]) {
    const c = await settled();
    c.shutdown(1);
    c.expect({ flags: "FA" });
    c.send({ flags: "FA", ack: acked ? 2 : 1 });
    c.expect({ flags: "A", ack: c.nxt });
    c.end();
  }
});

Deno.test("bulk data keeps to one ACK for two segments, whatever the user reads", async () => {
  const c = await settled();
  let acks = 0;
  for (let i = 0; i < 200; i++) {
    acks += feed(c, MSS)[0];
    c.tryRead();
    acks += c.takeAll().length;
  }
  assertEquals(acks, 100);
  c.end();
});
