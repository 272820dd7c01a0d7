/** Pacing, by SO_MAX_PACING_RATE and by the setting. */

import { assert, assertEquals } from "@std/assert";
import { So, Sol } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Tcb } from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 1460;
const MS = 1000;
const SECOND = 1_000_000;

/** One segment in a millisecond. */
const RATE = MSS * 1000;

/** A connection whose initial window is acknowledged, with much to send. */
async function bulk(shake: Shake = {}): Promise<Conn> {
  const c = await established({
    sndbuf: 4 << 20,
    wscale: 7,
    win: 60_000,
    sackOk: true,
    options: [[Sol.SOCKET, So.MAX_PACING_RATE, RATE]],
    ...shake,
  });
  c.send({}); // the window, scaled
  c.write(pattern(1 << 20));
  return c;
}

/** Acknowledges all that was sent. */
function acknowledge(c: Conn): number {
  const sent = c.takeAll().filter((s) => s.data.length > 0);
  c.send({ ack: Math.max(c.rcv, ...sent.map((s) => s.seq + s.data.length)) });
  return sent.length;
}

Deno.test("the initial window is not paced, what follows is", async () => {
  const c = await bulk();
  assertEquals(acknowledge(c), 10);
  assertEquals(c.takeAll().length, 2, "a burst of two segments");
  c.host.advance(3 * SECOND);
  const times = c.takeAll().map((s) => s.at);
  assert(times.length > 5);
  c.end();
});

Deno.test("segments leave at the pace, two at a time, each burst by one timer", async () => {
  const c = await bulk({ settings: { initial_cwnd_segments: 100 } });
  assertEquals(acknowledge(c), 100);
  const start = c.host.now;
  c.host.advance(98 * MS);
  const times = c.takeAll().map((s) => (s.at - start) / MS);
  assertEquals(times, Array.from({ length: 100 }, (_, i) => 2 * Math.floor(i / 2)));
  assertEquals(c.stat(Stat.TCP_PACED), 50);
  c.end();
});

Deno.test("a fast pace has bursts of a millisecond, at most 64 KB", async () => {
  for (const [rate, burst] of [[20 * RATE, 20], [200 * RATE, 45]]) {
    const settings = { initial_cwnd_segments: 100 };
    const options: Shake["options"] = [[Sol.SOCKET, So.MAX_PACING_RATE, rate]];
    const c = await bulk({ settings, options });
    acknowledge(c);
    const sent = c.takeAll().length;
    assert(Math.abs(sent - burst) <= 1, `${sent} segments at once`);
    c.end();
  }
});

Deno.test("what is slow is slow: one segment in many seconds", async () => {
  const c = await established({ options: [[Sol.SOCKET, So.MAX_PACING_RATE, 100]] });
  c.write(pattern(20 * MSS));
  assertEquals(acknowledge(c), 10);
  assertEquals(acknowledge(c), 2);
  c.silentFor(29 * SECOND);
  c.expectWithin(SECOND, { len: MSS });
  c.end();
});

Deno.test("an ACK alone does not wait, and takes no data with it", async () => {
  const c = await bulk();
  acknowledge(c);
  c.takeAll();
  c.send({ seq: 2, data: "out of order" });
  const ack = c.expect({ flags: "A", len: 0, ack: 1 });
  assertEquals(ack.at, c.host.now);
  c.silent();
  c.end();
});

Deno.test("retransmissions go at the pace too", async () => {
  const c = await bulk({ settings: { initial_cwnd_segments: 40 } });
  const sent = c.takeAll();
  assertEquals(sent.length, 40);
  c.host.advance(20 * MS);
  const end = sent[39].seq + MSS;
  // the first twenty are lost
  c.rcv = 1;
  for (let i = 21; i <= 40; i++) c.send({ ack: 1, sack: [[1 + 20 * MSS, 1 + i * MSS]] });
  c.host.advance(50 * MS);
  const again = c.takeAll().filter((s) => s.seq < end && s.data.length > 0);
  assert(again.length >= 10, `${again.length} sent again`);
  for (let i = 2; i < again.length; i++) {
    assert(again[i].at - again[i - 2].at >= MS, "no more than two at once");
  }
  c.end();
});

Deno.test("the pace is two windows in a round trip below half of ssthresh, else 1.2", async () => {
  const c = await bulk({ settings: { pacing: 1 }, options: [] });
  c.host.advance(100 * MS);
  for (let i = 0; i < 4; i++) {
    acknowledge(c);
    c.host.advance(100 * MS);
  }
  const pace = (percent: number) => Math.floor(c.tcb("cwnd") * percent * 10_000 / c.tcb("srtt_us"));
  acknowledge(c);
  c.takeAll();
  assertEquals(c.tcb("pacing_rate"), pace(200));
  c.host.engine.view.setUint32(c.host.call("tcb_of", c.so) + Tcb.ssthresh, c.tcb("cwnd"), true);
  c.host.advance(200 * MS);
  acknowledge(c);
  assertEquals(c.tcb("pacing_rate"), pace(120));
  c.end();
});

Deno.test("a window is spread over the round trip", async () => {
  const c = await established({ sndbuf: 4 << 20, wscale: 7, settings: { pacing: 1 } });
  for (let i = 0; i < 40; i++) {
    c.write("x");
    c.host.advance(100 * MS);
    acknowledge(c);
  }
  c.write(pattern(1 << 20));
  for (let i = 0; i < 4; i++) {
    c.host.advance(100 * MS);
    acknowledge(c);
  }
  const start = c.host.now;
  c.host.advance(100 * MS);
  const sent = c.takeAll();
  assert(sent.length > 100, `${sent.length}`);
  for (const part of [0.1, 0.25, 0.4]) {
    // twice the window in a round trip
    const early = sent.filter((s) => s.at - start < part * 100 * MS).length;
    const want = 2 * part * sent.length;
    assert(Math.abs(early - want) < 0.15 * sent.length, `${early} in ${part}, not ${want}`);
  }
  c.end();
});

Deno.test("without a limit what waits goes", async () => {
  const c = await bulk({ options: [[Sol.SOCKET, So.MAX_PACING_RATE, 1000]] });
  acknowledge(c);
  c.takeAll();
  c.silentFor(MS);
  c.host.setopt(c.so, Sol.SOCKET, So.MAX_PACING_RATE, -1);
  c.host.settle();
  assert(c.takeAll().length > 5);
  assertEquals(c.host.getopt(c.so, Sol.SOCKET, So.MAX_PACING_RATE), -1);
  assertEquals(c.tcb("d_pace"), 0);
  c.end();
});

Deno.test("a connection that was accepted has its listener's pace", async () => {
  const c = await bulk({ passive: true });
  assertEquals(c.host.getopt(c.so, Sol.SOCKET, So.MAX_PACING_RATE), RATE);
  acknowledge(c);
  assertEquals(c.takeAll().length, 2);
  c.end();
});

Deno.test("the option is TCP's", async () => {
  const c = await established();
  const udp = c.host.call("so_create", 2, 2, 0);
  assert(c.host.trySetopt(udp, Sol.SOCKET, So.MAX_PACING_RATE, 1) < 0);
  assert(c.host.trySetopt(c.so, Sol.SOCKET, So.MAX_PACING_RATE) < 0, "no value");
  c.end(udp);
});
