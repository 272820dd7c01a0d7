/**
 * IP for protocols in TypeScript: packets out, and what is known of the way.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { parseIpv4 } from "../socket/inet_addr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { type KernelCalls, kernelCalls } from "./kernel_calls.ts";
import type { Nesting } from "./nesting.ts";
import type { Packet } from "./packet.ts";

/** How an IP packet is sent. */
export interface IpOptions {
  /** Address of the receiver, such as `10.0.0.2`, or a number in host order. */
  readonly destination: string | number;
  /** Protocol number. */
  readonly protocol: number;
  /** Our address; the route's unless told. */
  readonly source?: string | number;
  /** Time to live; the default of the stack unless told. */
  readonly ttl?: number;
  /** Type of service; 0 unless told. */
  readonly tos?: number;
  /** Whether it may not be cut into fragments; no unless told. */
  readonly df?: boolean;
  /** For a group: index of the interface to send it by; the route's unless told. */
  readonly interface?: number;
  /**
   * For a tunnel: index of the interface whose frame the packet carries. If its way leads back into
   * that interface, at once or through other tunnels, it is refused with ELOOP.
   */
  readonly tunnel?: number;
}

/** The way to an address. */
export interface IpRoute {
  /** Index of the interface that it leads out of. */
  interface: number;
  /** Address of ours that packets along it have, as a number in host order; 0 if there is none. */
  source: number;
  /** Largest packet that goes there in one piece, as far as is known. */
  mtu: number;
}

const DF = 1;
const IFINDEX_SHIFT = 16;
const DEFAULT_TTL = 64;
/** First group address. */
const GROUPS = 0xe0000000;

/** What a protocol asks of IP. */
export class IpSender {
  readonly #engine: Engine;
  readonly #calls: KernelCalls;
  readonly #nesting: Nesting;

  /** For one protocol. */
  constructor(engine: Engine, nesting: Nesting) {
    this.#engine = engine;
    this.#calls = kernelCalls(engine);
    this.#nesting = nesting;
  }

  /** Sends a packet, which it owns; answers 0 or -Errno. */
  send(packet: Packet, options: IpOptions): number {
    const destination = addressOf(options.destination);
    const { source = 0, tunnel = 0, interface: out = 0 } = options;
    const rt = destination < GROUPS && tunnel !== 0 ? this.#calls.route_lookup(destination) : 0;
    const m = packet.take();
    if (tunnel !== 0) {
      const by = rt === 0 ? out : outOf(this.#engine, rt);
      if (this.#nesting.returns(tunnel, destination, by)) {
        this.#calls.mbuf_freem(m);
        return -Errno.ELOOP;
      }
    }
    return this.#calls.ip_output_output(
      m,
      addressOf(source),
      destination,
      options.protocol,
      options.ttl ?? DEFAULT_TTL,
      options.tos ?? 0,
      (options.df ? DF : 0) | out << IFINDEX_SHIFT,
      rt,
    );
  }

  /** Writes the way to an address into `into`; false if there is none. */
  route(destination: number, into: IpRoute): boolean {
    const rt = this.#calls.route_lookup(destination);
    if (rt === 0) return false;
    const engine = this.#engine;
    const ifa = field.getU32(engine, rt, layout.Rtentry.ifa);
    into.interface = outOf(engine, rt);
    into.source = ifa === 0 ? 0 : field.getU32(engine, ifa, layout.Ifaddr.addr);
    into.mtu = this.#calls.ip_mtu_mtuFor(destination, rt);
    return true;
  }
}

/** Index of the interface that a struct Rtentry leads out of. */
export function outOf(engine: Engine, rt: number): number {
  const ifp = field.getU32(engine, rt, layout.Rtentry.ifp);
  return field.getU32(engine, ifp, layout.Ifnet.index);
}

/** An address as a number; `SocketError` EINVAL for what is none. */
export function addressOf(address: string | number): number {
  if (typeof address === "number") return address >>> 0;
  const value = parseIpv4(address);
  if (value !== undefined) return value >>> 0;
  throw new SocketError(Errno.EINVAL, "ip_output", `"${address}" is not an IPv4 address`);
}
