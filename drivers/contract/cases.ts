/**
 * What every driver must do: one table of cases.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "./check.ts";
import { SocketError } from "../../runtime/errors.ts";
import {
  arrivalsFor,
  type DriverCase,
  frameMax,
  goneAll,
  headerBytes,
  inWorld,
  numbered,
  receiveAll,
  sendAll,
} from "./world.ts";
import { DEVICE_CASES } from "./cases_device.ts";
import { FakeIfnet } from "./fake_ifnet.ts";

const ATTACHING: DriverCase[] = [
  {
    name: "says what it is",
    run: (under) =>
      inWorld(under, [], (world) => {
        const { mtu, medium, hwaddr } = world.driver.caps;
        assert(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65535, `mtu ${mtu}`);
        assert(medium === "ethernet" || medium === "ip");
        assert(hwaddr === undefined || hwaddr.length === 6);
        assert(/^[a-z]\w*(\(.+\))?$/i.test(world.driver.name), `name ${world.driver.name}`);
      }),
  },
  {
    name: "refuses a second interface with EBUSY",
    run: (under) =>
      inWorld(under, [], async (world) => {
        const second = new FakeIfnet("second", world.ifp.clock);
        const error = await assertRejects(
          async () => await world.driver.attach(second),
          SocketError,
        );
        assertEquals(error.code, "EBUSY");
        assertEquals(world.driver.start(world.ifp.txBatch([])), 0);
      }),
  },
  {
    name: "has nothing to receive at first, and takes empty batches",
    run: (under) =>
      inWorld(under, [], (world) => {
        assertEquals(world.driver.start(world.ifp.txBatch([])), 0);
        assertEquals(world.driver.rx(world.ifp.freeBatch(0, 0)), 0);
        const free = world.ifp.freeBatch(4, 2048);
        assertEquals(world.driver.rx(free), 0);
        assertEquals(free.set, [undefined, undefined, undefined, undefined]);
        assertEquals(world.ifp.strayWrite(free), -1);
      }),
  },
  {
    name: "is quiet after detach",
    applies: (under) => under.arrives,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => [60, 61, 62]);
      const world = await under.open(arrivals);
      await world.driver.attach(world.ifp);
      await world.driver.detach();
      const wakes = world.ifp.wakes;
      await world.arrive();
      await world.settle();
      assertEquals(world.ifp.wakes, wakes, "woken after detach");
      assertEquals(world.ifp.downs, []);
      await world.close();
    },
  },
  {
    name: "can be detached while frames are on their way, both ways",
    run: async (under) => {
      const arrivals = under.arrives ? await arrivalsFor(under, () => [60, 61, 62, 63]) : [];
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        const frames = [1, 2, 3].map((i) => numbered(world, 60, i));
        assertEquals(world.driver.start(world.ifp.txBatch(frames)), 3);
      });
    },
  },
];

const SENDING: DriverCase[] = [
  {
    name: "sends every length in order and byte exact",
    run: (under) =>
      inWorld(under, [], async (world) => {
        const lengths = [60, 61, 62, 63, 64, 65, 127, 128, 129, 511, 1000, frameMax(world) - 1];
        for (let n = 0; n < 40; n++) lengths.push(60 + (n * 37) % (frameMax(world) - 60));
        lengths.push(frameMax(world), Math.max(1, headerBytes(world) + 6));
        const frames = lengths.map((length, i) => numbered(world, length, i));
        await sendAll(world, frames);
        if (under.carries) assertEquals(await goneAll(world, frames.length), frames);
      }),
  },
  {
    name: "leaves the frames that it sends alone, and keeps none of them",
    run: (under) =>
      inWorld(under, [], async (world) => {
        const frames = Array.from({ length: 32 }, (_, i) => numbered(world, 60 + i * 9, i));
        const batch = world.ifp.txBatch(frames);
        assertEquals(world.driver.start(batch), frames.length);
        assertEquals(frames.map((_, i) => new Uint8Array(batch.view(i))), frames);
        assertEquals(world.ifp.strayWrite(batch), -1);
        world.ifp.memory.fill(0xee);
        if (under.carries) assertEquals(await goneAll(world, frames.length), frames);
      }),
  },
  {
    name: "sends the same length from many addresses, and many lengths from one",
    applies: (under) => under.carries,
    run: (under) =>
      inWorld(under, [], async (world) => {
        for (let round = 0; round < 12; round++) {
          const length = 60 + (round % 3) * 400;
          const frames = Array.from(
            { length: 20 },
            (_, i) => numbered(world, length + (i % 2), round * 20 + i),
          );
          await sendAll(world, frames);
          assertEquals(await goneAll(world, frames.length), frames);
        }
      }),
  },
  {
    name: "takes empty and oversize frames without harm to the next",
    run: (under) =>
      inWorld(under, [], async (world) => {
        const good = numbered(world, 100, 1);
        const frames = [
          new Uint8Array(0),
          numbered(world, frameMax(world) + 5000, 2),
          good,
          new Uint8Array(0),
        ];
        assertEquals(world.driver.start(world.ifp.txBatch(frames)), frames.length);
        // A device of the host may carry more than its MTU says; that is its own affair.
        const gone = under.carries ? await goneAll(world, 2) : [];
        if (under.carries) assertEquals(gone.filter((f) => f.length === 100), [good]);
        assert(gone.every((frame) => frame.length > 0));
      }),
  },
  {
    name: "says busy when full, loses nothing, and wakes the sender when there is room",
    applies: (under) => under.holds !== undefined,
    run: (under) =>
      inWorld(under, [], async (world) => {
        const many = under.holds! + 40;
        const frames = Array.from({ length: many }, (_, i) => numbered(world, 64 + i % 90, i));
        let taken = 0;
        for (;;) {
          const offered = frames.slice(taken, taken + 64);
          const now = world.driver.start(world.ifp.txBatch(offered));
          taken += now;
          if (now < offered.length) break;
          assert(taken < many, `${many} frames were taken without "busy"`);
        }
        assert(taken >= under.holds!, `busy after ${taken} frames`);
        const wakes = world.ifp.wakes;
        const first = await goneAll(world, taken);
        assertEquals(first, frames.slice(0, taken));
        world.driver.rx(world.ifp.freeBatch(0, 0));
        assert(world.ifp.wakes > wakes, "not woken when there was room again");
        await sendAll(world, frames.slice(taken));
        assertEquals(await goneAll(world, many - taken), frames.slice(taken));
      }),
  },
];

const RECEIVING: DriverCase[] = [
  {
    name: "receives every length in order and byte exact, inside the empty frames",
    applies: (under) => under.arrives,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, (mtu, header) => {
        const lengths = [60, 61, 63, 64, 65, 127, 129, 600, mtu + header - 1, mtu + header];
        for (let n = 0; n < 60; n++) lengths.push(60 + (n * 41) % (mtu + header - 60));
        return [...lengths, 60];
      });
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        assertEquals(await receiveAll(world, arrivals.length), arrivals);
        assertEquals(world.driver.rx(world.ifp.freeBatch(4, 2048)), 0);
      });
    },
  },
  {
    name: "fills no more than it is given, and keeps the rest",
    applies: (under) => under.arrives,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => Array.from({ length: 20 }, (_, i) => 60 + i));
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        assertEquals(await receiveAll(world, arrivals.length, 3), arrivals);
      });
    },
  },
  {
    name: "wakes the stack when frames arrive",
    applies: (under) => under.arrives && under.wakes,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => [60, 61]);
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        for (let i = 0; i < 10 && world.ifp.wakes === 0; i++) await world.settle();
        assert(world.ifp.wakes > 0, "not woken");
        assertEquals((await receiveAll(world, 2)).length, 2);
      });
    },
  },
  {
    name: "brings everything to a stack that sleeps until it is woken",
    applies: (under) => under.arrives && under.wakes,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => Array.from({ length: 80 }, (_, i) => 60 + i));
      await inWorld(under, arrivals, async (world) => {
        world.ifp.wakes = 0;
        world.driver.rx(world.ifp.freeBatch(0, 0));
        await world.arrive();
        const frames: Uint8Array[] = [];
        for (let idle = 0, full = true; idle < 40 && frames.length < arrivals.length;) {
          if (!full && world.ifp.wakes === 0) {
            await world.settle();
            idle++;
            continue;
          }
          world.ifp.wakes = 0;
          const free = world.ifp.freeBatch(7, frameMax(world));
          const filled = world.driver.rx(free);
          full = filled === 7;
          if (filled > 0) idle = 0;
          frames.push(...world.ifp.filled(free, filled));
        }
        assertEquals(frames, arrivals);
      });
    },
  },
  {
    name: "tells with poll that frames can be read, and does not wait for ever",
    applies: (under) => under.arrives && !under.wakes,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => [60]);
      await inWorld(under, arrivals, async (world) => {
        assert(world.driver.poll, "a driver that does not wake needs poll");
        assertEquals(world.driver.poll(0), false);
        assertEquals(world.driver.poll(2000), false);
        await world.arrive();
        let readable = false;
        for (let i = 0; i < 20 && !readable; i++) readable = world.driver.poll(20_000);
        assert(readable, "poll never said that a frame can be read");
        assertEquals(await receiveAll(world, 1), arrivals);
      });
    },
  },
  {
    name: "drops a frame that the empty one has no room for, and writes nothing beyond it",
    applies: (under) => under.arrives,
    run: async (under) => {
      const arrivals = await arrivalsFor(under, () => [500, 70, 501, 71]);
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        const frames: Uint8Array[] = [];
        for (let idle = 0; idle < 20 && frames.length < 2;) {
          const free = world.ifp.freeBatch(2, 200);
          const filled = world.driver.rx(free);
          assertEquals(world.ifp.strayWrite(free), -1, "rx wrote outside the empty frames");
          frames.push(...world.ifp.filled(free, filled));
          idle = filled > 0 ? 0 : idle + 1;
          if (filled === 0) await world.settle();
        }
        assertEquals(frames, [arrivals[1], arrivals[3]]);
      });
    },
  },
];

/** The whole table. */
export const DRIVER_CASES: readonly DriverCase[] = [
  ...ATTACHING,
  ...SENDING,
  ...RECEIVING,
  ...DEVICE_CASES,
];
