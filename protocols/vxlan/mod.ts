/**
 * VXLAN (RFC 7348): Ethernet segments over IP, each an interface of the stack.
 *
 * ```ts ignore
 * await stack.protocols.load(import.meta.resolve("@godwit/godwit/protocols/vxlan"), {
 *   tunnels: [{ vni: 42, remotes: ["10.0.0.2"], addresses: ["192.168.42.1/24"] }],
 * });
 * ```
 *
 * One protocol has one UDP port and any number of segments on it. Several ports are several
 * protocols, each with a name of its own.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { wholeInRange } from "../../drivers/options.ts";
import { SocketError } from "../../runtime/errors.ts";
import type { Kernel, Packet, ProtocolModule, UdpPort } from "../../runtime/protocol/public.ts";
import { handIn } from "../tunnel/hand_in.ts";
import { stationIn } from "../tunnel/options.ts";
import type { ForwardingEntry } from "./forwarding.ts";
import { type Segment, segmentOf, VXLAN_PORT } from "./options.ts";
import type { VxlanConfig, VxlanTunnelOptions } from "./options.ts";
import { VxlanTunnel } from "./tunnel.ts";

export type { OuterOptions } from "../tunnel/options.ts";
export type { TunnelStats } from "../tunnel/stats.ts";
export type { VxlanConfig, VxlanEntry, VxlanTunnelOptions } from "./options.ts";
export { VXLAN_OVERHEAD, VXLAN_PORT } from "./options.ts";
export { VxlanTunnel };
export type { Segment } from "./options.ts";
export type { ForwardingEntry } from "./forwarding.ts";
export type { VxlanStats } from "./stats.ts";

/** What the port counts beside its segments. */
export interface VxlanPortStats {
  /** Datagrams that have come. */
  rxDatagrams: number;
  /** Dropped: too short for a VXLAN header and an Ethernet frame. */
  rxShort: number;
  /** Dropped: without the flag that says that there is a VNI (RFC 7348 5). */
  rxNoVni: number;
  /** Dropped: a VNI that no segment has. */
  rxUnknownVni: number;
  /** Dropped: no mbuf was left to look at it. */
  rxNoBuffers: number;
}

/** What a snapshot keeps. */
export interface SavedVxlan {
  /** The segments. */
  readonly tunnels: readonly {
    readonly segment: Segment;
    readonly remotes: readonly string[];
    readonly table: readonly (Omit<ForwardingEntry, "seen_us"> & { seen_us: number | null })[];
  }[];
}

const FLAG_I = 0x08;
const HEADERS_BYTES = 8 + 14;

/** The protocol, for one stack. */
export class Vxlan implements ProtocolModule {
  /** `vxlan`, unless told. */
  readonly name: string;
  /** What the port counts. */
  readonly stats: VxlanPortStats = {
    rxDatagrams: 0,
    rxShort: 0,
    rxNoVni: 0,
    rxUnknownVni: 0,
    rxNoBuffers: 0,
  };
  readonly #config: VxlanConfig;
  readonly #port: number;
  readonly #local: number;
  readonly #segments: readonly Segment[];
  readonly #tunnels = new Map<number, VxlanTunnel>();
  /** Index of the interface that takes a datagram, whose headers are off then; or 0. */
  readonly #accept = (packet: Packet): number => {
    this.stats.rxDatagrams++;
    try {
      const tunnel = this.#segmentFor(packet);
      return tunnel?.accept(packet, this.#now_us) ? tunnel.index : 0;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.stats.rxNoBuffers++;
      return 0;
    }
  };
  #now_us = 0;
  #kernel: Kernel | undefined = undefined;
  #udp: UdpPort | undefined = undefined;

