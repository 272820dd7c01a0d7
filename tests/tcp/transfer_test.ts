/** Transfers between two engines over a bad link: every byte arrives, nothing is left behind. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Pair, type Side } from "./pair.ts";

const side = (most: number): fc.Arbitrary<Side> =>
  fc.record({
    bytes: fc.oneof(fc.nat(5), fc.nat(most)),
    sndbuf: fc.constantFrom(undefined, 2048, 10_000, 100_000),
    rcvbuf: fc.constantFrom(undefined, 1000, 5000, 30_000, 500_000),
    read: fc.constantFrom(undefined, 100, 1000, 10_000),
    options: fc.constantFrom(
      [],
      [[IpProto.TCP, TcpOpt.RFC1323, 0]],
      [[IpProto.TCP, TcpOpt.NODELAY, 1]],
      [[IpProto.TCP, TcpOpt.MAXSEG, 100]],
    ) as fc.Arbitrary<[number, number, number][]>,
  });

const link = fc.record({
  delay_us: fc.constantFrom(0, 100, 20_000, 300_000),
  jitter_us: fc.constantFrom(0, 50, 5000, 50_000),
  loss: fc.constantFrom(0, 0.01, 0.1, 0.25),
  duplicate: fc.constantFrom(0, 0.1),
  seed: fc.nat(),
});

Deno.test("property: any loss, order and repetition delivers both streams and closes", async () => {
  const property = fc.asyncProperty(link, side(30_000), side(30_000), async (l, a, b) => {
    const pair = await Pair.join(l);
    pair.transfer(a, b);
    pair.end();
  });
  await fc.assert(property, { numRuns: 40, seed: 793 });
});

Deno.test("property: the same with hardly any mbufs", async () => {
  const pools = fc.record({
    mbufs_small: fc.integer({ min: 40, max: 200 }),
    mbufs_cluster: fc.integer({ min: 24, max: 80 }),
  });
  const property = fc.asyncProperty(link, side(60_000), pools, async (l, a, memory) => {
    const pair = await Pair.join({ ...l, loss: Math.min(l.loss, 0.1) }, { memory });
    pair.transfer({ ...a, sndbuf: 200_000 }, { bytes: 10_000, rcvbuf: 200_000, read: 500 });
    pair.end();
  });
  await fc.assert(property, { numRuns: 12, seed: 1988 });
});

Deno.test("a large transfer over a clean link sends nothing twice", async () => {
  const pair = await Pair.join({ delay_us: 10_000, seed: 1 }, { checks: false });
  const took = pair.transfer({ bytes: 3_000_000 }, { bytes: 0 });
  assertEquals(pair.a.inspect.stat(Stat.TCP_REXMT_SEGMENTS), 0);
  assertEquals(pair.b.inspect.stat(Stat.TCP_OUT_OF_ORDER), 0);
  assert(took < 600_000, `${took} microseconds`);
  pair.end();
});

Deno.test("a large transfer with one loss in a hundred needs few timeouts", async () => {
  const l = { delay_us: 10_000, loss: 0.01, seed: 2 };
  const pair = await Pair.join(l, { checks: false });
  pair.transfer({ bytes: 3_000_000 }, { bytes: 0 });
  const sent = pair.a.inspect.stat(Stat.TCP_REXMT_SEGMENTS);
  const segments = 3_000_000 / 1448;
  assert(sent > segments * 0.005 && sent < segments * 0.03, `${sent} segments sent again`);
  assert(pair.a.inspect.stat(Stat.TCP_RTO) <= 3, `${pair.a.inspect.stat(Stat.TCP_RTO)} timeouts`);
  pair.end();
});

Deno.test("RFC 6582: the same without SACK and timestamps", async () => {
  const drop = (n: number) => n > 10 && n % 150 === 0;
  const pair = await Pair.join({ delay_us: 10_000, seed: 3, drop }, { checks: false });
  stripOptions(pair);
  pair.transfer({ bytes: 1_000_000 }, { bytes: 0 });
  assert(pair.a.inspect.stat(Stat.TCP_FAST_REXMT) >= 3);
  assert(pair.a.inspect.stat(Stat.TCP_RTO) <= 2);
  assertEquals(pair.a.inspect.stat(Stat.TCP_SACK_IN), 0);
  pair.end();
});

/** Has the link take SACK-permitted and timestamps out of SYNs, as some middleboxes do. */
function stripOptions(pair: Pair): void {
  for (const host of [pair.a, pair.b]) {
    const input = host.input.bind(host);
    host.input = (...packets) => {
      for (const packet of packets) if (packet[33] & 2) blank(packet);
      input(...packets);
    };
  }
}

