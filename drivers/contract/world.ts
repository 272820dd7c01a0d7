/**
 * What the contract cases are made of: a world around a driver, and ways to send and to receive in
 * it while time passes.
 *
 * @module
 */

import { assert, assertEquals } from "./check.ts";
import type { NetDriver } from "../../runtime/device/driver.ts";
import type { FakeIfnet } from "./fake_ifnet.ts";

/** A driver with a world around it, made for one case. */
export interface World {
  /** The driver, not attached. */
  readonly driver: NetDriver;
  /** The interface to attach the driver to; `open` leaves that to the case. */
  readonly ifp: FakeIfnet;
  /** Lets the frames that were announced to `open` come to the driver. */
  arrive(): void | Promise<void>;
  /** Frames that came out at the far end since the last call. */
  gone(): Uint8Array[] | Promise<Uint8Array[]>;
  /** Lets time pass, until frames that are on their way have arrived. */
  settle(): void | Promise<void>;
  /** Takes the device away under the attached driver. */
  unplug?(): void | Promise<void>;
  /** Closes the far end; the driver itself is detached before. */
  close(): void | Promise<void>;
}

/** A driver to test, and which promises it makes. */
export interface DriverUnderTest {
  /** What to call it in the names of the cases. */
  readonly name: string;
  /** Makes a fresh world; `arrivals` are the frames that `arrive` is to bring. */
  open(arrivals: readonly Uint8Array[]): World | Promise<World>;
  /** Frames sent come out at the far end. */
  readonly carries: boolean;
  /** Frames can arrive. */
  readonly arrives: boolean;
  /** Calls `ifp.wake()` by itself when frames arrive. */
  readonly wakes: boolean;
  /** Frames that it holds before it says busy; undefined if it never does. */
  readonly holds?: number;
  /** Frames that it keeps for a stack that takes none; the others it drops, unless undefined. */
  readonly keeps?: number;
  /** Its device can be taken away. */
  readonly unplugs?: boolean;
}

/** One case of the contract. */
export interface DriverCase {
  readonly name: string;
  /** Whether the case means anything for a driver. */
  applies?(under: DriverUnderTest): boolean;
  run(under: DriverUnderTest): Promise<void>;
}

/** A frame (or packet) of `length` bytes that says its number. */
export function numbered(world: { driver: NetDriver }, length: number, number: number): Uint8Array {
  return makeFrame(world.driver.caps.medium, length, number);
}

/** A frame for a medium: Ethernet of an experimental ethertype, or something like IPv4. */
export function makeFrame(medium: "ethernet" | "ip", length: number, number: number): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, i) => (i * 7 + number * 13) & 255);
  // RFC 5342 section 2.3: 0x88b5 is for experiments; nothing of the host will answer it.
  if (medium === "ethernet") {
    frame.set([2, 0, 0, 0, 0, 0x99, 2, 0, 0, 0, 0, 1, 0x88, 0xb5].slice(0, length));
  } else if (length > 0) {
    frame[0] = 0x45;
  }
  return frame;
}

export function headerBytes(world: World): number {
  return world.driver.caps.medium === "ethernet" ? 14 : 0;
}

export function frameMax(world: World): number {
  return world.driver.caps.mtu + headerBytes(world);
}

/** Sends all frames, letting time pass whenever the driver is busy. */
export async function sendAll(world: World, frames: readonly Uint8Array[]): Promise<void> {
  let idle = 0;
  for (let at = 0; at < frames.length;) {
    const batch = world.ifp.txBatch(frames.slice(at, at + 64));
    const taken = world.driver.start(batch);
    assert(taken >= 0 && taken <= batch.count, `start took ${taken} of ${batch.count} frames`);
    at += taken;
    idle = taken > 0 ? 0 : idle + 1;
    assert(idle < 50, "the driver stays busy");
    if (taken < batch.count) await world.settle();
  }
}

/** What comes out at the far end, until `count` frames have or nothing more does. */
export async function goneAll(world: World, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let idle = 0; idle < 20 && frames.length < count;) {
    world.driver.rx(world.ifp.freeBatch(0, 0));
    await world.settle();
    const more = await world.gone();
    idle = more.length > 0 ? 0 : idle + 1;
    frames.push(...more);
  }
  return frames;
}

/** What the driver receives, `batch` frames a call, until `count` or nothing more has come. */
export async function receiveAll(world: World, count: number, batch = 64): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let idle = 0; idle < 20 && frames.length < count;) {
    const free = world.ifp.freeBatch(batch, frameMax(world) + 4);
    const filled = world.driver.rx(free);
    assert(filled >= 0 && filled <= batch, `rx filled ${filled} of ${batch} frames`);
    assertEquals(world.ifp.strayWrite(free), -1, "rx wrote outside the empty frames");
    frames.push(...world.ifp.filled(free, filled));
    idle = filled > 0 ? 0 : idle + 1;
    if (filled === 0) await world.settle();
  }
  return frames;
}

/** Opens a world with the driver attached, runs `body`, and closes everything. */
export async function inWorld(
  under: DriverUnderTest,
  arrivals: readonly Uint8Array[],
  body: (world: World) => Promise<void> | void,
): Promise<void> {
  const world = await under.open(arrivals);
  try {
    await world.driver.attach(world.ifp);
    try {
      await body(world);
      assertEquals(world.ifp.downs, [], "the driver took the interface down");
    } finally {
      await world.driver.detach();
    }
  } finally {
    await world.close();
  }
}

/** Medium and MTU, which must be known to make arrivals before the driver is attached. */
export async function arrivalsFor(
  under: DriverUnderTest,
  lengths: (mtu: number, header: number) => number[],
): Promise<Uint8Array[]> {
  const world = await under.open([makeFrame("ethernet", 60, 0)]);
  const { medium, mtu } = world.driver.caps;
  await world.driver.attach(world.ifp);
  await world.driver.detach();
  await world.close();
  return lengths(mtu, medium === "ethernet" ? 14 : 0).map((n, i) => makeFrame(medium, n, i));
}
