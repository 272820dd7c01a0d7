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
export type Link = "tap" | "af_packet" | "af_packet slots" | "af_xdp skb" | "af_xdp native";

/** The stack's end of a pair; the kernel's has the name of the TAP device. */
const STACK_END = "gw1";

/** Makes the driver, and the device if the driver does not. */
export async function openLink(link: Link): Promise<NetDriver> {
  if (link === "tap") return new TapDriver({ name: DEVICE });
  await run("ip", "link", "add", DEVICE, "type", "veth", "peer", "name", STACK_END);
  // A frame that stands for many would come whole to the other end. And an AF_XDP socket is told
  // nothing of checksums that are left to the device.
  const xdp = link.startsWith("af_xdp");
  await run("ethtool", "-K", DEVICE, "tso", "off", "gso", "off", ...(xdp ? ["tx", "off"] : []));
  for (const device of [DEVICE, STACK_END]) await run("ip", "link", "set", device, "up");
  switch (link) {
    case "af_packet":
    case "af_packet slots": {
      const ring = link === "af_packet" ? "blocks" : "slots";
      return new AfPacketDriver({ interface: STACK_END, hwaddr: "own", ring });
    }
    case "af_xdp skb":
    case "af_xdp native": {
      const mode = link === "af_xdp skb" ? "skb" : "native";
      return new AfXdpDriver({ interface: STACK_END, hwaddr: "own", mode });
    }
  }
}

/** Keeps the kernel from answering and forwarding what is for the stack, once it may forward. */
export function quietenLink(link: Link): void {
  if (link === "tap") return;
  setSysctl(`net.ipv4.conf.${STACK_END}.forwarding`, "0");
  setSysctl(`net.ipv4.conf.${STACK_END}.arp_ignore`, "8");
}
