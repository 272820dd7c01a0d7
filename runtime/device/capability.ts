/**
 * What a driver may say about its device.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { DriverCaps, NetDriver } from "./driver.ts";

/** Smallest MTU of an IPv4 link, RFC 791 section 3.2. */
const MTU_MIN = 68;
/** Largest IPv4 packet, RFC 791 section 3.1. */
const MTU_MAX = 65535;
/** Capabilities that are there or not. */
const SWITCHES = ["rxChecksum", "txChecksum", "vnetHeader", "pointToPoint"] as const;

/**
 * Reads and checks the capabilities of a driver.
 *
 * @throws RangeError for an MTU outside 68..65535, a medium there is not, a hardware address that
 * is not 6 bytes of a single station, or what is no capabilities at all
 */
export function checkCaps(driver: NetDriver): DriverCaps {
  const caps: DriverCaps | undefined | null = driver.caps;
  const refuse = (words: string): never => {
    throw new RangeError(`the ${driver.name} driver ${words}`);
  };
  if (typeof caps !== "object" || caps === null) return refuse("has no caps");
  const { mtu, medium, hwaddr } = caps;
  if (!(Number.isInteger(mtu) && mtu >= MTU_MIN && mtu <= MTU_MAX)) {
    refuse(`has an MTU of ${mtu}; it must be from ${MTU_MIN} to ${MTU_MAX}`);
  }
  if (medium !== "ethernet" && medium !== "ip") refuse(`carries "${medium}", not ethernet or ip`);
  for (const name of SWITCHES) {
    const value: unknown = caps[name];
    if (value !== undefined && typeof value !== "boolean") {
      refuse(`has caps.${name} ${JSON.stringify(value)}, not true or false`);
    }
  }
  if (hwaddr === undefined) return caps;
  if (!(hwaddr instanceof Uint8Array)) {
    return refuse("has a hardware address that is no Uint8Array");
  }
  if (hwaddr.length !== 6) refuse(`has a hardware address of ${hwaddr.length} bytes`);
  if (hwaddr[0] & 1) refuse("has a group address for its own");
  if (hwaddr.every((byte) => byte === 0)) refuse("has a hardware address of zeros");
  return caps;
}

/** True for a link with one peer, which has neither ARP nor broadcast. */
export function isPointToPoint(caps: DriverCaps): boolean {
  return caps.pointToPoint === true || caps.medium === "ip";
}

/** `SocketError` EINVAL for a device on another kind of link: addresses would be wrong there. */
export function mustBeSameKind(name: string, had: DriverCaps, has: DriverCaps): void {
  const refuse = (words: string): never => {
    throw new SocketError(Errno.EINVAL, "if_attach", words);
  };
  const kind = (medium: string) => medium === "ip" ? "bare IP packets" : "Ethernet frames";
  if (had.medium !== has.medium) {
    refuse(`${name} carries ${kind(had.medium)}, and the new driver ${kind(has.medium)}`);
  }
  if (isPointToPoint(had) && !isPointToPoint(has)) {
    refuse(`${name} has one peer, and the new driver a link of many stations`);
  }
  if (!isPointToPoint(had) && isPointToPoint(has)) {
    refuse(`${name} is on a link of many stations, and the new driver has one peer`);
  }
}
