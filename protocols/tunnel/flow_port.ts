/**
 * The source port of a packet that carries a frame in UDP: the same for all frames of a flow, so
 * that routers with several ways, which look at ports, spread flows and keep each in order
 * (RFC 7348 5).
 *
 * @module
 */

import { FlowHash } from "../../drivers/flow_hash.ts";

/** Ports for private use, as RFC 7348 5 recommends: 49152 to 65535. */
const FIRST = 0xc000;
const COUNT_MASK = 0x3fff;
const ETHERNET_BYTES = 14;

/** Finds the ports for Ethernet frames. */
export class FlowPort {
  readonly #hash: FlowHash;

  /** @param seed differs between hosts, so that their flows do not fall together */
  constructor(seed: number) {
    this.#hash = new FlowHash(seed, ETHERNET_BYTES);
  }

  /** The port for a frame of at least 14 bytes. */
  of(view: DataView, at: number, length: number): number {
    const hash = this.#hash;
    hash.read(view, at, length);
    const flow = hash.hash >= 0 ? hash.hash : stations(view, at);
    return FIRST | (flow ^ flow >>> 16) & COUNT_MASK;
  }
}

/** What is no IPv4 packet to one host: a hash of the link header. */
function stations(view: DataView, at: number): number {
  let h = Math.imul(view.getUint32(at) ^ view.getUint32(at + 8), 0x85ebca6b);
  h = Math.imul(h ^ h >>> 13 ^ view.getUint32(at + 4), 0xc2b2ae35);
  return (h ^ h >>> 16 ^ view.getUint16(at + 12)) >>> 0;
}
