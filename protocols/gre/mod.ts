/**
 * GRE (RFC 2784) with keys and sequence numbers (RFC 2890): tunnels to other hosts, each an
 * interface of the stack for IP packets or for Ethernet frames.
 *
 * ```ts ignore
 * await stack.protocols.load(import.meta.resolve("@godwit/godwit/protocols/gre"), {
 *   tunnels: [{ remote: "10.0.0.2", key: 7, addresses: ["192.168.5.1/30"] }],
 * });
 * ```
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../../runtime/errors.ts";
import { parseIpv4, Prc } from "../../runtime/protocol/public.ts";
import type { ControlQuote, Kernel, Packet } from "../../runtime/protocol/public.ts";
import type { ProtocolModule, ProtoRow } from "../../runtime/protocol/public.ts";
import { handIn } from "../tunnel/hand_in.ts";
import { headerBytes, KEY, keyAt, Payload, RESERVED, VERSION } from "./header.ts";
import { type GreConfig, type GreTunnelOptions, type Tunnel, tunnelOf } from "./options.ts";
import { type GreProtocolStats, newProtocolStats } from "./stats.ts";
import { GRE, type GreNumbers, GreTunnel } from "./tunnel.ts";

export type { OuterOptions } from "../tunnel/options.ts";
export type { TunnelStats } from "../tunnel/stats.ts";
export type { GreConfig, GreTunnelOptions, Tunnel } from "./options.ts";
export type { GreProtocolStats, GreStats } from "./stats.ts";
export type { GreNumbers } from "./tunnel.ts";
export { GreTunnel };

/** What a snapshot keeps. */
export interface SavedGre {
  /** The tunnels. */
  readonly tunnels: readonly { readonly options: Tunnel; readonly numbers: GreNumbers }[];
}

/** Tunnels are found by the other end's address in a table of so many places. */
const PLACES = 256;

