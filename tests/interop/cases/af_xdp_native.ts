/** Echo requests and transfers over an AF_XDP socket in native mode on one end of a veth pair. */

import type { Group } from "../kit/case.ts";
import { pings } from "./ping.ts";
import { transfers } from "./transfer.ts";

/** The cases. */
export const group: Group = {
  name: "interop af_xdp native",
  module: import.meta.url,
  link: "af_xdp native",
  tools: ["curl", "ethtool", "iperf3", "ping", "sha256sum"],
  cases: [...pings, ...transfers(16)],
};
