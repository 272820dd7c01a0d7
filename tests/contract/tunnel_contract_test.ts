/**
 * Runs the contract cases over the drivers whose device is a socket of the host.
 */

import { DRIVER_CASES } from "./driver_cases.ts";
import { TUNNELS } from "./tunnel_worlds.ts";

for (const under of TUNNELS) {
  for (const one of DRIVER_CASES) {
    if (one.applies && !one.applies(under)) continue;
    Deno.test(`${under.name}: ${one.name}`, () => one.run(under));
  }
}
