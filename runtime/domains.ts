/**
 * Domains that come with Godwit but are no part of the engine: side modules, compiled with the
 * program, and loaded into a stack when its first socket of their family is made. A stack that has
 * no such socket pays nothing for them.
 *
 * @module
 */

import { Af } from "../assembly/abi/socket.ts";
import packet from "../protocols/packet/mod.ts";
import unix from "../protocols/unix/mod.ts";
import route from "../protocols/route/mod.ts";
import type { Domains } from "./protocol/loader.ts";

/** By family. */
export const DOMAINS: Domains = new Map([
  [Af.UNIX, unix],
  [Af.ROUTE, route],
  [Af.NDD, packet],
]);
