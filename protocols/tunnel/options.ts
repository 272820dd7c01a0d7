/**
 * Options that tunnels have in common, and checks of them.
 *
 * @module
 */

import { checkMtu, wholeInRange } from "../../drivers/options.ts";
import { type Kernel, parseIpv4 } from "../../runtime/protocol/public.ts";

/** How the packets around the frames of a tunnel are made. */
export interface OuterOptions {
  /** Time to live, 1 to 255; 64 unless told. */
  readonly ttl?: number;
  /** Type of service, or `inherit` for that of the packet inside; 0 unless told. ECN is carried. */
  readonly tos?: number | "inherit";
  /**
   * Whether routers may cut the packets: `set` forbids it, `unset` allows it, `inherit` does what
   * the packet inside says. What is not to be cut and does not fit is answered with an ICMP message
   * to its sender (RFC 1191).
   */
  readonly df?: "set" | "unset" | "inherit";
  /**
   * Largest IP packet that goes through, bytes. Unless told: what fits into the MTU of the route to
   * the first peer, as it is when the tunnel is made; into 1500 if there is no route.
   */
  readonly mtu?: number;
}

/** MTU of a way that nothing is known of. */
const UNKNOWN_MTU = 1500;
const GROUPS = 0xe0000000;

/** An IPv4 address as a number; `RangeError` for what is none. */
export function addressIn(option: string, text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`${option}: "${text}" is not an IPv4 address`);
  return address;
}

/** The address of one station. */
export function stationIn(option: string, text: string): number {
  const address = addressIn(option, text);
  if (address !== 0 && address < GROUPS) return address;
  throw new RangeError(`${option}: ${text} is not the address of one host`);
}

/** The address of a group. */
export function groupIn(option: string, text: string): number {
  const address = addressIn(option, text);
  if (address >= GROUPS && address < 0xf0000000) return address;
  throw new RangeError(`${option}: ${text} is not the address of a group`);
}

/** A hardware address, `02:00:00:00:00:01`, as 6 bytes. */
export function hwaddrIn(option: string, text: string): Uint8Array<ArrayBuffer> {
  const bytes = text.split(":").map((part) =>
    /^[0-9a-f]{2}$/i.test(part) ? parseInt(part, 16) : NaN
  );
  if (bytes.length === 6 && !bytes.some(isNaN) && (bytes[0] & 1) === 0) {
    return Uint8Array.from(bytes);
  }
  throw new RangeError(`${option}: "${text}" is not the hardware address of one station`);
}

/** Throws a `RangeError` for options of the outer packets that cannot be. */
export function checkOuter({ ttl, tos, df, mtu }: OuterOptions): void {
  if (ttl !== undefined) wholeInRange("ttl", ttl, 1, 255);
  if (tos !== undefined && tos !== "inherit") wholeInRange("tos", tos, 0, 255);
  if (df !== undefined && !["set", "unset", "inherit"].includes(df)) {
    throw new RangeError(`df is "set", "unset" or "inherit", not ${df}`);
  }
  if (mtu !== undefined) checkMtu(mtu);
}

/** What is left of the MTU of the way to a peer, or of a way that is not known, behind headers. */
export function innerMtu(kernel: Kernel, peer: number | undefined, headers: number): number {
  const way = { interface: 0, source: 0, mtu: UNKNOWN_MTU };
  if (peer !== undefined) kernel.route(peer, way);
  return checkMtu(way.mtu - headers);
}
