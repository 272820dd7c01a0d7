/**
 * Packets for protocols in TypeScript: the engine queues them in a ring, which
 * assembly/protocol/host.ts describes, and after each poll they are handed out here, in batches for
 * one protocol each.
 *
 * @module
 */

import { HostKind } from "../../assembly/abi/module.ts";
import type { Engine } from "../engine.ts";
import * as layout from "../wasm/layout.gen.ts";
import { kernelCalls } from "./kernel_calls.ts";
import { Packet } from "./packet.ts";

const Q = layout.HostQueue;
const M = layout.Mbuf;
const ENTRY_BYTES = 16;
/** Most packets of a batch. */
const BATCH = 64;
/** Where the protocol stands in an IPv4 header. */
const IP_PROTOCOL_AT = 9;

/** Who takes packets; what it has not taken of them is freed afterwards. */
export type Receiver = (packets: readonly Packet[]) => void;

/** The ring of one engine. */
export class Ring {
  readonly #engine: Engine;
  readonly #words: Uint32Array;
  readonly #head: number;
  readonly #tail: number;
  readonly #mask: number;
  readonly #ring: number;
  readonly #receivers = new Map<number, Receiver>();
  readonly #packets: Packet[];
  readonly #batch: Packet[] = [];

  /** For an engine that is booted. */
  constructor(engine: Engine) {
    const at = kernelCalls(engine).host_queue();
    this.#engine = engine;
    this.#words = engine.u32;
    this.#head = (at + Q.head) >>> 2;
    this.#tail = (at + Q.tail) >>> 2;
    this.#mask = engine.u32[(at + Q.mask) >>> 2];
    this.#ring = engine.u32[(at + Q.ring) >>> 2];
    this.#packets = Array.from({ length: BATCH }, () => new Packet(engine));
  }

  /** True if packets wait. */
  get waiting(): boolean {
    return this.#words[this.#head] !== this.#words[this.#tail];
  }

  /** Registers who takes packets of a kind and key; undefined takes it away. */
  set(kind: HostKind, key: number, receiver: Receiver | undefined): void {
    if (receiver === undefined) this.#receivers.delete(keyOf(kind, key));
    else this.#receivers.set(keyOf(kind, key), receiver);
  }

  /** Hands out what waits now; answers how many packets that were. */
  drain(): number {
    const words = this.#words;
    let left = (words[this.#tail] - words[this.#head]) >>> 0;
    let done = 0;
    while (left > 0) {
      const n = this.#next(Math.min(left, BATCH));
      left -= n;
      done += n;
    }
    return done;
  }

  /** Takes packets of one receiver off the ring and hands them to it. */
  #next(most: number): number {
    const batch = this.#batch;
    batch.length = 0;
    let key = -1;
    let n = 0;
    for (; n < most; n++) {
      const at = (this.#ring + (this.#words[this.#head] & this.#mask) * ENTRY_BYTES) >>> 2;
      const own = this.#keyAt(at);
      if (n > 0 && own !== key) break;
      key = own;
      this.#words[this.#head]++;
      batch.push(this.#packetAt(at, this.#packets[n]));
    }
    const receiver = this.#receivers.get(key);
    if (receiver !== undefined) receiver(batch);
    for (let i = 0; i < n; i++) batch[i].free();
    return n;
  }

  #keyAt(at: number): number {
    const kind = this.#words[at + 3];
    if (kind !== HostKind.PACKET) return keyOf(kind, this.#words[at + 2]);
    const data = this.#words[(this.#words[at] + M.data) >>> 2];
    return keyOf(kind, this.#engine.memory[data + IP_PROTOCOL_AT]);
  }

  #packetAt(at: number, packet: Packet): Packet {
    const words = this.#words;
    const kind = words[at + 3];
    const off = words[at + 1];
    if (kind === HostKind.FRAME) return packet.assign(words[at], 0, words[at + 2]);
    packet.assign(words[at], kind === HostKind.PACKET ? 0 : off, 0);
    if (kind === HostKind.PACKET) packet.trimFront(off);
    return packet;
  }
}

/** Addresses of sockets fit 32 bits, and kinds stand above them. */
function keyOf(kind: HostKind, key: number): number {
  return kind * 2 ** 32 + key;
}
