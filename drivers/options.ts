/**
 * Checks that the drivers share: ranges of options, and being attached once.
 *
 * @module
 */

import type { Ifnet, Medium } from "../runtime/device/driver.ts";
import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";

/** Bytes of an Ethernet header; frames here carry no FCS. */
export const ETHERNET_HEADER_BYTES = 14;

/** Smallest MTU of an IPv4 link, RFC 791 section 3.2. */
const MTU_MIN = 68;
/** Memory of a queue whose length nobody has chosen. */
const QUEUE_BYTES = 4 * 2 ** 20;
/** Largest IPv4 packet, RFC 791 section 3.1. */
const MTU_MAX = 65535;

/** Returns `value` if it is a whole number in `min..max`; throws a `RangeError` otherwise. */
export function wholeInRange(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
  }
  return value;
}

/** Returns a valid MTU in bytes, 68 to 65535; throws a `RangeError` otherwise. */
export function checkMtu(mtu: number): number {
  return wholeInRange("mtu", mtu, MTU_MIN, MTU_MAX);
}

/** Longest name of an interface of Linux, in bytes. */
const NAME_BYTES_MAX = 15;

/** Throws a `RangeError` for a name that no interface of a Linux host can have. */
export function checkInterfaceName(name: string): void {
  const { length } = new TextEncoder().encode(name);
  if (length === 0 || length > NAME_BYTES_MAX || /[\s/\0:]/.test(name)) {
    throw new RangeError(
      `an interface name has 1 to ${NAME_BYTES_MAX} bytes without space, colon or slash, ` +
        `unlike ${JSON.stringify(name)}`,
    );
  }
}

/** A copy of a hardware address that was given as bytes; `RangeError` for what is none. */
export function checkHwaddr(
  hwaddr: "interface" | "own" | Uint8Array | undefined,
): Uint8Array<ArrayBuffer> | undefined {
  if (!(hwaddr instanceof Uint8Array)) {
    if (hwaddr === undefined || hwaddr === "interface" || hwaddr === "own") return undefined;
    throw new RangeError(`hwaddr must be "interface", "own" or 6 bytes, not ${hwaddr}`);
  }
  if (hwaddr.length === 6 && (hwaddr[0] & 1) === 0) return Uint8Array.from(hwaddr);
  throw new RangeError("hwaddr must be 6 bytes, and no group address");
}

/** Longest frame of a medium in bytes: the MTU and, on Ethernet, the header. */
export function frameBytesMax(medium: Medium, mtu: number): number {
  return medium === "ethernet" ? mtu + ETHERNET_HEADER_BYTES : mtu;
}

/** Frames of so many bytes that a queue holds unless told: 1024, fewer of large ones, but 64. */
export function queueFrames(frameBytes: number): number {
  return Math.max(64, Math.min(1024, Math.floor(QUEUE_BYTES / frameBytes)));
}

/** Throws `SocketError` EBUSY if the driver already has an interface. */
export function refuseSecondAttach(driver: string, held: Ifnet | undefined): void {
  if (held) {
    throw new SocketError(
      Errno.EBUSY,
      "if_attach",
      `the ${driver} driver is already attached to ${held.name}`,
    );
  }
}
