/** The retransmission timer: RFC 6298, RFC 9293 3.8.1 and 3.8.3, RFC 5681 3.1, RFC 5482. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, Errno, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const SECOND = 1_000_000;
const RTO_MIN = 200_000;

/** Sends one byte and has it acknowledged after `rtt` microseconds. */
function roundTrip(c: Conn, rtt: number): void {
  c.write("x");
  c.expect({ len: 1 });
  c.host.advance(rtt);
  c.send({});
}

Deno.test("RFC 6298 2 (MUST-18): SRTT, RTTVAR and RTO follow the formulas", async () => {
  const rtts = fc.array(fc.integer({ min: 1000, max: 150_000 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(rtts, async (list) => {
      const c = await established();
      // the handshake took no time: SRTT is next to nothing
      let [srtt, rttvar] = [1, 0];
      for (const rtt of list) {
        roundTrip(c, rtt);
        rttvar = 0.75 * rttvar + 0.25 * Math.abs(srtt - rtt);
        srtt = 0.875 * srtt + 0.125 * rtt;
        const rto = Math.max(RTO_MIN, srtt + Math.max(1000, 4 * rttvar));
        assert(Math.abs(c.tcb("srtt_us") - srtt) < 32, `SRTT ${c.tcb("srtt_us")}, ${srtt}`);
        assert(Math.abs(c.tcb("rto_us") - rto) < 64, `RTO ${c.tcb("rto_us")}, ${rto}`);
      }
      c.end();
    }),
    { numRuns: 30, seed: 6298 },
  );
});

// MUST-19, MUST-20, SHLD-11
Deno.test("RFC 6298 5.5: the RTO doubles up to a minute; after 12 times ETIMEDOUT", async () => {
  const c = await established();
  c.write("abc");
  c.expect({ seq: 1, data: "abc" });
  const seconds: number[] = [];
  for (let i = 0; i < 12; i++) {
    seconds.push(c.expectWithin(100 * SECOND, { seq: 1, data: "abc" }) / SECOND);
  }
  assertEquals(seconds, [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60, 60]);
  assertEquals(c.expectWithin(100 * SECOND, { flags: "RA", seq: 4 }), 60 * SECOND);
  assertEquals(c.state(), TcpState.CLOSED);
  c.readFails(Errno.ETIMEDOUT);
  assertEquals(c.stat(Stat.TCP_RTO), 12);
  c.end();
});

Deno.test("RFC 9293 3.8.3 (SHLD-11): many short timeouts do not end a connection", async () => {
  const settings = { rto_min_us: 5000, data_retries: 9 };
  const c = await established({ rtt_us: 1000, sackOk: true, settings });
  for (let i = 0; i < 20; i++) {
    c.write("x");
    c.host.advance(1000);
    c.send({});
    c.takeAll();
  }
  c.write("abc");
  let seconds = 0;
  for (; c.state() === TcpState.ESTABLISHED; seconds++) c.host.advance(SECOND);
  // as long as nine timeouts from 200 ms on, 102.2 s, and at most a doubled timeout longer
  assert(c.stat(Stat.TCP_RTO) > 9, "they were more");
  assert(seconds > 102 && seconds < 205, `after ${seconds} s`);
  c.readFails(Errno.ETIMEDOUT);
  c.end();
});

Deno.test("RFC 6298 5.1 to 5.3: the timer starts, restarts and stops", async () => {
  const c = await established();
  c.write(pattern(2920));
  c.takeAll();
  c.host.advance(150_000);
  c.send({ ack: 1461 });
  // the sample of 150 ms: SRTT 18.75 ms, RTTVAR 37.5 ms; so 200 ms from here
  assertEquals(c.expectWithin(SECOND, { seq: 1461, len: 1460 }), RTO_MIN);
  c.send({ ack: 2921 });
  c.silentFor(100 * SECOND);
  c.end();
});

Deno.test("RFC 6298 5.2: a duplicate ACK does not restart the timer", async () => {
  const c = await established();
  c.write("abc");
  c.takeAll();
  c.host.advance(150_000);
  c.send({ ack: 1 });
  assertEquals(c.expectWithin(SECOND, { seq: 1 }), 50_000);
  c.end();
});

Deno.test("RFC 6298 3 (Karn): no sample of a segment that was sent twice", async () => {
  const c = await established();
  roundTrip(c, 100_000);
  const srtt = c.tcb("srtt_us");
  c.write("y");
  c.take();
  c.expectWithin(SECOND, { seq: 2, data: "y" });
  c.host.advance(50_000);
  c.send({});
  assertEquals(c.tcb("srtt_us"), srtt);
  c.end();
});

Deno.test("RFC 6298 5 (Karn): the backoff stays until a sample is taken", async () => {
  const c = await established();
  c.write("a");
  c.take();
  for (let i = 0; i < 3; i++) c.expectWithin(10 * SECOND, { data: "a" });
  c.send({ ack: 2 });
  c.write("b"); // RTO 200 ms << 3
  c.expect({ data: "b" });
  assertEquals(c.expectWithin(10 * SECOND, { data: "b" }), 8 * RTO_MIN);
  c.send({ ack: 3 });
  roundTrip(c, 10_000); // a sample
  c.write("c");
  c.expect({ data: "c" });
  assertEquals(c.expectWithin(10 * SECOND, { data: "c" }), RTO_MIN);
  c.end();
});

Deno.test("RFC 7323 4.1: with timestamps the ACK of a second sending is a sample", async () => {
  const c = await established({ ts: true });
  c.write("a");
  c.take();
  for (let i = 0; i < 3; i++) c.expectWithin(10 * SECOND, { data: "a" });
  c.host.advance(20_000);
  c.send({ ack: 2 });
  c.write("b");
  c.expect({ data: "b" });
  assertEquals(c.expectWithin(10 * SECOND, { data: "b" }), RTO_MIN);
  assert(c.tcb("srtt_us") < 20_000, "not the time since the first sending");
  c.end();
});

Deno.test("RFC 9293 3.8.3: the limit counts from the last progress", async () => {
  const c = await established();
  c.write(pattern(20 * 1460));
  c.takeAll();
  for (let i = 1; i <= 20; i++) {
    for (let k = 0; k < 5; k++) {
      c.host.untilSent(100 * SECOND);
      c.takeAll();
    }
    c.send({ ack: 1 + i * 1460 });
    c.takeAll();
  }
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end();
});

// RFC 5681 3.1-13, 3.1-15
Deno.test("RFC 5681 3.1: a timeout leaves one segment of window and half the flight", async () => {
  const c = await established({ options: [NEWRENO] });
  c.write(pattern(14_600));
  assertEquals(c.takeAll().length, 10);
  c.expectWithin(SECOND, { seq: 1, len: 1460 });
  c.silent();
  assertEquals(c.tcb("cwnd"), 1460);
  assertEquals(c.tcb("ssthresh"), 7300);
  c.expectWithin(SECOND, { seq: 1, len: 1460 });
  assertEquals(c.tcb("ssthresh"), 7300, "held for a segment sent again already");
  c.end();
});

Deno.test("RFC 5681 3.1: slow start after a timeout, in order from SND.UNA", async () => {
  const c = await established();
  c.write(pattern(14_600));
  c.takeAll();
  c.rcv = 1;
  c.expectWithin(SECOND, { seq: 1 });
  const perAck: number[] = [];
  for (const segments of [1, 2, 4, 8]) {
    c.send({ ack: 1 + segments * 1460 });
    perAck.push(c.takeAll().length);
  }
  // RFC 3465 2.3: one segment of window for each ACK, although it acknowledges more; two are left
  assertEquals(perAck, [2, 2, 3, 2]);
  c.end();
});

Deno.test("RFC 5681 3.1: data that arrived after all is not sent again", async () => {
  const c = await established();
  c.write(pattern(5840));
  c.takeAll();
  c.expectWithin(SECOND, { seq: 1 });
  c.send({ ack: 5841 });
  c.silentFor(100 * SECOND);
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 1);
  c.end();
});

Deno.test("RFC 5482: TCP_USER_TIMEOUT limits how long data is unacknowledged", async () => {
  const c = await established({ options: [[IpProto.TCP, TcpOpt.USER_TIMEOUT, 5000]] });
  c.host.advance(3600 * SECOND); // an idle hour does not count
  c.write("abc");
  c.take();
  c.host.advance(4_999_999);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(1);
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("RFC 5482: progress starts the user timeout anew", async () => {
  const c = await established({ options: [[IpProto.TCP, TcpOpt.USER_TIMEOUT, 5000]] });
  c.write(pattern(14_600));
  for (let i = 1; i <= 9; i++) {
    c.host.advance(4 * SECOND);
    c.takeAll();
    c.send({ ack: 1 + 1460 * i });
  }
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(5 * SECOND);
  assertEquals(c.state(), TcpState.CLOSED);
  c.end();
});

Deno.test("RFC 7323 4.1: a lost ACK does not make the timeout a sample", async () => {
  const c = await established({ ts: true });
  c.write("a");
  const first = c.expect({ data: "a" }).ts![0];
  for (let i = 0; i < 3; i++) c.expectWithin(10 * SECOND, { data: "a" });
  c.send({ ack: 2, ts: [c.tsNow(), first] }); // the peer had it from the first sending on
  assert(c.tcb("srtt_us") < 1000);
  c.write("b");
  c.expect({ data: "b" });
  assertEquals(c.expectWithin(10 * SECOND, { data: "b" }), 8 * RTO_MIN, "the backoff stays");
  c.end();
});
