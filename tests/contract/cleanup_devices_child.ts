/**
 * What the drivers for devices of Linux leave behind. Runs inside a network namespace of its own,
 * as root: cleanup_test.ts starts it there.
 */

import { AfPacketDriver } from "../../drivers/af_packet.ts";
import { AfXdpDriver } from "../../drivers/af_xdp.ts";
import { TapDriver } from "../../drivers/tap.ts";
import type { NetDriver } from "../../runtime/device/driver.ts";
import type { World } from "../../drivers/contract/world.ts";
import { leavesNothing } from "./cleanup_kit.ts";
import { FakeIfnet, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";
import { makeVeth, silenceKernel, vethWorld } from "./netns_kit.ts";

/** A world in which nothing arrives but what the kernel sends by itself. */
function alone(driver: NetDriver): World {
  return {
    driver,
    ifp: new FakeIfnet("near", new VirtualClock()),
    arrive: () => {},
    gone: () => [],
    settle: () => {},
    close: () => {},
  };
}

silenceKernel();
makeVeth("near", "far");

const OVER_VETH: Record<string, () => NetDriver> = {
  af_packet: () => new AfPacketDriver({ interface: "near", hwaddr: "own" }),
  "af_packet with slots": () => new AfPacketDriver({ interface: "near", ring: "slots" }),
  "af_xdp, skb": () => new AfXdpDriver({ interface: "near" }),
  "af_xdp, native": () => new AfXdpDriver({ interface: "near", mode: "native" }),
};

for (const [name, make] of Object.entries(OVER_VETH)) {
  Deno.test(`cleanup: ${name}`, () => leavesNothing((frames) => vethWorld(make, frames)));
}
for (const tun of [false, true]) {
  const name = tun ? "tun" : "tap";
  const open = () => alone(new TapDriver({ name: `clean${name}`, tun }));
  Deno.test(`cleanup: ${name}`, () => leavesNothing(open));
}