  /** Does nothing yet; `RangeError` for what cannot be. */
  constructor(config: VxlanConfig = {}) {
    this.#config = config;
    this.#port = wholeInRange("port", config.port ?? VXLAN_PORT, 1, 65535);
    this.#local = config.local === undefined ? 0 : stationIn("local", config.local);
    this.name = config.name ?? (this.#port === VXLAN_PORT ? "vxlan" : `vxlan-${this.#port}`);
    this.#segments = (config.tunnels ?? []).map(segmentOf);
  }

  /** The segments. */
  get tunnels(): VxlanTunnel[] {
    return [...this.#tunnels.values()];
  }

  /** The segment with a VNI. */
  tunnel(vni: number): VxlanTunnel | undefined {
    return this.#tunnels.get(vni);
  }

  /** Takes the port and makes the interfaces. */
  async load(kernel: Kernel): Promise<void> {
    this.#open(kernel);
    for (const segment of this.#segments) await this.#make(segment);
  }

  /** Gives the interfaces and the port back. */
  async unload(): Promise<void> {
    for (const { segment } of this.tunnels) {
      await this.#kernel?.detach(segment.name).catch(() => {});
    }
    this.#tunnels.clear();
    this.#udp?.close();
    this.#kernel = undefined;
    this.#udp = undefined;
  }

  /** Adds a segment while the protocol is loaded. `SocketError` EEXIST, ENXIO; `RangeError`. */
  async add(options: VxlanTunnelOptions): Promise<VxlanTunnel> {
    return await this.#make(segmentOf(options));
  }

  /** Takes a segment and its interface away; `SocketError` ENXIO if there is none. */
  async remove(vni: number): Promise<void> {
    const tunnel = this.#tunnels.get(vni);
    if (tunnel === undefined) {
      throw new SocketError(Errno.ENXIO, "vxlan", `there is no segment with VNI ${vni}`);
    }
    const { segment } = tunnel;
    this.#tunnels.delete(vni);
    if (segment.group !== undefined) this.#leave(segment.group, segment.groupInterface);
    await this.#kernel?.detach(segment.name);
  }

  /** The segments with what they have learned. */
  snapshot(): SavedVxlan {
    return {
      tunnels: this.tunnels.map((tunnel) => ({
        segment: tunnel.segment,
        remotes: tunnel.remotes,
        table: tunnel.table().map((entry) => ({
          ...entry,
          seen_us: entry.seen_us === Infinity ? null : entry.seen_us, // JSON has no infinity
        })),
      })),
    };
  }

  /** Goes on with the segments of a snapshot, not those of the configuration. */
  async restore(kernel: Kernel, state: unknown): Promise<void> {
    this.#open(kernel);
    for (const { segment, remotes, table } of (state as SavedVxlan).tunnels) {
      const tunnel = await this.#make({ ...segment, remotes });
      for (const { seen_us, ...entry } of table) {
        tunnel.restore({ ...entry, seen_us: seen_us ?? Infinity });
      }
    }
  }

  #open(kernel: Kernel): void {
    if (this.#kernel !== undefined) {
      throw new SocketError(Errno.EBUSY, "protocols.load", `${this.name} is loaded already`);
    }
    this.#udp = kernel.addUdpPort(
      this.#port,
      (packets) => this.#input(packets),
      this.#config.local,
    );
    this.#kernel = kernel;
  }

  async #make(segment: Segment): Promise<VxlanTunnel> {
    const [kernel, udp] = [this.#kernel, this.#udp];
    const { vni, name, addresses, group, groupInterface } = segment;
    if (kernel === undefined || udp === undefined) {
      throw new SocketError(Errno.ENXIO, "vxlan", `${this.name} is not loaded`);
    }
    if (this.#tunnels.has(vni)) {
      throw new SocketError(Errno.EEXIST, "vxlan", `there is a segment with VNI ${vni} already`);
    }
    const tunnel = new VxlanTunnel(kernel, segment, this.#local, this.#port);
    this.#tunnels.set(vni, tunnel);
    try {
      const { hwaddr } = await kernel.attach(tunnel, { name, addresses });
      tunnel.begin(hwaddr);
      if (group !== undefined && !this.#isMember(segment)) udp.join(group, groupInterface);
    } catch (error) {
      this.#tunnels.delete(vni);
      await kernel.detach(name).catch(() => {});
      throw error;
    }
    return tunnel;
  }

  /** Several segments may share a group (RFC 7348 4.2). */
  #isMember({ vni, group, groupInterface }: Segment): boolean {
    return this.tunnels.some(({ segment }) =>
      segment.vni !== vni && segment.group === group && segment.groupInterface === groupInterface
    );
  }

  #leave(group: string, on: string | number): void {
    const others = this.tunnels.some(({ segment }) =>
      segment.group === group && segment.groupInterface === on
    );
    if (!others) this.#udp?.leave(group, on);
  }

  #input(packets: readonly Packet[]): void {
    if (this.#kernel === undefined) return;
    this.#now_us = this.#kernel.now_us();
    handIn(this.#kernel, packets, this.#accept);
  }

  /** RFC 7348 5: the I flag must be set; reserved bits are ignored. */
  #segmentFor(packet: Packet): VxlanTunnel | undefined {
    const { stats } = this;
    if (packet.length < HEADERS_BYTES) stats.rxShort++;
    else if ((packet.u8(0) & FLAG_I) === 0) stats.rxNoVni++;
    else {
      const tunnel = this.#tunnels.get(packet.u32(4) >>> 8);
      if (tunnel === undefined || tunnel.index === 0) stats.rxUnknownVni++;
      else return tunnel;
    }
  }
}

/** Makes the protocol. */
export default function vxlan(config?: VxlanConfig): Vxlan {
  return new Vxlan(config);
}
