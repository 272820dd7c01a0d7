/** Empty frames that a driver is lent before it is asked for frames. */

import { assert, assertEquals } from "@std/assert";
import { ManualClock } from "../../../runtime/clock.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";
import { memory } from "./manual_stack.ts";

/** Puts frames into what it was lent, and tells of them when it is asked. */
class Placing implements NetDriver {
  readonly name = "placing";
  readonly caps: DriverCaps = { medium: "ip", mtu: 1500, pointToPoint: true };
  readonly lent: FrameBatch[] = [];
  fault: Error | undefined = undefined;
  ifp: Ifnet | undefined = undefined;
  #placed = 0;
  attach(ifp: Ifnet): void {
    this.ifp = ifp;
  }
  detach(): void {}
  start(tx: FrameBatch): number {
    return tx.count;
  }
  lend(free: FrameBatch): void {
    if (this.fault) throw this.fault;
    this.lent.push(free);
  }
  /** An IPv4 header and nothing behind it, for nobody here. */
  place(): void {
    const free = this.lent.at(-1)!;
    const header = [0x45, 0, 0, 20, 0, 0, 0, 0, 9, 99, 0, 0, 10, 0, 0, 2, 10, 0, 0, 9];
    free.memory.set(header, free.address(this.#placed++));
  }
  rx(free: FrameBatch): number {
    assert(this.#placed === 0 || free === this.lent.at(-1), "another batch");
    const count = this.#placed;
    for (let i = 0; i < count; i++) free.setLength(i, 20);
    this.#placed = 0;
    return count;
  }
}

async function placing(): Promise<{ stack: Stack; driver: Placing }> {
  const driver = new Placing();
  const interfaces = [{ driver, name: "dev0", addresses: ["10.0.0.1/24"] }];
  const clock = new ManualClock(1_000_000);
  const stack = await createStack({ clock, seed: 1, engine, memory, interfaces });
  stack.turn();
  return { stack, driver };
}

/** Packets that have come in by the device. */
function received(stack: Stack): number {
  return Number(stack.netstat().interfaces.find(({ name }) => name === "dev0")!.ipackets);
}

Deno.test("lent frames stay where they are until one of them was taken in", async () => {
  const { stack, driver } = await placing();
  await using _ = stack;
  assertEquals(driver.lent.length, 1);
  const [free] = driver.lent;
  assertEquals(free.count, 64);
  const places = Array.from({ length: free.count }, (_, i) => free.address(i));
  for (let i = 0; i < 3; i++) stack.turn();
  assertEquals(driver.lent.length, 1);
  assertEquals(Array.from({ length: free.count }, (_, i) => free.address(i)), places);
  for (let round = 1; round <= 100; round++) {
    for (let i = 0; i < round % 5; i++) driver.place();
    stack.turn();
    assertEquals(driver.lent.at(-1)!.count, 64);
  }
  assertEquals(driver.lent.length, 1 + 80);
  assertEquals(received(stack), 200);
});

Deno.test("lent frames are wanted back when the driver serves the interface no more", async () => {
  const ends: ((stack: Stack, driver: Placing) => void | Promise<unknown>)[] = [
    (_, { ifp }) => ifp!.down("broken"),
    (stack) => stack.drivers.swap("dev0", new Placing()),
    (stack) => stack.drivers.unload("dev0"),
    (stack) => stack.close(),
  ];
  for (const end of ends) {
    const { stack, driver } = await placing();
    await using _ = stack;
    driver.place();
    await end(stack, driver);
    assertEquals(driver.lent.at(-1)!.count, 0);
  }
});

Deno.test("a driver that fails when it is lent frames takes its interface down", async () => {
  const { stack, driver } = await placing();
  await using _ = stack;
  driver.fault = new Error("no");
  driver.place();
  stack.turn();
  const [dev0] = stack.interfaces;
  assertEquals(dev0.reason, "placing driver, lend: Error: no");
});
