/**
 * Runs the contract cases over every driver.
 */

import { DRIVER_CASES } from "./driver_cases.ts";
import { IN_PROCESS_DRIVERS } from "./driver_worlds.ts";

for (const under of IN_PROCESS_DRIVERS) {
  for (const one of DRIVER_CASES) {
    if (one.applies && !one.applies(under)) continue;
    Deno.test(`${under.name}: ${one.name}`, () => one.run(under));
  }
}
