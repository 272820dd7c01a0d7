/**
 * Names and hardware addresses of interfaces that were given none.
 *
 * @module
 */

import type { Entropy } from "../entropy.ts";

/** First byte of a hardware address: locally administered, of one station. */
const HWADDR_LOCAL = 0x02;

/** A hardware address, 6 bytes. */
export function makeHwaddr(entropy: Entropy): Uint8Array {
  const low = entropy.next32();
  const high = entropy.next32();
  return Uint8Array.of(HWADDR_LOCAL, high, low >>> 24, low >>> 16, low >>> 8, low);
}

/** The driver's name and the first number that no other interface has. */
export function freeName(driver: string, others: readonly { readonly name: string }[]): string {
  const stem = driver.replace(/[^!-~]/g, "").slice(0, 12) || "if";
  const taken = new Set(others.map(({ name }) => name));
  let number = 0;
  while (taken.has(`${stem}${number}`)) number++;
  return `${stem}${number}`;
}
