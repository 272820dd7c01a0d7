/** Echo requests and transfers over a TAP device, with checksums and segments left to it. */

import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Group } from "../kit/case.ts";
import { pings } from "./ping.ts";
import { transfers } from "./transfer.ts";

function large(from: string): string {
  return `tcp.len > 20000 && ip.src == ${from}`;
}

/** The cases. */
export const group: Group = {
  name: "interop tap offload",
  module: import.meta.url,
  link: "tap offload",
  tools: ["curl", "iperf3", "ping", "sha256sum"],
  cases: [...pings, ...transfers(16)],
  allowed: [{
    message: "Bad checksum",
    reason: "those of TCP and UDP are left to the device, which is virtual and computes none",
  }],
  seen: [
    { name: "frames from the kernel that stand for many", filter: large(KERNEL) },
    { name: "frames from the stack that stand for many", filter: large(GODWIT) },
  ],
};
