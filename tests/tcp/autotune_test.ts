/** Buffers that the stack sizes: dynamic right-sizing of so_rcv, and so_snd after the window. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { Conn, Host, pattern, type Shake } from "./harness.ts";
import type { TcpTuning } from "./host.ts";
import { Pair, type Side } from "./pair.ts";
import { connecting, established, synOptions } from "./shake.ts";

const MSS = 1448;
const LONG = 40_000_000;
const SHORT = 5_000_000;
const memory = { bytes: 96 << 20, mbufs_cluster: 30_000 };
const link = { delay_us: 50_000, rate_bps: 100e6, seed: 1 };

/** Share of a path of 100 Mbit/s and 100 ms that a transfer of so many bytes gets. */
async function share(bytes: number, tcp: TcpTuning, a: Partial<Side> = {}): Promise<number> {
  const pair = await Pair.join(link, { memory, tcp, checks: false });
  const took = pair.transfer({ bytes, ...a }, { bytes: 0 });
  return bytes * 8 / (took / 1e6) / link.rate_bps;
}

Deno.test("a path of 100 Mbit/s and 100 ms is filled with buffers that grow", async () => {
  const both = await share(LONG, { moderate_rcvbuf: 1, moderate_sndbuf: 1 });
  assert(both > 0.75, `${both}`);
  for (const tcp of [{}, { moderate_rcvbuf: 1 }, { moderate_sndbuf: 1 }]) {
    const less = await share(SHORT, tcp);
    assert(less < 0.25, `${less} with ${JSON.stringify(tcp)}`);
  }
});

Deno.test("it is filled without timestamps, too, and with quick ACKs", async () => {
  const tcp = { moderate_rcvbuf: 1, moderate_sndbuf: 1, timestamps: 0, quickacks: 16 };
  const both = await share(LONG, tcp);
  assert(both > 0.75, `${both}`);
});

Deno.test("SO_SNDBUF fixes the size of the buffer", async () => {
  const less = await share(SHORT, { moderate_rcvbuf: 1, moderate_sndbuf: 1 }, { sndbuf: 262_144 });
  assert(less < 0.25, `${less}`);
});

/** A connection whose so_rcv grows; both sides have timestamps, and the round trip is 20 ms. */
async function growing(shake: Shake = {}): Promise<Conn> {
  const tcp = { moderate_rcvbuf: 1, rcvbuf: 65_536, ...shake.host?.tcp };
  const host = await Host.boot({ memory, ...shake.host, tcp });
  const agreed = { ts: true, sackOk: true, wscale: 7, ...shake, host: undefined };
  const c = await connecting(agreed, host);
  host.advance(20_000);
  c.send({ flags: "SA", ack: 1, ...synOptions(agreed, c) });
  c.ts = true;
  c.expect({ flags: "A", ack: 1 });
  return c;
}

function size(c: Conn): number {
  return c.host.getopt(c.so, Sol.SOCKET, So.RCVBUF);
}

/** One round trip: so many segments come, evenly, and the user reads up to so many bytes. */
function roundTrip(c: Conn, segments: number, read = Infinity): void {
  let [sent, left] = [0, read];
  const echo = c.tsEcr; // of the round trip before
  const segment = () => ({
    data: pattern(MSS, c.nxt),
    ...(c.ts ? { ts: [c.tsNow(), echo] as const } : {}),
  });
  for (let part = 1; part <= 10; part++) {
    c.host.advance(2000);
    for (; sent < segments * part / 10; sent++) c.send(segment());
    for (let n = 1; left > 0 && n > 0; left -= n) n = c.tryRead(Math.min(left, 65_536)).n;
    c.takeAll();
  }
}

Deno.test("so_rcv stays ahead of a sender that doubles its window", async () => {
  const c = await growing();
  for (let segments = 10; segments <= 1280; segments *= 2) {
    roundTrip(c, segments);
    assert(size(c) >= 2 * segments * MSS, `${size(c)} after ${segments} segments`);
  }
  assert(size(c) <= 6_291_456);
  c.end();
});

Deno.test("so_rcv grows no further than the setting, or than the window can say", async () => {
  const c = await growing({ host: { tcp: { rcvbuf_max: 200_000 } } });
  for (let i = 0; i < 6; i++) roundTrip(c, 60);
  assertEquals(size(c), 200_000);
  c.end();
  const plain = await growing({ wscale: undefined });
  for (let i = 0; i < 6; i++) roundTrip(plain, 40);
  assertEquals(size(plain), 65_536);
  plain.end();
});

