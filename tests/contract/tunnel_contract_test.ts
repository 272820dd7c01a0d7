/**
 * Runs the contract cases over the drivers whose device is a socket of the host.
 */

import { contractOf } from "../../drivers/contract.ts";
import { TUNNELS } from "./tunnel_worlds.ts";

for (const under of TUNNELS) {
  for (const { name, run } of contractOf(under)) Deno.test(name, run);
}
