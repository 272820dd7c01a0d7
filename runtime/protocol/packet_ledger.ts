/**
 * Who holds which packets.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { Packet } from "./packet.ts";

/** The packets that a protocol holds: bounded, and freed when it is unloaded. */
export class PacketLedger {
  /** Those that were made or kept, and neither sent nor delivered nor freed since. */
  readonly held: Set<Packet> = new Set();
  /** Objects that are used again and again: between two calls they stand for nothing. */
  readonly blanks: Packet[] = [];
  readonly #most: number;

  /** With a limit. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `SocketError` ENOBUFS if the protocol holds too many already. */
  check(): void {
    if (this.held.size < this.#most) return;
    const words = `it holds ${this.#most} packets and frees none`;
    throw new SocketError(Errno.ENOBUFS, "m_get", words);
  }

  /** Frees all; answers how many that were. */
  release(): number {
    const left = [...this.held, ...this.blanks.filter(({ mbuf }) => mbuf !== 0)];
    for (const packet of left) packet.free();
    return left.length;
  }
}
