/**
 * Runs the contract cases over every driver.
 */

import { contractOf } from "../../drivers/contract.ts";
import { IN_PROCESS_DRIVERS } from "./driver_worlds.ts";

for (const under of IN_PROCESS_DRIVERS) {
  for (const { name, run } of contractOf(under)) Deno.test(name, run);
}