Deno.test("so_rcv stays as it is for a user that lags, or whose sender does not grow", async () => {
  const lags = await growing();
  for (let i = 0; i < 10; i++) roundTrip(lags, 4, 4 * MSS);
  assertEquals(size(lags), 65_536);
  lags.end();
  const steady = await growing();
  for (let i = 0; i < 50; i++) roundTrip(steady, 10);
  assertEquals(size(steady), 65_536);
  steady.end();
});

Deno.test("SO_RCVBUF fixes the size, smaller or larger", async () => {
  for (const rcvbuf of [40_000, 100_000]) {
    const c = await growing({ rcvbuf });
    for (let i = 0; i < 6; i++) roundTrip(c, 25);
    assertEquals(size(c), rcvbuf);
    c.end();
  }
});

Deno.test("no buffer grows beyond a quarter of the clusters that are free", async () => {
  const c = await growing({ host: { memory: { bytes: 8 << 20, mbufs_cluster: 600 } } });
  for (let segments = 10; segments <= 160; segments *= 2) roundTrip(c, segments);
  assert(size(c) > 65_536 && size(c) <= 600 * 2048 / 4, `${size(c)}`);
  c.end();
});

Deno.test("so_snd is two congestion windows, up to the setting", async () => {
  const tcp = { moderate_sndbuf: 1, sndbuf: 16_384, sndbuf_max: 100_000 };
  const c = await established({ win: 65_535, wscale: 7, host: { tcp, memory } });
  const sndbuf = () => c.host.getopt(c.so, Sol.SOCKET, So.SNDBUF);
  assertEquals(sndbuf(), 16_384);
  for (let i = 0; i < 10; i++) {
    c.tryWrite(pattern(100_000));
    c.host.advance(20_000);
    c.takeAll();
    c.send({});
    const due = Math.min(Math.max(2 * c.tcb("cwnd"), 16_384), 100_000);
    assertEquals(sndbuf(), due);
  }
  assertEquals(sndbuf(), 100_000);
  c.end();
});

Deno.test("RFC 9293 3.8.6: short of mbufs the window opens only a little", async () => {
  const host = { memory: { bytes: 8 << 20, mbufs_small: 64, mbufs_cluster: 64 } };
  const c = await established({ host, rcvbuf: 262_144 });
  for (let i = 0; i < 50; i++) c.send({ data: pattern(1400) });
  const { ack, win } = c.takeAll().at(-1)!;
  assertEquals([ack, win], [70_001, 65_535]);
  let [edge, still, next] = [ack + win, 0, ack];
  for (let at = ack; at < ack + win - 1400; at += 1400) {
    c.send({ seq: at, data: pattern(1400) });
    for (const s of c.takeAll()) {
      assert(s.ack + s.win >= edge, "what was promised stays");
      if (s.ack + s.win === edge) still++;
      edge = s.ack + s.win;
      next = s.ack;
    }
  }
  assert(still > 5, "and no more is promised");
  assert(c.host.inspect.fate(Fate.NO_BUFFERS) > 0);
  assertEquals(c.tryRead().n > 50_000, true);
  c.takeAll();
  c.send({ seq: next, data: "x" });
  c.host.advance(40_000);
  assertEquals(c.takeAll().at(-1)!.win, 65_535);
  c.end();
});

Deno.test(
  "property: bad links deliver everything with quick ACKs and growing buffers, too",
  async () => {
    const tcp = {
      quickacks: 16,
      moderate_rcvbuf: 1,
      moderate_sndbuf: 1,
      invalid_ratelimit_ms: 500,
      rcvbuf: 8192,
      sndbuf: 8192,
    };
    const bad = fc.record({
      delay_us: fc.constantFrom(0, 100, 20_000),
      jitter_us: fc.constantFrom(0, 50, 5000),
      loss: fc.constantFrom(0, 0.01, 0.1),
      duplicate: fc.constantFrom(0, 0.1),
      rate_bps: fc.constantFrom(undefined, 10e6),
      seed: fc.nat(),
    });
    const side = fc.record({
      bytes: fc.nat(200_000),
      read: fc.constantFrom(undefined, 100, 5000),
      options: fc.constantFrom([], [[IpProto.TCP, TcpOpt.RFC1323, 0]]) as fc.Arbitrary<
        [number, number, number][]
      >,
    });
    const property = fc.asyncProperty(bad, side, side, async (l, a, b) => {
      const pair = await Pair.join(l, { tcp, checks: false });
      pair.transfer(a, b);
      pair.end();
    });
    await fc.assert(property, { numRuns: 20, seed: 813 });
  },
);
