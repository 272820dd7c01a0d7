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

/** Where a route leads, and what may go along it. */
export interface RouteWay {
  /** Next hop, for a network that is not on the link. */
  readonly gateway?: string;
  /** Name of the interface; found from the gateway unless told. */
  readonly interface?: string;
  /** `reject`: answer with an ICMP error and EHOSTUNREACH; `blackhole`: drop in silence. */
  readonly kind?: "reject" | "blackhole";
  /** Bytes of the largest packet along it, 68 to 65,535; what the interface takes unless told. */
  readonly mtu?: number;
  /** Bytes of the largest TCP segment to ask for along it; what the MTU says unless told. */
  readonly mss?: number;
}

/** Which of several routes to one network is meant. */
export interface RouteRank {
  /** Of two routes to the same network the one with the lower metric is used; 0 unless told. */
  readonly metric?: number;
  /**
   * Only packets from this network take the route, such as `10.1.0.0/16` or one address; they take
   * it rather than one for packets from anywhere.
   */
  readonly from?: string;
}

/** A route to add. */
export interface RouteOptions extends RouteWay, RouteRank {}

/** Which route to delete; what is left out may be anything. */
export interface RouteChoice extends RouteRank {
  /** Its next hop. */
  readonly gateway?: string;
  /** Name of its interface. */
  readonly interface?: string;
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
  /** Bytes of the largest TCP segment to ask for along it; 0: what the MTU says. */
  readonly mss: number;
  /** Only packets from this network take it, `10.1.0.0/16`; empty for packets from anywhere. */
  readonly from: string;
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
   * Adds a route to `destination`, a prefix such as `10.0.0.0/8`, an address, or `default`. Routes
   * to one destination with different gateways or interfaces and the same metric share the traffic:
   * each connection goes one way.
   *
   * @throws SocketError EEXIST if there is one just like it, ENETUNREACH if the gateway is on no
   * network of ours, EADDRNOTAVAIL if the interface has no address, EINVAL, ENXIO, ENOBUFS
   */
  add(destination: string, options: RouteOptions): void {
    const request = { ...network(destination), ...this.#way(options), ...rank(options) };
    routeIoctl(this.#engine, Sioc.ADDRT, request);
    this.#changed();
  }

  /**
   * Gives a route that was added another way, or other limits; what it has counted stays. Metric
   * and source tell which one is meant where there are several. `SocketError` ESRCH, and as for
   * add.
   */
  change(destination: string, options: RouteOptions): void {
    const request = { ...network(destination), ...this.#way(options), ...rank(options) };
    routeIoctl(this.#engine, Sioc.CHGRT, request);
    this.#changed();
  }

  /**
   * Deletes a route to a prefix, an address, or `default`, the best of those that fit `choice`.
   * `SocketError` ESRCH.
   */
  del(destination: string, choice: RouteChoice = {}): void {
    const { gateway } = choice;
    const ifindex = this.#index(choice.interface);
    routeIoctl(this.#engine, Sioc.DELRT, {
      ...network(destination),
      ...rank(choice),
      gateway,
      ifindex,
    });
    this.#changed();
  }

  /**
   * The route that packets to `address` take, those from the address `source` if told.
   * `SocketError` ESRCH if there is none.
   */
  get(address: string, source?: string): Route {
    return this.#describe(routeIoctl(this.#engine, Sioc.GETRT, { dst: address, src: source }));
  }

  /** All routes, the longest prefixes first, and of those to one network the best first. */
  *[Symbol.iterator](): IterableIterator<Route> {
    const routes: { route: Route; key: readonly number[] }[] = [];
    for (let i = 0;; i++) {
      let request: RouteRequest;
      try {
        request = routeIoctl(this.#engine, Sioc.GETRT, { i });
      } catch (error) {
        if (error instanceof SocketError && error.errno === Errno.ESRCH) break;
        throw error;
      }
      routes.push({ route: this.#describe(request), key: orderOf(request) });
    }
    routes.sort((a, b) => compare(a.key, b.key));
    for (const { route } of routes) yield route;
  }

  /** Forgets what TCP has learned of paths: round trips, windows, Fast Open cookies. */
  forgetMetrics(): void {
    this.#engine.calls.tcp_metrics_flush();
  }

  #index(name: string | undefined): number {
    return name === undefined ? 0 : ifIndexOf(this.#engine, name);
  }

  #way({ gateway, kind, mtu, mss, interface: name }: RouteWay): RouteRequest {
    const flags = kind === undefined ? 0 : kind === "reject" ? Rtf.REJECT : Rtf.BLACKHOLE;
    return { gateway, flags, mtu, mss, ifindex: this.#index(name) };
  }

  #describe(request: RouteRequest): Route {
    const ifnet = this.#engine.calls.if_ptr(request.ifindex!);
    return {
      destination: prefixText(request.dst!, request.mask!),
      gateway: request.gateway!,
      interface: ifnet === 0 ? "" : field.getName(this.#engine, ifnet, layout.Ifnet.name0),
      flags: request.flags!,
      metric: request.metric!,
      mtu: request.mtu!,
      use: request.use!,
      source: request.src!,
      mss: request.mss!,
      from: request.from === "" ? "" : prefixText(request.from!, request.fromMask!),
    };
  }
}

function prefixText(net: string, mask: string): string {
  return `${net}/${bitsOf(parseIpv4(mask) ?? 0) ?? mask}`;
}

/** What routes are put in order by. */
function orderOf({ dst, mask, fromMask, metric }: RouteRequest): readonly number[] {
  const number = (text: string | undefined) => parseIpv4(text ?? "") ?? 0;
  return [-number(mask), number(dst), -number(fromMask), metric ?? 0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at] - b[at];
}

/** Which of several routes, in the words of the engine. */
function rank({ metric, from }: RouteRank): RouteRequest {
  if (from === undefined) return { metric };
  const { dst, mask } = network(from);
  return { metric, from: dst, fromMask: mask };
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
