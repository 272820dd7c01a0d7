/** Echo requests and transfers over an AF_PACKET socket on one end of a veth pair. */

import type { Group } from "../kit/case.ts";
import { pings } from "./ping.ts";
import { transfers } from "./transfer.ts";

/** The cases. */
export const group: Group = {
  name: "interop af_packet",
  module: import.meta.url,
  link: "af_packet",
  tools: ["curl", "ethtool", "iperf3", "ping", "sha256sum"],
  cases: [...pings, ...transfers(16)],
};
