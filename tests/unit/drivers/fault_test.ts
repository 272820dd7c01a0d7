import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SocketError } from "../../../runtime/errors.ts";
import { FaultDriver, type FaultDriverOptions } from "../../../drivers/fault.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { SEED } from "./capture_files.ts";

interface Bad {
  clock: VirtualClock;
  fault: FaultDriver;
  near: FarEnd;
  far: FarEnd;
}

async function bad(options: FaultDriverOptions, queue = 1024): Promise<Bad> {
  const clock = new VirtualClock();
  const [left, right] = pipe({ queue });
  const fault = new FaultDriver(left, { schedule: clock.schedule, ...options });
  const nearIfp = new FakeIfnet("near", clock, 1);
  await fault.attach(nearIfp);
  const farIfp = new FakeIfnet("far", clock, 2);
  right.attach(farIfp);
  const near = new FarEnd(fault, nearIfp, 2048);
  return { clock, fault, near, far: new FarEnd(right, farIfp, 2048) };
}

/** A frame that says its number in its last two bytes, its header being all zero. */
function frame(number: number, length = 60): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[length - 2] = number >> 8;
  bytes[length - 1] = number & 255;
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return (bytes[bytes.length - 2] << 8) | bytes[bytes.length - 1];
}

/** Sends `count` frames one every 100 µs through the line; numbers and times of arrival. */
async function through(options: FaultDriverOptions, count = 400): Promise<[number, number][]> {
  const { clock, near, far, fault } = await bad(options);
  const start_us = clock.now_us;
  const came: [number, number][] = [];
  for (let i = 0; i < count || fault.held > 0; i++) {
    if (i < count) near.send([frame(i)]);
    near.receive();
    for (const got of far.receive()) came.push([numberOf(got), clock.now_us - start_us]);
    clock.advance(100);
  }
  await fault.detach();
  return came;
}

Deno.test("fault: without faults nothing changes", async () => {
  const came = await through({});
  assertEquals(came, Array.from({ length: 400 }, (_, i) => [i, i * 100]));
});

Deno.test("fault: the same seed gives the same faults, another seed others", async () => {
  const tx = { loss: 0.2, duplicate: 0.1, reorder: 0.1, delay_us: 500, jitter_us: 700 };
  const first = await through({ seed: 5, tx });
  assertEquals(await through({ seed: 5, tx }), first);
  assert(JSON.stringify(await through({ seed: 6, tx })) !== JSON.stringify(first));
});

Deno.test("fault: loss and duplication come at their ratios, and are counted", async () => {
  const { near, far, fault } = await bad({ seed: 3, tx: { loss: 0.25, duplicate: 0.5 } });
  let got = 0;
  for (let i = 0; i < 4000; i += 40) {
    near.send(Array.from({ length: 40 }, (_, k) => frame(i + k)));
    got += far.receive().length;
  }
  const { frames, lost, duplicated } = fault.txFaults;
  assertEquals(frames, 4000);
  assertEquals(got, 4000 - lost + duplicated);
  // Four standard deviations around 1000 of 4000, and around half of what is left.
  assert(Math.abs(lost - 1000) < 4 * Math.sqrt(4000 * 0.25 * 0.75), `${lost} lost`);
  assert(Math.abs(duplicated - 1500) < 4 * Math.sqrt(4000 * 0.375 * 0.625), `${duplicated}`);
  assertEquals(fault.rxFaults.frames, 0);
});

Deno.test("fault: both directions are separate", async () => {
  const { near, far, fault } = await bad({ rx: { loss: 1 } });
  near.send([frame(1)]);
  assertEquals(far.receive().map(numberOf), [1]);
  far.send(Array.from({ length: 300 }, (_, i) => frame(i)));
  assertEquals(near.receive(), []);
  assertEquals([fault.rxFaults.lost, fault.txFaults.lost], [300, 0]);
});

Deno.test("fault: lost frames take up no room", async () => {
  const { near, far, fault } = await bad({ limit: 4, tx: { loss: 1 }, rx: { loss: 1 } });
  for (let i = 0; i < 20; i++) {
    assertEquals(fault.start(near.ifp.txBatch([frame(1), frame(2), frame(3)])), 3);
    far.send([frame(1), frame(2), frame(3)]);
    assertEquals(near.receive(), []);
  }
  assertEquals([fault.txFaults.lost, fault.rxFaults.lost, fault.held], [60, 60, 0]);
});

