/**
 * How GRE is configured.
 *
 * @module
 */

import { wholeInRange } from "../../drivers/options.ts";
import { checkOuter, hwaddrIn, type OuterOptions, stationIn } from "../tunnel/options.ts";

/** One tunnel with its interface. */
export interface GreTunnelOptions extends OuterOptions {
  /** Address of the other end. */
  readonly remote: string;
  /** Our address; every one, with the route's when sending, unless told. */
  readonly local?: string;
  /** Name of the interface; `gre` or `gretap` and a number unless told. */
  readonly name?: string;
  /** Addresses of the interface with their prefix. */
  readonly addresses?: readonly string[];
  /** Whether whole Ethernet frames go through (type 0x6558), or IP packets; no unless told. */
  readonly ethernet?: boolean;
  /** Hardware address of an Ethernet interface; chosen by the stack unless told. */
  readonly hwaddr?: string;
  /** Key of the tunnel in both directions (RFC 2890 2.1), 0 to 4,294,967,295; none unless told. */
  readonly key?: number;
  /**
   * Whether what is sent has a checksum (RFC 2784 2.2), and what comes must have one; no unless
   * told. One that comes is verified in any case.
   */
  readonly checksum?: boolean;
  /**
   * Whether what is sent is numbered (RFC 2890 2.2), and what comes must be, and in order; no
   * unless told.
   */
  readonly sequence?: boolean;
}

/** What the protocol is made with. */
export interface GreConfig {
  /** The tunnels to begin with. */
  readonly tunnels?: readonly GreTunnelOptions[];
}

/** A tunnel with everything said that must be, and checked. */
export type Tunnel =
  & Required<Omit<GreTunnelOptions, "hwaddr" | "key" | "local" | "mtu" | "name">>
  & Pick<GreTunnelOptions, "hwaddr" | "key" | "local" | "mtu" | "name">;

const KEY_MAX = 0xffffffff;

/** Fills in what was not told; `RangeError` for what cannot be. */
export function tunnelOf(options: GreTunnelOptions): Tunnel {
  const { remote, local, key, hwaddr, ethernet = false } = options;
  checkOuter(options);
  stationIn("remote", remote);
  if (local !== undefined) stationIn("local", local);
  if (key !== undefined) wholeInRange("key", key, 0, KEY_MAX);
  if (hwaddr !== undefined) {
    if (!ethernet) throw new RangeError("hwaddr is for tunnels with ethernet: true");
    hwaddrIn("hwaddr", hwaddr);
  }
  return {
    ...options,
    ethernet,
    addresses: options.addresses ?? [],
    checksum: options.checksum ?? false,
    sequence: options.sequence ?? false,
    ttl: options.ttl ?? 64,
    tos: options.tos ?? 0,
    df: options.df ?? "inherit",
  };
}
