/**
 * The contract that every driver keeps, as cases that a test runs over it. An author describes the
 * world around the driver, what is at its far end, and runs what applies:
 *
 * ```ts ignore
 * import { contractOf, type DriverUnderTest } from "@godwit/godwit/drivers/contract";
 *
 * const under: DriverUnderTest = { name: "mine", open: myWorld, carries: true, ... };
 * for (const { name, run } of contractOf(under)) Deno.test(name, run);
 * ```
 *
 * docs/writing-a-driver.md is a guide.
 *
 * @module
 */

import { DRIVER_CASES } from "./contract/cases.ts";
import type { DriverUnderTest } from "./contract/world.ts";

export { FakeBatch, FakeIfnet, FarEnd, VirtualClock } from "./contract/fake_ifnet.ts";
export { type DriverUnderTest, makeFrame, type World } from "./contract/world.ts";
export type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
export type { Schedule } from "./schedule.ts";

/** A case that is to be run. */
export interface ContractCase {
  /** The driver, and what it must do. */
  readonly name: string;
  /** Fails if the driver does not. */
  run(): Promise<void>;
}

/** The cases that apply to a driver. */
export function contractOf(under: DriverUnderTest): ContractCase[] {
  return DRIVER_CASES
    .filter((one) => one.applies?.(under) ?? true)
    .map((one) => ({ name: `${under.name}: ${one.name}`, run: () => one.run(under) }));
}
