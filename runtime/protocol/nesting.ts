/**
 * Tunnels in tunnels: finds out when what a tunnel sends would enter the same tunnel again, at once
 * or by way of others, as with a peer whose route leads into the tunnel. Each round would make the
 * packet longer and there would be no end to it.
 *
 * Of each tunnel is known which others lie beneath it: those that routes to its peers lead into.
 * Such a link is believed as long as the route still leads there, so a ring of links is a fact.
 *
 * @module
 */

import { Limits } from "../../assembly/abi/limits.ts";

/** Answers the index of the interface that the route to an address leads out of; 0 without one. */
export type WayOut = (destination: number) => number;

/** First group address: what is sent to one leaves by the interface that was asked for. */
const GROUPS = 0xe0000000;

/** The tunnels of one stack. */
export class Nesting {
  readonly #wayOut: WayOut;
  readonly #tunnels = new Uint8Array(Limits.INTERFACES + 1);
  /** By tunnel, the tunnels beneath it, each with an address that led there. */
  readonly #beneath = new Map<number, Map<number, number>>();

  /** None yet. */
  constructor(wayOut: WayOut) {
    this.#wayOut = wayOut;
  }

  /** An interface of a loaded protocol is there. */
  add(index: number): void {
    this.#tunnels[index] = 1;
    this.#beneath.set(index, new Map());
  }

  /** It is gone, and its index may become that of another. */
  remove(index: number): void {
    this.#tunnels[index] = 0;
    this.#beneath.delete(index);
    for (const links of this.#beneath.values()) links.delete(index);
  }

  /** True if what `tunnel` sends to `destination` by interface `out` comes back into it. */
  returns(tunnel: number, destination: number, out: number): boolean {
    if (this.#tunnels[out] === 0) return false;
    if (out === tunnel) return true;
    this.#beneath.get(tunnel)?.set(out, destination);
    return this.#reaches(out, tunnel, new Set());
  }

  #reaches(from: number, target: number, seen: Set<number>): boolean {
    seen.add(from);
    for (const [next, destination] of this.#beneath.get(from) ?? []) {
      if (destination < GROUPS && this.#wayOut(destination) !== next) {
        this.#beneath.get(from)?.delete(next);
        continue;
      }
      if (next === target) return true;
      if (!seen.has(next) && this.#reaches(next, target, seen)) return true;
    }
    return false;
  }
}
