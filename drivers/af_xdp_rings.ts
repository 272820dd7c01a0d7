/**
 * The four rings that an AF_XDP socket shares with the kernel (linux/if_xdp.h and
 * Documentation/networking/af_xdp.rst). Entries say where in the memory for frames one lies; one
 * side only produces, the other only consumes, and indexes run on through 32 bits.
 *
 * @module
 */

const NEED_WAKEUP = 1;

/** Where the parts of a ring are in its mapping (struct xdp_ring_offset). */
export interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly entries: number;
  readonly flags: number;
}

/** Reads the offsets of ring `i` of what XDP_MMAP_OFFSETS answers. */
export function ringOffsets(answer: DataView, i: number): RingOffsets {
  const at = (field: number) => Number(answer.getBigUint64(32 * i + 8 * field, true));
  return { producer: at(0), consumer: at(1), entries: at(2), flags: at(3) };
}

/** A ring, seen from the side that this program is on. */
class XdpRing {
  /** The mapping as 32-bit words. */
  readonly words: Int32Array<ArrayBuffer>;
  protected readonly producer: number;
  protected readonly consumer: number;
  protected readonly flags: number;
  /** Entries in the ring. */
  protected readonly entries: number;
  /** Index of our own side. */
  protected own = 0;
  readonly #first: number;
  readonly #entryWords: number;

  /** A ring of `entries` entries, a power of two, of `entryBytes` bytes each. */
  constructor(buffer: ArrayBuffer, at: RingOffsets, entries: number, entryBytes: number) {
    this.words = new Int32Array(buffer);
    this.producer = at.producer >> 2;
    this.consumer = at.consumer >> 2;
    this.flags = at.flags >> 2;
    this.entries = entries;
    this.#first = at.entries >> 2;
    this.#entryWords = entryBytes >> 2;
  }

  /** Word at which the entry `ahead` of our index begins. */
  entry(ahead: number): number {
    return this.#first + (this.own + ahead & this.entries - 1) * this.#entryWords;
  }
}

/** A ring that the kernel takes from: fill, and transmit. */
export class ProducerRing extends XdpRing {
  /** How many entries the kernel has not taken yet. */
  get pending(): number {
    return this.own - Atomics.load(this.words, this.consumer) | 0;
  }

  /** How many entries can be added. */
  get room(): number {
    return this.entries - this.pending;
  }

  /** True if the kernel looks only when it is told to. */
  get needsWakeup(): boolean {
    return (Atomics.load(this.words, this.flags) & NEED_WAKEUP) !== 0;
  }

  /** Hands over `count` entries that have been written. */
  publish(count: number): void {
    this.own = this.own + count | 0;
    Atomics.store(this.words, this.producer, this.own);
  }
}

/** A ring that the kernel puts into: receive, and completion. */
export class ConsumerRing extends XdpRing {
  /** How many entries there are. */
  get available(): number {
    return Atomics.load(this.words, this.producer) - this.own | 0;
  }

  /** Gives `count` entries back that have been read. */
  release(count: number): void {
    this.own = this.own + count | 0;
    Atomics.store(this.words, this.consumer, this.own);
  }
}
