/**
 * Contract cases about the device behind a driver: its queue is bounded, it may go away, and
 * nothing of it stays behind.
 *
 * @module
 */

import { assert, assertEquals } from "./check.ts";
import type { DriverStats } from "../stats.ts";
import type { NetDriver } from "../../runtime/device/driver.ts";
import { arrivalsFor, type DriverCase, inWorld, numbered, receiveAll } from "./world.ts";

function statsOf(driver: NetDriver): DriverStats {
  const { stats } = driver as { stats?: DriverStats };
  assert(stats, `the ${driver.name} driver counts nothing`);
  return stats;
}

/** The table of these cases. */
export const DEVICE_CASES: readonly DriverCase[] = [
  {
    name: "keeps a bounded number of frames that nobody takes, and counts the others",
    applies: (under) => under.keeps !== undefined,
    run: async (under) => {
      const keeps = under.keeps!;
      const arrivals = await arrivalsFor(under, () => new Array<number>(keeps + 40).fill(64));
      await inWorld(under, arrivals, async (world) => {
        await world.arrive();
        const stats = statsOf(world.driver);
        for (let i = 0; i < 400 && stats.rxDropped < 40; i++) await world.settle();
        assertEquals(stats.rxDropped, 40);
        assertEquals(await receiveAll(world, keeps), arrivals.slice(0, keeps));
        assertEquals(stats.rxFrames, keeps);
      });
    },
  },
  {
    name: "takes the interface down, once and with a reason, when its device is removed",
    applies: (under) => under.unplugs === true,
    run: async (under) => {
      const world = await under.open([]);
      await world.driver.attach(world.ifp);
      assertEquals(world.driver.start(world.ifp.txBatch([numbered(world, 60, 1)])), 1);
      await world.unplug!();
      for (let i = 0; i < 50 && world.ifp.downs.length === 0; i++) {
        world.driver.rx(world.ifp.freeBatch(4, 2048));
        await world.settle();
      }
      assertEquals(world.ifp.downs.length, 1, "not taken down");
      assert(world.ifp.downs[0].length > 10, world.ifp.downs[0]);
      const stats = statsOf(world.driver);
      const { txDropped } = stats;
      const frames = [2, 3, 4].map((i) => numbered(world, 60, i));
      assertEquals(world.driver.start(world.ifp.txBatch(frames)), 3);
      assertEquals(stats.txDropped - txDropped, 3);
      assertEquals(world.driver.rx(world.ifp.freeBatch(4, 2048)), 0);
      await world.settle();
      await world.driver.detach();
      assertEquals(world.ifp.downs.length, 1, "taken down twice");
      await world.close();
    },
  },
  {
    name: "leaves nothing scheduled behind when it is detached",
    run: async (under) => {
      const arrivals = under.arrives ? await arrivalsFor(under, () => [60, 61, 62, 63]) : [];
      const world = await under.open(arrivals);
      const before = world.ifp.clock.pending;
      await world.driver.attach(world.ifp);
      await world.arrive();
      const frames = [1, 2, 3].map((i) => numbered(world, 60, i));
      assertEquals(world.driver.start(world.ifp.txBatch(frames)), 3);
      await world.driver.detach();
      assertEquals(world.ifp.clock.pending, before);
      await world.close();
    },
  },
];
