import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FrameRing, ViewCache } from "../../../drivers/frame_ring.ts";
import { pipe } from "../../../drivers/pipe.ts";
import {
  type FakeBatch,
  FakeIfnet,
  FarEnd,
  VirtualClock,
} from "../../../drivers/contract/fake_ifnet.ts";
import { SEED } from "./capture_files.ts";

function attached(queue: number) {
  const clock = new VirtualClock();
  const [left, right] = pipe({ queue });
  const leftIfp = new FakeIfnet("left", clock, 1);
  const rightIfp = new FakeIfnet("right", clock, 2);
  left.attach(leftIfp);
  right.attach(rightIfp);
  return { left, right, leftIfp, rightIfp, end: new FarEnd(right, rightIfp, 2048) };
}

const frames = (count: number) => Array.from({ length: count }, (_, i) => new Uint8Array(60 + i));

Deno.test("pipe: wakes the peer once a batch, and the sender once when half empty", () => {
  const { left, right, leftIfp, rightIfp } = attached(8);
  assertEquals(left.start(leftIfp.txBatch(frames(6))), 6);
  assertEquals(rightIfp.wakes, 1);
  assertEquals(left.start(leftIfp.txBatch(frames(6))), 2);
  assertEquals(rightIfp.wakes, 2);
  assertEquals(left.start(leftIfp.txBatch(frames(6))), 0);
  assertEquals([rightIfp.wakes, leftIfp.wakes], [2, 0]);
  assertEquals(right.rx(rightIfp.freeBatch(3, 2048)), 3);
  assertEquals(leftIfp.wakes, 0);
  assertEquals(right.rx(rightIfp.freeBatch(3, 2048)), 3);
  assertEquals(right.rx(rightIfp.freeBatch(3, 2048)), 2);
  assertEquals(leftIfp.wakes, 1);
  assertEquals(left.stats.txBusy, 2);
});

Deno.test("pipe: counts every frame it does not carry", () => {
  const { left, right, leftIfp, rightIfp, end } = attached(8);
  const batch = [new Uint8Array(0), new Uint8Array(1515), new Uint8Array(1514)];
  assertEquals(left.start(leftIfp.txBatch(batch)), 3);
  assertEquals([left.stats.txDropped, left.stats.txFrames, left.stats.txBytes], [2, 1, 1514]);
  assertEquals(right.rx(rightIfp.freeBatch(1, 1513)), 0);
  assertEquals([right.stats.rxDropped, right.stats.rxFrames], [1, 0]);
  left.start(leftIfp.txBatch(frames(3)));
  right.detach();
  assertEquals(right.stats.rxDropped, 4);
  assertEquals(left.start(leftIfp.txBatch(frames(5))), 5);
  assertEquals(left.stats.txDropped, 7);
  right.attach(rightIfp);
  assertEquals(end.receive(), []);
  left.start(leftIfp.txBatch(frames(1)));
  assertEquals(end.receive().length, 1);
});

Deno.test("pipe: a sender that waits is woken when the far end goes", () => {
  const { left, right, leftIfp } = attached(2);
  assertEquals(left.start(leftIfp.txBatch(frames(3))), 2);
  right.detach();
  assertEquals(leftIfp.wakes, 1);
});

Deno.test("pipe: both directions at once do not mix", () => {
  const { left, right, leftIfp, rightIfp, end } = attached(64);
  const other = new FarEnd(left, leftIfp, 2048);
  left.start(leftIfp.txBatch([Uint8Array.of(1), Uint8Array.of(2)]));
  right.start(rightIfp.txBatch([Uint8Array.of(3), Uint8Array.of(4)]));
  assertEquals(end.receive(), [Uint8Array.of(1), Uint8Array.of(2)]);
  assertEquals(other.receive(), [Uint8Array.of(3), Uint8Array.of(4)]);
});

