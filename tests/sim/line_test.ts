/** Links of simulated worlds: rates, delays, queues, and what goes wrong on them. */

import { assert, assertEquals } from "@std/assert";
import { checksum } from "../tcp/segment.ts";
import { damage, markCe } from "../../sim/frame.ts";
import { Heap } from "../../sim/heap.ts";
import { Line, type LineSpec, type LineWorld } from "../../sim/line.ts";
import { Random } from "../../sim/random.ts";

const PLAIN: LineSpec = {
  rate_bps: Infinity,
  delay_us: 1000,
  jitter_us: 0,
  queue: { kind: "tail", limit_bytes: 1e9, ecn: false },
  loss: 0,
  corrupt: 0,
  duplicate: 0,
  reorder: 0,
  reorder_us: 0,
};

/** A line alone, and what came out of it. */
class Bench implements LineWorld {
  now_us = 0;
  readonly arrived: { at_us: number; n: number }[] = [];
  readonly line: Line;
  readonly #heap = new Heap();

  constructor(spec: Partial<LineSpec>, seed = 1) {
    const arrive = (at_us: number, bytes: Uint8Array) =>
      this.arrived.push({ at_us, n: bytes[20] << 8 | bytes[21] });
    this.line = new Line({ ...PLAIN, ...spec }, "ip", this, new Random(seed), arrive);
  }

  at(at_us: number, happen: () => void): void {
    this.#heap.push({ at_us, happen });
  }

  /** Sends a packet of `length` bytes, with a number in it, at a time not before the last one. */
  send(n: number, length = 1000, at_us = this.now_us, tos = 0): Uint8Array<ArrayBuffer> {
    this.run(at_us);
    const packet = ipPacket(length, tos);
    packet[20] = n >> 8;
    packet[21] = n & 255;
    this.line.send(packet);
    return packet;
  }

  run(to_us: number): void {
    while (this.#heap.next_us <= to_us) {
      const event = this.#heap.pop();
      this.now_us = event.at_us;
      event.happen();
    }
    this.now_us = to_us;
  }
}

/** An IPv4 packet with a right header checksum. */
function ipPacket(length: number, tos = 0): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(length);
  packet.set([0x45, tos, length >> 8, length & 255, 0, 7, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1]);
  packet.set([10, 0, 0, 2], 16);
  const sum = ~checksum(packet.subarray(0, 20)) & 0xffff;
  packet[10] = sum >> 8;
  packet[11] = sum & 255;
  return packet;
}

Deno.test("line: a frame takes its time on the wire and the delay", () => {
  const bench = new Bench({ rate_bps: 8e6 }); // a byte a microsecond
  bench.send(0);
  bench.send(1);
  bench.send(2, 500, 5000);
  assertEquals(bench.arrived.map(({ at_us }) => at_us), [2000, 3000, 6500]);
});

Deno.test("line: what finds the queue full is dropped, and a drained queue takes more", () => {
  const bench = new Bench({
    rate_bps: 8e6,
    queue: { kind: "tail", limit_bytes: 3000, ecn: false },
  });
  for (let n = 0; n < 5; n++) bench.send(n);
  assertEquals(bench.line.stats.dropped, 2);
  assert(!bench.line.hasRoom(1000));
  assertEquals(bench.line.roomAt_us(1000), 1000);
  bench.send(5, 1000, 1000);
  assertEquals(bench.arrived.map(({ n }) => n), [0, 1, 2, 5]);
});

Deno.test("line: an idle wire takes a frame that is longer than its queue", () => {
  const bench = new Bench({
    rate_bps: 8e6,
    queue: { kind: "tail", limit_bytes: 100, ecn: false },
  });
  bench.send(0);
  bench.send(1);
  assertEquals(bench.arrived.length, 1);
});

Deno.test("line: jitter keeps the order, reordering does not", () => {
  for (const reorder of [0, 0.2]) {
    const bench = new Bench({ jitter_us: 5000, reorder, reorder_us: 20_000 });
    for (let n = 0; n < 1000; n++) bench.send(n, 100, n * 100);
    const byTime = bench.arrived.toSorted((a, b) => a.at_us - b.at_us || a.n - b.n);
    const late = byTime.filter(({ n }, i) => i > 0 && n < byTime[i - 1].n).length;
    assertEquals(bench.arrived.length, 1000);
    if (reorder === 0) assertEquals(late, 0);
    else assert(late > 100, `${late} came late`);
    for (const { at_us, n } of bench.arrived) {
      assert(at_us >= n * 100 + 1000, "nothing comes before its delay");
      assert(at_us <= n * 100 + 1000 + 5000 + 25_000);
    }
  }
});

Deno.test("line: losses and doubles have the shares asked for", () => {
  const bench = new Bench({ loss: 0.1, duplicate: 0.05 });
  for (let n = 0; n < 20_000; n++) bench.send(n, 60);
  const { lost, duplicated } = bench.line.stats;
  assert(Math.abs(lost / 20_000 - 0.1) < 0.01, `${lost} lost`);
  assert(Math.abs(duplicated / (20_000 - lost) - 0.05) < 0.008, `${duplicated} doubled`);
  assertEquals(bench.arrived.length, 20_000 - lost + duplicated);
});

Deno.test("line: a partition swallows all, and heals", () => {
  const bench = new Bench({});
  bench.send(0);
  bench.line.severed = true;
  bench.send(1);
  bench.line.severed = false;
  bench.send(2);
  assertEquals(bench.arrived.map(({ n }) => n), [0, 2]);
  assertEquals(bench.line.stats.cut, 1);
});

Deno.test("line: a device that saves interrupts lets frames wait for each other", () => {
  const bench = new Bench({ rate_bps: 8e6, delay_us: 10, grain_us: 500 });
  for (let n = 0; n < 4; n++) bench.send(n, 200);
  assertEquals(bench.arrived.map(({ at_us }) => at_us), [500, 500, 1000, 1000]);
});

Deno.test("line: marks CE instead of dropping, only for senders that take part (RFC 3168)", () => {
  const queue = { kind: "tail", limit_bytes: 4000, mark_bytes: 1500, ecn: true } as const;
  const bench = new Bench({ rate_bps: 8e6, queue });
  const sent = [0, 1, 2, 3, 4].map((n) => bench.send(n, 1000, 0, n === 2 ? 0 : 2));
  assertEquals(sent.map((packet) => packet[1] & 3), [2, 2, 0, 3, 2]);
  assertEquals(bench.line.stats.marked, 1);
  assertEquals(bench.line.stats.dropped, 1);
  for (const packet of sent) assertEquals(checksum(packet.subarray(0, 20)), 0xffff);
});

Deno.test("line: every mark leaves the header checksum right", () => {
  for (let tos = 0; tos < 256; tos++) {
    for (const length of [40, 576, 1500]) {
      const packet = ipPacket(length, tos);
      assertEquals(markCe(packet, "ip"), (tos & 3) !== 0);
      assertEquals(packet[1], (tos & 3) === 0 ? tos : tos | 3);
      assertEquals(checksum(packet.subarray(0, 20)), 0xffff);
    }
  }
});

Deno.test("line: damage is never such that the Internet checksum misses it", () => {
  const random = new Random(5);
  for (let i = 0; i < 20_000; i++) {
    const packet = new Uint8Array(60).map(() => random.below(256));
    packet[0] = 0x45;
    const before = checksum(packet);
    assert(damage(packet, "ip", random));
    assert(checksum(packet) % 0xffff !== before % 0xffff, "the sum differs");
  }
});
