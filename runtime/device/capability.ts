/**
 * What a driver may say about its device.
 *
 * @module
 */

import type { DriverCaps, NetDriver } from "./driver.ts";

/** Smallest MTU of an IPv4 link, RFC 791 section 3.2. */
const MTU_MIN = 68;
/** Largest IPv4 packet, RFC 791 section 3.1. */
const MTU_MAX = 65535;

/**
 * Reads and checks the capabilities of a driver.
 *
 * @throws RangeError for an MTU outside 68..65535, a medium there is not, or a hardware address
 * that is not 6 bytes of a single station
 */
export function checkCaps(driver: NetDriver): DriverCaps {
  const caps = driver.caps;
  const refuse = (words: string): never => {
    throw new RangeError(`the ${driver.name} driver ${words}`);
  };
  const { mtu, medium, hwaddr } = caps;
  if (!(Number.isInteger(mtu) && mtu >= MTU_MIN && mtu <= MTU_MAX)) {
    refuse(`has an MTU of ${mtu}; it must be from ${MTU_MIN} to ${MTU_MAX}`);
  }
  if (medium !== "ethernet" && medium !== "ip") refuse(`carries "${medium}", not ethernet or ip`);
  if (hwaddr !== undefined) {
    if (hwaddr.length !== 6) refuse(`has a hardware address of ${hwaddr.length} bytes`);
    if (hwaddr[0] & 1) refuse("has a group address for its own");
  }
  return caps;
}
