/**
 * How VXLAN is configured.
 *
 * @module
 */

import { wholeInRange } from "../../drivers/options.ts";
import { checkOuter, groupIn, hwaddrIn, type OuterOptions, stationIn } from "../tunnel/options.ts";

/** A station whose place is told instead of learned. */
export interface VxlanEntry {
  /** Its hardware address, such as `02:00:00:00:00:01`. */
  readonly hwaddr: string;
  /** Address of the end point that it lies behind. */
  readonly remote: string;
}

/** One segment: a VNI with its interface. */
export interface VxlanTunnelOptions extends OuterOptions {
  /** VXLAN network identifier, 0 to 16,777,215. */
  readonly vni: number;
  /** Name of the interface; `vxlan` and the VNI unless told. */
  readonly name?: string;
  /** Addresses of the interface with their prefix. */
  readonly addresses?: readonly string[];
  /** Its hardware address; chosen by the stack unless told. */
  readonly hwaddr?: string;
  /**
   * The other end points: each gets a copy of what is for all, or for a station whose place is not
   * known (head-end replication).
   */
  readonly remotes?: readonly string[];
  /** The group that such frames are sent to, instead or too (RFC 7348 4.2). */
  readonly group?: string;
  /** Interface of the group: a name, an address or an index; the route's unless told. */
  readonly groupInterface?: string | number;
  /** Time to live of what is sent to the group; 1 unless told. */
  readonly groupTtl?: number;
  /** Stations that do not move. */
  readonly entries?: readonly VxlanEntry[];
  /** Whether places of stations are learned from what comes; yes unless told. */
  readonly learning?: boolean;
  /** Seconds after which a station that was not heard of is forgotten; 300 unless told. */
  readonly ageing_s?: number;
  /** Stations that are learned at most; 1024 unless told. */
  readonly limit?: number;
  /** Whether frames of end points that were not told are taken; yes unless told. */
  readonly strangers?: boolean;
  /** Whether frames with a VLAN tag go through; no unless told (RFC 7348 6.1). */
  readonly vlan?: boolean;
  /** Whether the outer UDP header has a checksum; no unless told (RFC 7348 5). */
  readonly udpChecksum?: boolean;
}

/** What the protocol is made with. */
export interface VxlanConfig {
  /** UDP port of all end points; 4789 unless told. */
  readonly port?: number;
  /** Name of the protocol; `vxlan`, with `-` and the port if that is another, unless told. */
  readonly name?: string;
  /** Our address below the tunnels; every one, with the route's when sending, unless told. */
  readonly local?: string;
  /** The segments to begin with. */
  readonly tunnels?: readonly VxlanTunnelOptions[];
}

/** The port that IANA has assigned (RFC 7348 5). */
export const VXLAN_PORT = 4789;
/** Bytes around an Ethernet frame's payload: Ethernet, VXLAN, UDP and IPv4 headers. */
export const VXLAN_OVERHEAD = 50;
const VNI_MAX = 0xffffff;
const AGEING_S_MAX = 31_536_000;
const LIMIT_MAX = 1_048_576;

/** A segment with everything said that must be, and checked. */
export type Segment =
  & Required<Omit<VxlanTunnelOptions, "hwaddr" | "group" | "mtu">>
  & Pick<VxlanTunnelOptions, "hwaddr" | "group" | "mtu">;

/** Fills in what was not told; `RangeError` for what cannot be. */
export function segmentOf(options: VxlanTunnelOptions): Segment {
  const { vni, remotes = [], group, entries = [] } = options;
  wholeInRange("vni", vni, 0, VNI_MAX);
  checkOuter(options);
  for (const remote of remotes) stationIn("remotes", remote);
  if (group !== undefined) groupIn("group", group);
  for (const { hwaddr, remote } of entries) {
    hwaddrIn("entries", hwaddr);
    stationIn("entries", remote);
  }
  if (options.hwaddr !== undefined) hwaddrIn("hwaddr", options.hwaddr);
  const { groupTtl = 1, ageing_s = 300, limit = 1024 } = options;
  return {
    ...options,
    name: options.name ?? `vxlan${vni}`,
    addresses: options.addresses ?? [],
    remotes,
    entries,
    groupInterface: options.groupInterface ?? 0,
    groupTtl: wholeInRange("groupTtl", groupTtl, 1, 255),
    learning: options.learning ?? true,
    ageing_s: wholeInRange("ageing_s", ageing_s, 1, AGEING_S_MAX),
    limit: wholeInRange("limit", limit, 0, LIMIT_MAX),
    strangers: options.strangers ?? true,
    vlan: options.vlan ?? false,
    udpChecksum: options.udpChecksum ?? false,
    ttl: options.ttl ?? 64,
    tos: options.tos ?? 0,
    df: options.df ?? "set",
  };
}
