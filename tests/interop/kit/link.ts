/**
 * What joins the stack and the kernel: a TAP device, or a pair of virtual Ethernet devices with the
 * kernel's address at one end and the driver on the other.
 *
 * @module
 */

import { AfPacketDriver } from "../../../drivers/af_packet.ts";
import { AfXdpDriver } from "../../../drivers/af_xdp.ts";
import { TapDriver } from "../../../drivers/tap.ts";
import type { NetDriver } from "../../../runtime/device/driver.ts";
import { DEVICE } from "./addresses.ts";
import { run, setSysctl } from "./kernel.ts";

/** How the stack reaches the kernel. */
export type Link =
  | "tap"
  | "tap offload"
  | "af_packet"
  | "af_packet plain"
  | "af_xdp skb"
  | "af_xdp native";

/** True if frames that stand for many go over it, and checksums are left to devices. */
export function offloads(link: Link): boolean {
  return link === "af_packet";
}

/** The stack's end of a pair; the kernel's has the name of the TAP device. */
const STACK_END = "gw1";

/** Makes the driver, and the device if the driver does not. */
export async function openLink(link: Link): Promise<NetDriver> {
  if (link === "tap" || link === "tap offload") {
    return new TapDriver({ name: DEVICE, offload: link !== "tap" });
  }
  await run("ip", "link", "add", DEVICE, "type", "veth", "peer", "name", STACK_END);
  if (!offloads(link)) {
    // A frame that stands for many would come whole to the other end. And an AF_XDP socket is told
    // nothing of checksums that are left to the device.
    const xdp = link.startsWith("af_xdp");
    await run("ethtool", "-K", DEVICE, "tso", "off", "gso", "off", ...(xdp ? ["tx", "off"] : []));
  }
  for (const device of [DEVICE, STACK_END]) await run("ip", "link", "set", device, "up");
  const options = { interface: STACK_END, hwaddr: "own" } as const;
  switch (link) {
    case "af_packet":
      return new AfPacketDriver(options);
    case "af_packet plain":
      return new AfPacketDriver({ ...options, ring: "slots", offload: false });
    case "af_xdp skb":
    case "af_xdp native":
      return new AfXdpDriver({ ...options, mode: link === "af_xdp skb" ? "skb" : "native" });
  }
}

/** Keeps the kernel from answering and forwarding what is for the stack, once it may forward. */
export function quietenLink(link: Link): void {
  if (link.startsWith("tap")) return;
  setSysctl(`net.ipv4.conf.${STACK_END}.forwarding`, "0");
  setSysctl(`net.ipv4.conf.${STACK_END}.arp_ignore`, "8");
}
