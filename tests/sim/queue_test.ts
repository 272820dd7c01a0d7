/** CoDel (RFC 8289), bursts of losses (Gilbert and Elliott), and the heap of events. */

import { assert, assertEquals } from "@std/assert";
import { Codel, type CodelOptions, type Queued } from "../../sim/codel.ts";
import { burstLoss, Gilbert } from "../../sim/gilbert.ts";
import { Heap } from "../../sim/heap.ts";
import { Random } from "../../sim/random.ts";

interface Packet extends Queued {
  readonly n: number;
}

/** A queue in front of a wire that sends a packet a millisecond. */
class Bottleneck {
  readonly dropped: [at_us: number, n: number][] = [];
  readonly sent: number[] = [];
  readonly queue: Codel<Packet>;
  now_us = 0;
  #n = 0;

  constructor(options: Partial<CodelOptions> = {}) {
    this.queue = new Codel<Packet>({
      limit_bytes: 1e6,
      maxpacket_bytes: 1000,
      mark: () => false,
      ...options,
      dropped: (packet) => this.dropped.push([this.now_us, (packet as Packet).n]),
    });
  }

  /** So many packets come each millisecond, and one of them leaves. */
  run(ms: number, arrivals: number): void {
    for (let i = 0; i < ms; i++) {
      for (let k = 0; k < arrivals; k++) {
        this.queue.enqueue({ n: this.#n++, length: 1000, since_us: 0 }, this.now_us);
      }
      const packet = this.queue.dequeue(this.now_us);
      if (packet) this.sent.push(packet.n);
      this.now_us += 1000;
    }
  }
}

Deno.test("CoDel: a queue that drains within the interval loses nothing", () => {
  const bottleneck = new Bottleneck();
  bottleneck.run(5, 15); // a burst of 75 packets
  bottleneck.run(80, 0);
  assertEquals(bottleneck.dropped, []);
  assertEquals(bottleneck.sent.length, 75);
});

Deno.test("CoDel: the first drop comes an interval after the delay passed the target", () => {
  const bottleneck = new Bottleneck();
  bottleneck.run(1, 50);
  bottleneck.run(150, 1);
  // The sixth packet is the first to have waited for 5 ms.
  assertEquals(bottleneck.dropped[0], [105_000, 105]);
  assert(bottleneck.queue.dropping);
});

Deno.test("CoDel: drops come at intervals that shrink with the square root of their count", () => {
  const bottleneck = new Bottleneck();
  bottleneck.run(1, 200);
  bottleneck.run(700, 1);
  const times = bottleneck.dropped.map(([at_us]) => at_us);
  for (let i = 1; i < Math.min(times.length, 10); i++) {
    // The law counts from when a drop was due, and packets leave once a millisecond.
    const due_us = times[0] + [...Array(i).keys()].reduce((t, k) => t + 1e5 / Math.sqrt(k + 1), 0);
    assert(Math.abs(times[i] - due_us) <= 1000, `drop ${i} at ${times[i]}, due at ${due_us}`);
  }
  assert(times.length > 10);
});

Deno.test("CoDel: ends when the delay is below the target, and takes its rate up again", () => {
  const bottleneck = new Bottleneck();
  bottleneck.run(1, 120);
  bottleneck.run(500, 1);
  const before = bottleneck.dropped.length;
  assert(before > 3);
  bottleneck.run(200, 0);
  assert(!bottleneck.queue.dropping);
  assertEquals(bottleneck.queue.bytes, 0);
  bottleneck.run(1, 120);
  bottleneck.run(160, 1);
  const [first, second] = bottleneck.dropped.slice(before).map(([at_us]) => at_us);
  assert(second - first < 100_000 / Math.sqrt(2), `${second - first} us between the first two`);
});

Deno.test("CoDel: marks instead of dropping where it may", () => {
  let marks = 0;
  const bottleneck = new Bottleneck({ mark: () => ++marks > 0 });
  bottleneck.run(1, 100);
  bottleneck.run(400, 1);
  assert(marks > 3);
  assertEquals(bottleneck.dropped, []);
  assertEquals(bottleneck.sent.length, 401);
});

Deno.test("CoDel: the tail is dropped beyond the limit", () => {
  const bottleneck = new Bottleneck({ limit_bytes: 10_000 });
  bottleneck.run(1, 20);
  assertEquals(bottleneck.dropped.map(([, n]) => n), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
});

Deno.test("Gilbert-Elliott: bursts of the length and the share asked for", () => {
  for (const [enter, leave, bad, good] of [[0.01, 0.25, 1, 0], [0.05, 0.5, 0.7, 0.01]]) {
    const chain = new Gilbert({ enter, leave, bad, good }, new Random(3));
    const packets = 300_000;
    let [lost, bursts] = [0, 0];
    let last = false;
    for (let i = 0; i < packets; i++) {
      const loses = chain.loses();
      if (loses) lost++;
      if (loses && !last) bursts++;
      last = loses;
    }
    const share = burstLoss({ enter, leave, bad, good });
    assert(Math.abs(lost / packets / share - 1) < 0.08, `${lost / packets} lost, not ${share}`);
    if (bad === 1) assert(Math.abs(lost / bursts - 1 / leave) < 0.15, `${lost / bursts} a burst`);
  }
});

Deno.test("heap: events come by time, and in the order of their coming at the same time", () => {
  const random = new Random(9);
  const heap = new Heap();
  const expected: [number, number][] = [];
  const seen: [number, number][] = [];
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 40; i++) {
      const at_us = random.below(20);
      const n = round * 40 + i;
      expected.push([at_us, n]);
      heap.push({ at_us, happen: () => seen.push([at_us, n]) });
    }
    const most = random.below(40);
    const sorted = expected.sort(([a, n], [b, m]) => a - b || n - m);
    for (let i = 0; i < most; i++) {
      assertEquals(heap.next_us, sorted[0][0]);
      heap.pop().happen();
      assertEquals(seen.at(-1), sorted.shift());
    }
  }
  assertEquals(heap.length, expected.length);
});
