/** The stack as a router between two kernels, whose frames stand for many on their way to it. */

import { KERNEL } from "../kit/addresses.ts";
import type { Group } from "../kit/case.ts";
import { forwarding } from "./forward.ts";

/** The cases. */
export const group: Group = {
  name: "interop forward offload",
  module: import.meta.url,
  link: "tap offload",
  tools: ["curl", "iperf3", "nsenter", "ping"],
  cases: forwarding(true),
  allowed: [{
    message: "Bad checksum",
    reason: "those of TCP and UDP are left to the devices, which are virtual and compute none",
  }],
  seen: [{
    name: "frames from the kernel that stand for many",
    filter: `tcp.len > 10000 && ip.src == ${KERNEL}`,
  }],
};