Deno.test("fault: changing one ratio leaves the fate of the other frames alone", async () => {
  const lossy = (await through({ seed: 9, tx: { loss: 0.3 } })).map(([n]) => n);
  const both = (await through({ seed: 9, tx: { loss: 0.3, duplicate: 1 } })).map(([n]) => n);
  assertEquals(both, lossy.flatMap((n) => [n, n]));
});

Deno.test("fault: delay and jitter keep the order and their bounds", async () => {
  const came = await through({ tx: { delay_us: 1000, jitter_us: 2000 } });
  assertEquals(came.map(([n]) => n), Array.from({ length: 400 }, (_, i) => i));
  const late = came.map(([n, at_us]) => at_us - n * 100);
  // Times are seen at the next step of 100 µs.
  assert(late.every((t) => t >= 1000 && t <= 3000 + 100), `${Math.min(...late)}..`);
  assert(new Set(late).size > 5, "there is no jitter");
});

Deno.test("fault: reordered frames are overtaken, and arrive", async () => {
  const came = (await through({ tx: { reorder: 0.1, reorder_us: 450 } })).map(([n]) => n);
  assertEquals([...came].sort((a, b) => a - b), Array.from({ length: 400 }, (_, i) => i));
  let moved = 0;
  came.forEach((n, at) => {
    if (at > n) moved++;
    else assert(n - at <= 5, `frame ${n} arrived as number ${at}`);
  });
  assert(moved > 10, `only ${moved} frames were overtaken`);
});

Deno.test("fault: corruption flips one bit, behind the link header unless told", async () => {
  for (const [corruptFrom, first] of [[undefined, 14], [0, 0], [58, 58]] as const) {
    const { near, far, fault } = await bad({ seed: 2, tx: { corrupt: 1, corruptFrom } });
    let lowest = Infinity;
    for (let i = 0; i < 400; i++) {
      near.send([frame(0)]);
      const [got] = far.receive();
      const flipped = [...got].flatMap((byte, at) => byte === 0 ? [] : [[at, byte]]);
      assertEquals(flipped.length, 1);
      const [at, bits] = flipped[0];
      assert((bits & (bits - 1)) === 0, `bits ${bits} of byte ${at}`);
      lowest = Math.min(lowest, at);
    }
    assertEquals(lowest, first);
    assertEquals(fault.txFaults.corrupted, 400);
  }
});

Deno.test("fault: a short frame is corrupted within its bounds", async () => {
  const { near, far } = await bad({ tx: { corrupt: 1 } });
  near.send([frame(0, 3)]);
  const [got] = far.receive();
  assertEquals(got.length, 3);
  assert(got[2] !== 0);
});