/** Replaces the options after MSS by NOP, and mends the checksum. */
function blank(packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let sum = ~view.getUint16(36) & 0xffff;
  for (let at = 44; at < 20 + (packet[32] >>> 4) * 4; at += 2) {
    sum += (~view.getUint16(at) & 0xffff) + 0x0101;
    view.setUint16(at, 0x0101);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(36, ~sum & 0xffff);
}

Deno.test("RFC 9293 figure 7: both ends connect at once", async () => {
  const pair = await Pair.join({ delay_us: 5000, seed: 4 });
  const sockets = [pair.a, pair.b].map((host) => {
    const so = host.socket();
    assertEquals(host.call("so_bind", so, host.name("0.0.0.0", 7000)), 0);
    return so;
  });
  const to = (i: number) => [pair.b, pair.a][i].ip;
  [pair.a, pair.b].forEach((host, i) => {
    host.call("so_connect", sockets[i], host.name(to(i), 7000));
    host.step();
  });
  pair.run(1_000_000);
  [pair.a, pair.b].forEach((host, i) => {
    assertEquals(host.inspect.tcb(sockets[i], "state"), 4);
    assertEquals(host.inspect.stat(Stat.TCP_CONNECTED), 1);
    host.close(sockets[i]);
  });
  pair.run(1_000_000);
  assertEquals(pair.a.inspect.sockets().length + pair.b.inspect.sockets().length, 0);
  assertEquals(pair.a.inspect.stat(Stat.TCP_RTO) + pair.b.inspect.stat(Stat.TCP_RTO), 0);
  pair.end();
});

Deno.test("a link that is cut: silence does no harm, data ends in ETIMEDOUT", async () => {
  let cut = false;
  const pair = await Pair.join({ delay_us: 5000, seed: 5, drop: () => cut });
  const listener = pair.b.listen(80);
  const so = pair.a.socket();
  pair.a.call("so_connect", so, pair.a.name(pair.b.ip, 80));
  pair.run(100_000);
  cut = true;
  pair.run(LONG);
  assertEquals(pair.a.inspect.tcb(so, "state"), 4);
  pair.a.call("so_send", so, pair.a.engine.staging, 10, 0, 0);
  pair.run(LONG);
  assertEquals(pair.a.error(so), 78);
  cut = false;
  const peer = pair.b.accept(listener);
  assertEquals(pair.b.inspect.tcb(peer, "state"), 4, "the other end has not noticed");
  pair.b.call("so_send", peer, pair.b.engine.staging, 10, 0, 0);
  pair.run(1_000_000);
  assertEquals(pair.b.error(peer), 73, "it has now: our RST");
  pair.a.close(so);
  pair.b.close(peer);
  pair.b.close(listener);
  pair.end();
});

const LONG = 600_000_000;

Deno.test("a quarter lost with buffers of a few bytes: a window in about a second", async () => {
  for (const buffer of [1, 7, 50, 200]) {
    const pair = await Pair.join({ delay_us: 20_000, loss: 0.25, seed: buffer }, { checks: false });
    const side = { bytes: 600, sndbuf: buffer, rcvbuf: buffer };
    const took = pair.transfer(side, side);
    assert(took < 1_500_000 * (20 + 600 / buffer), `${buffer}: ${took} microseconds`);
    pair.end();
  }
});