/** The protocol, for one stack. */
export class Gre implements ProtocolModule {
  /** `gre` */
  readonly name = "gre";
  /** Its row: packets with number 47, and no sockets. */
  readonly rows: readonly ProtoRow[];
  /** What was counted beside the tunnels. */
  readonly stats: GreProtocolStats = newProtocolStats();
  /** The tunnels. */
  readonly tunnels: GreTunnel[] = [];
  readonly #config: readonly Tunnel[];
  readonly #places: GreTunnel[][] = Array.from({ length: PLACES }, () => []);
  /** Index of the interface that takes a packet, whose header is off then; or 0. */
  readonly #accept = (packet: Packet): number => {
    this.stats.rxPackets++;
    try {
      return this.#take(packet);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.stats.rxNoBuffers++;
      return 0;
    }
  };
  #kernel: Kernel | undefined = undefined;

  /** Does nothing yet; `RangeError` for what cannot be. */
  constructor(config: GreConfig = {}) {
    this.#config = (config.tunnels ?? []).map(tunnelOf);
    this.rows = [{
      type: 0,
      protocol: GRE,
      flags: 0,
      input: (packets) => {
        if (this.#kernel !== undefined) handIn(this.#kernel, packets, this.#accept);
      },
      ctlinput: (command, quote) => this.#control(command, quote),
    }];
  }

  /** Makes the interfaces. */
  async load(kernel: Kernel): Promise<void> {
    this.#open(kernel);
    for (const options of this.#config) await this.#make(options);
  }

  /** Gives the interfaces back. */
  async unload(): Promise<void> {
    const kernel = this.#kernel;
    this.#kernel = undefined;
    for (const { interface: name } of this.tunnels) await kernel?.detach(name).catch(() => {});
    this.tunnels.length = 0;
    this.#index();
  }

  /** Adds a tunnel while the protocol is loaded. `SocketError` EEXIST, ENXIO; `RangeError`. */
  async add(options: GreTunnelOptions): Promise<GreTunnel> {
    return await this.#make(tunnelOf(options));
  }

  /** Takes a tunnel and its interface away; does nothing to one that is gone. */
  async remove(tunnel: GreTunnel): Promise<void> {
    const at = this.tunnels.indexOf(tunnel);
    if (at < 0) return;
    this.tunnels.splice(at, 1);
    this.#index();
    await this.#kernel?.detach(tunnel.interface);
  }

  /** The tunnels with the numbers of their packets. */
  snapshot(): SavedGre {
    return {
      tunnels: this.tunnels.map((tunnel) => ({
        options: { ...tunnel.options, name: tunnel.interface },
        numbers: tunnel.numbers,
      })),
    };
  }

  /** Goes on with the tunnels of a snapshot, not those of the configuration. */
  async restore(kernel: Kernel, state: unknown): Promise<void> {
    this.#open(kernel);
    for (const { options, numbers } of (state as SavedGre).tunnels) {
      (await this.#make(options)).numbers = numbers;
    }
  }

  #open(kernel: Kernel): void {
    if (this.#kernel !== undefined) {
      throw new SocketError(Errno.EBUSY, "protocols.load", "gre is loaded already");
    }
    this.#kernel = kernel;
  }

  async #make(options: Tunnel): Promise<GreTunnel> {
    const kernel = this.#kernel;
    if (kernel === undefined) throw new SocketError(Errno.ENXIO, "gre", "gre is not loaded");
    const tunnel = new GreTunnel(kernel, options);
    if (this.tunnels.some((other) => isSame(other, tunnel))) {
      const words = `there is a tunnel to ${options.remote} with these addresses and this key`;
      throw new SocketError(Errno.EEXIST, "gre", words);
    }
    this.tunnels.push(tunnel);
    try {
      const { name, addresses } = options;
      await kernel.attach(tunnel, { name, addresses });
    } catch (error) {
      this.tunnels.splice(this.tunnels.indexOf(tunnel), 1);
      throw error;
    }
    this.#index();
    return tunnel;
  }

  /** Builds the table anew. Those with an address of ours stand before those with any. */
  #index(): void {
    for (const place of this.#places) place.length = 0;
    const sorted = this.tunnels.toSorted((a, b) => Number(a.local === 0) - Number(b.local === 0));
    for (const tunnel of sorted) this.#places[placeOf(tunnel.remote)].push(tunnel);
  }

  #take(packet: Packet): number {
    const { stats } = this;
    const { source, destination, length } = packet;
    if (length < 4) {
      stats.rxShort++;
      return 0;
    }
    const flags = packet.u16(0);
    const type = packet.u16(2);
    if (flags & VERSION) stats.rxVersion++;
    else if (flags & RESERVED) stats.rxReserved++;
    else if (length < headerBytes(flags)) stats.rxShort++;
    else if (!isCarried(type)) stats.rxType++;
    else {
      const key = flags & KEY ? packet.u32(keyAt(flags)) : -1;
      const tunnel = this.#find(source, destination, key, type === Payload.ETHERNET);
      if (tunnel === undefined) stats.rxUnknown++;
      else if (tunnel.accept(packet, flags, type)) return tunnel.index;
    }
    return 0;
  }

  #find(
    source: number,
    destination: number,
    key: number,
    ethernet: boolean,
  ): GreTunnel | undefined {
    const place = this.#places[placeOf(source)];
    for (let i = 0; i < place.length; i++) {
      if (place[i].matches(source, destination, key, ethernet)) return place[i];
    }
  }

  /** ICMP errors about packets of ours. One that tells how large they may be teaches the path. */
  #control(command: number, quote: ControlQuote | undefined): void {
    if (quote?.protocol !== GRE) return;
    const [peer, own] = [parseIpv4(quote.peer.address), parseIpv4(quote.local.address)];
    for (const tunnel of this.tunnels) {
      if (tunnel.remote !== peer || tunnel.local !== 0 && tunnel.local !== own) continue;
      if (command === Prc.MSGSIZE) this.#kernel?.lowerMtu(peer, quote.mtu);
      else tunnel.stats.txErrors++;
    }
  }
}

function placeOf(address: number): number {
  return Math.imul(address, 0x9e3779b1) >>> 24;
}

function isCarried(type: number): boolean {
  return type === Payload.IPV4 || type === Payload.IPV6 || type === Payload.ETHERNET;
}

/** True if packets could belong to both. */
function isSame(a: GreTunnel, b: GreTunnel): boolean {
  return a.remote === b.remote && a.local === b.local && a.key === b.key && a.name === b.name;
}

/** Makes the protocol. */
export default function gre(config?: GreConfig): Gre {
  return new Gre(config);
}
