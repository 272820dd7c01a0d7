/** Echo requests and transfers over an AF_PACKET socket that takes frames of the wire only. */

import type { Group } from "../kit/case.ts";
import { pings } from "./ping.ts";
import { transfers } from "./transfer.ts";

/** The cases. */
export const group: Group = {
  name: "interop af_packet without offload",
  module: import.meta.url,
  link: "af_packet plain",
  tools: ["curl", "ethtool", "iperf3", "ping", "sha256sum"],
  cases: [...pings, ...transfers(16)],
};
