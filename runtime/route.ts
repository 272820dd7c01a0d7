/**
 * The routing table of a stack.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Sioc } from "../assembly/abi/ifnet.ts";
import { Rtf } from "../assembly/abi/route.ts";
import type { Engine } from "./engine.ts";
import { SocketError } from "./errors.ts";
import * as field from "./layout.ts";
import { bitsOf, formatIpv4, maskOf, parseIpv4, parsePrefix } from "./socket/inet_addr.ts";
import { ifIndexOf, routeIoctl, type RouteRequest } from "./socket/ioctl.ts";
import * as layout from "./wasm/layout.gen.ts";

/** A route to add. */
export interface RouteOptions {
  /** Next hop, for a network that is not on the link. */
  readonly gateway?: string;
  /** Name of the interface; found from the gateway unless told. */
  readonly interface?: string;
  /** Of two routes to the same network the one with the lower metric is used; 0 unless told. */
  readonly metric?: number;
  /** `reject`: answer with an ICMP error and EHOSTUNREACH; `blackhole`: drop in silence. */
  readonly kind?: "reject" | "blackhole";
}

/** A route of the table. */
export interface Route {
  /** Network, `10.0.0.0/8`; `0.0.0.0/0` is the default route. */
  readonly destination: string;
  /** Next hop; empty if the network is on the link. */
  readonly gateway: string;
  /** Name of the interface. */
  readonly interface: string;
  /** `Rtf` bits. */
  readonly flags: number;
  /** Lower is better. */
  readonly metric: number;
  /** Bytes of the largest packet along it. */
  readonly mtu: number;
  /** Packets sent along it. */
  readonly use: number;
  /** Source address of packets along it. */
  readonly source: string;
}

/** Reads and changes the routing table. */
export class Routes implements Iterable<Route> {
  readonly #engine: Engine;
  readonly #changed: () => void;

  /**
   * The table of `engine`.
   *
   * @param changed called after each change
   */
  constructor(engine: Engine, changed: () => void) {
    this.#engine = engine;
    this.#changed = changed;
  }

  /**
   * Adds a route to `destination`, a prefix such as `10.0.0.0/8`, an address, or `default`.
   *
   * @throws SocketError EEXIST, ENETUNREACH if the gateway is on no network of ours, EADDRNOTAVAIL
   * if the interface has no address, EINVAL, ENXIO, ENOBUFS
   */
  add(destination: string, options: RouteOptions): void {
    const { gateway, metric, kind } = options;
    const flags = kind === undefined ? 0 : kind === "reject" ? Rtf.REJECT : Rtf.BLACKHOLE;
    const ifindex = options.interface === undefined
      ? 0
      : ifIndexOf(this.#engine, options.interface);
    const request = { ...network(destination), gateway, metric, flags, ifindex };
    routeIoctl(this.#engine, Sioc.ADDRT, request);
    this.#changed();
  }

  /** Deletes the route to a prefix, an address, or `default`. `SocketError` ESRCH. */
  del(destination: string): void {
    routeIoctl(this.#engine, Sioc.DELRT, network(destination));
    this.#changed();
  }

  /** The route that packets to `address` take. `SocketError` ESRCH if there is none. */
  get(address: string): Route {
    return this.#describe(routeIoctl(this.#engine, Sioc.GETRT, { dst: address }));
  }

  /** All routes, the longest prefixes first. */
  *[Symbol.iterator](): IterableIterator<Route> {
    for (let i = 0;; i++) {
      let request: RouteRequest;
      try {
        request = routeIoctl(this.#engine, Sioc.GETRT, { i });
      } catch (error) {
        if (error instanceof SocketError && error.errno === Errno.ESRCH) return;
        throw error;
      }
      yield this.#describe(request);
    }
  }

  /** Forgets what TCP has learned of paths: round trips, windows, Fast Open cookies. */
  forgetMetrics(): void {
    this.#engine.calls.tcp_metrics_flush();
  }

  #describe(request: RouteRequest): Route {
    const mask = parseIpv4(request.mask!) ?? 0;
    const ifnet = this.#engine.calls.if_ptr(request.ifindex!);
    return {
      destination: `${request.dst}/${bitsOf(mask) ?? request.mask}`,
      gateway: request.gateway!,
      interface: ifnet === 0 ? "" : field.getName(this.#engine, ifnet, layout.Ifnet.name0),
      flags: request.flags!,
      metric: request.metric!,
      mtu: request.mtu!,
      use: request.use!,
      source: request.src!,
    };
  }
}

/** A destination in the words of the engine. */
function network(destination: string): { dst: string; mask: string } {
  if (destination === "default") return { dst: "0.0.0.0", mask: "0.0.0.0" };
  const prefix = parsePrefix(destination);
  if (prefix === undefined) {
    throw new SocketError(Errno.EINVAL, "ioctl", `"${destination}" is no address or prefix`);
  }
  return {
    dst: formatIpv4((prefix.address & prefix.mask) >>> 0),
    mask: formatIpv4(maskOf(prefix.bits)),
  };
}