Deno.test("fault: frames are conserved, whatever the options", async () => {
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  const time = fc.nat(3000);
  const faults = fc.record({
    loss: ratio,
    duplicate: ratio,
    reorder: ratio,
    corrupt: ratio,
    reorder_us: time,
    delay_us: time,
    jitter_us: time,
  });
  const options = fc.record({ seed: fc.nat(), tx: faults, rx: faults, limit: fc.nat(60) });
  await fc.assert(
    fc.asyncProperty(options, async (o) => {
      const limit = o.limit + 1;
      const { clock, near, far, fault } = await bad({ ...o, limit }, 8);
      let sent = 0;
      const arrived = [0, 0];
      // Done when a turn moved nothing and nothing is held: the cable is then empty as well.
      for (let turn = 0, moved = 1; turn < 30 || fault.held > 0 || moved > 0; turn++) {
        const before = arrived[0] + arrived[1];
        arrived[0] += near.receive().length;
        if (turn < 30) {
          sent += fault.start(near.ifp.txBatch([frame(turn), frame(turn), frame(turn)]));
          far.driver.start(far.ifp.txBatch([frame(turn), frame(turn)]));
        }
        assert(fault.held <= 2 * limit);
        assert(turn < 5000, "frames are held for ever");
        arrived[1] += far.receive().length;
        clock.advance(97);
        moved = arrived[0] + arrived[1] - before;
      }
      const { txFaults: tx, rxFaults: rx } = fault;
      assertEquals(tx.frames, sent);
      assertEquals(arrived[1], tx.frames - tx.lost + tx.duplicated);
      assertEquals(arrived[0], rx.frames - rx.lost + rx.duplicated);
      assertEquals([tx.dropped, rx.dropped], [0, 0]);
      await fault.detach();
      assertEquals(clock.pending, 0, "a timer outlives the driver");
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("fault: wakes the stack when a frame is due, once, and not after detach", async () => {
  const { clock, near, far, fault } = await bad({ rx: { delay_us: 5000 } });
  far.send([frame(1), frame(2)]);
  assertEquals(near.receive(), []);
  near.ifp.wakes = 0;
  clock.advance(4999);
  assertEquals(near.ifp.wakes, 0);
  clock.advance(1);
  assertEquals(near.ifp.wakes, 1);
  assertEquals(near.receive().map(numberOf), [1, 2]);
  far.send([frame(3)]);
  near.receive();
  await fault.detach();
  near.ifp.wakes = 0;
  clock.advance(10_000);
  assertEquals(near.ifp.wakes, 0);
  assertEquals(fault.rxFaults.dropped, 1);
});

Deno.test("fault: a stack that only takes a turn when woken receives everything", async () => {
  for (const delay_us of [0, 300]) {
    const { clock, near, far } = await bad({ limit: 1, rx: { delay_us } });
    far.send([1, 2, 3, 4, 5].map((n) => frame(n)));
    const got: number[] = [];
    for (let turn = 0; turn < 50; turn++) {
      if (near.ifp.wakes === 0 && clock.pending === 0) break;
      if (near.ifp.wakes === 0) clock.advance(300);
      near.ifp.wakes = 0;
      const free = near.ifp.freeBatch(8, 2048);
      got.push(...near.ifp.filled(free, near.driver.rx(free)).map(numberOf));
    }
    assertEquals(got, [1, 2, 3, 4, 5]);
  }
});

Deno.test("fault: offers again, by the clock, what a busy driver did not take", async () => {
  const clock = new VirtualClock();
  let room = 0;
  const seen: number[] = [];
  const inner = Object.assign(new NullDriver(), {
    start: (tx: { count: number; view(i: number): Uint8Array }) => {
      const taken = Math.min(room, tx.count);
      for (let i = 0; i < taken; i++) seen.push(numberOf(tx.view(i)));
      room -= taken;
      return taken;
    },
  });
  const fault = new FaultDriver(inner, { schedule: clock.schedule });
  const ifp = new FakeIfnet("eth0", clock);
  await fault.attach(ifp);
  assertEquals(fault.start(ifp.txBatch([0, 1, 2, 3, 4].map((n) => frame(n)))), 5);
  room = 2;
  assertEquals(ifp.wakes, 0);
  clock.advance(1000);
  assertEquals(ifp.wakes, 1);
  fault.rx(ifp.freeBatch(1, 2048));
  assertEquals(seen, [0, 1]);
  room = 9;
  clock.advance(1000);
  fault.rx(ifp.freeBatch(1, 2048));
  assertEquals(seen, [0, 1, 2, 3, 4]);
  assertEquals(fault.held, 0);
  await fault.detach();
});

Deno.test("fault: refuses options out of range, and an MTU that grows at attach", async () => {
  const wrong = [{ loss: 1.1 }, { corrupt: -0.1 }, { duplicate: NaN }, { delay_us: -1 }];
  for (const tx of wrong) assertThrows(() => new FaultDriver(new NullDriver(), { tx }), RangeError);
  assertThrows(() => new FaultDriver(new NullDriver(), { limit: 0 }), RangeError);
  const caps = { mtu: 1500, medium: "ethernet" as const };
  const inner = Object.assign(new NullDriver(), {
    caps,
    attach: () => void Object.assign(caps, { mtu: 9000 }),
  });
  const fault = new FaultDriver(inner);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const error = await assertRejects(async () => await fault.attach(ifp), SocketError);
  assertEquals(error.code, "EMSGSIZE");
});

Deno.test("fault: poll waits no longer than until the next frame is due", async () => {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const inner = Object.assign(new NullDriver(), {
    poll: (timeout_us: number) => asked.push(timeout_us) === 0,
  });
  const fault = new FaultDriver(inner, { schedule: clock.schedule, tx: { delay_us: 300 } });
  const ifp = new FakeIfnet("eth0", clock);
  await fault.attach(ifp);
  assertEquals(fault.poll?.(1000), false);
  fault.start(ifp.txBatch([frame(1)]));
  assertEquals(fault.poll?.(1000), false);
  clock.advance(300);
  assertEquals(fault.poll?.(1000), true);
  assertEquals(asked, [1000, 300]);
  await fault.detach();
});
