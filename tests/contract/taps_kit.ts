/** TAP devices joined by a bridge of the kernel, in a network namespace of the test's own. */

import { run } from "./netns_kit.ts";

/** Two TAP devices, `near` and `far`, joined by a bridge, which sends nothing of its own. */
export function joinTaps(): void {
  for (const which of ["all", "default"]) {
    const path = `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`;
    try {
      Deno.writeTextFileSync(path, "1");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  run("ip", "link", "add", "br0", "type", "bridge", "stp_state", "0", "mcast_snooping", "0");
  run("ip", "link", "set", "br0", "up");
  for (const name of ["near", "far"]) {
    run("ip", "tuntap", "add", "dev", name, "mode", "tap");
    run("ip", "link", "set", name, "master", "br0", "up");
  }
}

/** Waits until the bridge relays frames of both devices: the kernel takes its time. */
export function waitForward(names: string[]): void {
  for (let i = 0; i < 500; i++) {
    const states = names.map((name) => run("ip", "-d", "link", "show", "dev", name));
    if (states.every((state) => state.includes("state forwarding"))) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  throw new Error(`the bridge does not relay for ${names.join(" and ")}`);
}