Deno.test("pipe: puts frames where the other stack lends room, and loses none in order", () => {
  const ops = fc.array(
    fc.oneof(
      fc.record({ op: fc.constant("send"), n: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ op: fc.constantFrom("lend", "rx"), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ op: fc.constant("take back"), n: fc.constant(0) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(ops, (list) => {
      const { left, right, leftIfp, rightIfp } = attached(8);
      let lent: { count: number } & FakeBatch | undefined;
      let [placed, queued]: Uint8Array[][] = [[], []];
      let [sent, lost] = [0, 0];
      for (const { op, n } of list) {
        if (op === "send") {
          const batch = Array.from(
            { length: n },
            () => new Uint8Array(40 + sent % 200).fill(++sent),
          );
          const room = 8 - placed.length - queued.length;
          assertEquals(left.start(leftIfp.txBatch(batch)), Math.min(n, room));
          for (const frame of batch.slice(0, room)) {
            const fits = queued.length === 0 && placed.length < (lent?.count ?? 0);
            (fits ? placed : queued).push(frame);
          }
        } else if (op === "lend" && !lent?.count) {
          lent = rightIfp.freeBatch(n, 2048);
          lost += placed.length;
          placed = [];
          right.lend(lent);
        } else if (op === "take back" && lent) {
          lent.count = 0;
          lost += placed.length;
          placed = [];
          right.lend(lent);
        } else if (op === "rx") {
          const batch = lent?.count ? lent : rightIfp.freeBatch(n, 2048);
          const want = [...placed, ...queued.splice(0, batch.count - placed.length)];
          placed = [];
          assertEquals(rightIfp.filled(batch, right.rx(batch)), want);
          if (want.length > 0 && lent) lent.count = 0;
        }
        assertEquals(right.stats.rxDropped, lost);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("pipe: refuses options out of range", () => {
  for (const mtu of [67, 65536, 1500.5, NaN]) assertThrows(() => pipe({ mtu }), RangeError, "mtu");
  for (const queue of [0, 65537, -1]) assertThrows(() => pipe({ queue }), RangeError, "queue");
  const [end] = pipe({ mtu: 576, medium: "ip" });
  assertEquals(end.caps, { mtu: 576, medium: "ip", pointToPoint: true });
});

Deno.test("frame ring: behaves as an array of copies", () => {
  const commands = fc.array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 100 }).map((frame) => ({ op: "push", frame })),
      fc.constantFrom("shift", "drop", "shift").map((op) => ({ op, frame: new Uint8Array(0) })),
      fc.record({ op: fc.constant("clear"), frame: fc.constant(new Uint8Array(0)) }),
    ),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 9 }), (list, slots) => {
      const ring = new FrameRing(slots, 100);
      let model: Uint8Array[] = [];
      assertEquals(ring.capacity, slots);
      for (const { op, frame } of list) {
        if (op === "push") {
          const fits = model.length < slots;
          assertEquals(ring.push(new Uint8Array(frame)), fits);
          if (fits) model.push(new Uint8Array(frame));
        } else if (op === "clear") {
          assertEquals(ring.clear(), model.length);
          model = [];
        } else if (model.length > 0) {
          const head = model.shift()!;
          assertEquals(ring.headLength, head.length);
          if (op === "drop") {
            ring.drop();
          } else {
            const memory = new Uint8Array(120);
            ring.shift(memory, 7);
            assertEquals(memory.slice(7, 7 + head.length), head);
            assert(memory.slice(7 + head.length).every((byte) => byte === 0));
          }
        }
        assertEquals(ring.count, model.length);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("frame ring: copies frames of any length between any places", () => {
  const place = fc.record({
    from: fc.nat(7),
    to: fc.nat(7),
    start: fc.nat(4),
    length: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 140 })),
  });
  fc.assert(
    fc.property(fc.array(place, { maxLength: 20 }), (places) => {
      const ring = new FrameRing(3, 140);
      for (const { from, to, start, length } of places) {
        // A memory may begin anywhere in its buffer.
        const source = new Uint8Array(160).map((_, i) => i + length).subarray(start);
        const target = new Uint8Array(160).fill(0xee).subarray(start);
        const frame = source.slice(from, from + length);
        assert(ring.pushFrom(source, from, length));
        assert(ring.push(frame));
        assertEquals([ring.headLength, ring.head], [length, frame]);
        ring.shift(target, to);
        assertEquals(target.slice(to, to + length), frame);
        assert(target.every((byte, i) => byte === 0xee || (i >= to && i < to + length)), "beyond");
        ring.shift(target, 0);
        assertEquals(target.slice(0, length), frame);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("view cache: gives the right view for any sequence of addresses and memories", () => {
  const memories = [0, 1].map((m) => new Uint8Array(1 << 20).map((_, i) => (i * 31 + m) & 255));
  const ask = fc.tuple(fc.nat(1), fc.nat((1 << 20) - 2000), fc.integer({ min: 1, max: 2000 }));
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 60 }), (asks) => {
      const cache = new ViewCache();
      for (const [m, address, length] of [...asks, ...asks.toReversed()]) {
        const view = cache.get(memories[m], address, length);
        assert(view.buffer === memories[m].buffer, "a view of the wrong memory");
        assertEquals([view.byteOffset, view.length], [address, length]);
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
  const cache = new ViewCache();
  // All of these fall into the same place of the table.
  for (const address of [4096, 4097, 4159, 4096, 4096 + (1 << 18)]) {
    assertEquals(cache.get(memories[0], address, 60).byteOffset, address);
  }
  const first = cache.get(memories[0], 4096, 60);
  assert(cache.get(memories[0], 4096, 60) === first, "made twice");
  cache.clear();
  assert(cache.get(memories[0], 4096, 60) !== first);
});
