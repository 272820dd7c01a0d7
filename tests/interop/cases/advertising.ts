/**
 * A router of IPv6 that has nothing to offer, inside a driver: firmware that looks for one before
 * it uses IPv4 waits a quarter of a minute otherwise.
 */

import type { FrameBatch, Ifnet, NetDriver } from "../../../mod.ts";

const HEADERS = 14 + 40;
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const ICMPV6 = 58;

/** Sum of 16-bit words (RFC 1071), without the complement. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += bytes[i] << 8 | bytes[i + 1];
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

/** An advertisement with a lifetime of 0 (RFC 4861 section 4.2), to all nodes. */
function advertisement(): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADERS + 16);
  frame.set([0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, ICMPV6]);
  frame[21] = 255;
  frame.set([0xfe, 0x80], 22);
  frame[37] = 1;
  frame.set([0xff, 0x02], 38);
  frame[53] = 1;
  frame[HEADERS] = ROUTER_ADVERTISEMENT;
  frame[HEADERS + 4] = 64;
  const checksum = ~(sum(frame.subarray(22)) + 16 + ICMPV6) & 0xffff;
  frame.set([checksum >>> 8, checksum & 255], HEADERS + 2);
  return frame;
}

/** Passes everything on, and answers solicitations. */
export class AdvertisingDriver implements NetDriver {
  readonly name = "advertising";
  readonly #inner: NetDriver;
  readonly #answer: FrameBatch;
  #asked = false;

  constructor(inner: NetDriver) {
    this.#inner = inner;
    const memory = advertisement();
    this.#answer = {
      count: 1,
      memory,
      address: () => 0,
      length: () => memory.length,
      setLength: () => {},
      view: () => memory,
    };
  }

  get caps() {
    return this.#inner.caps;
  }

  attach(ifp: Ifnet): void | Promise<void> {
    return this.#inner.attach(ifp);
  }

  start(tx: FrameBatch): number {
    return this.#inner.start(tx);
  }

  rx(free: FrameBatch): number {
    const filled = this.#inner.rx(free);
    for (let i = 0; i < filled; i++) {
      const frame = free.view(i);
      if (frame[20] === ICMPV6 && frame[HEADERS] === ROUTER_SOLICITATION) this.#asked = true;
    }
    if (this.#asked && this.#inner.start(this.#answer) === 1) this.#asked = false;
    return filled;
  }

  detach(): void | Promise<void> {
    return this.#inner.detach();
  }
}
