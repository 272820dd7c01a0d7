/**
 * The messages of one sendmmsg(2): each a frame where it lies in the engine's memory. What does not
 * change from batch to batch is written once.
 *
 * @module
 */

import { VNET_HEADER_BYTES } from "./af_packet_ring.ts";
import { addressOf } from "./libc.ts";

/** Bytes of a `struct mmsghdr` and of a `struct iovec` of a 64-bit host. */
const MESSAGE_BYTES = 64;
const IOVEC_BYTES = 16;
/** Words from the start of a message to its vector and the vector's length. */
const IOV_WORD = 4;
const IOVLEN_WORD = 6;
const TWO_32 = 2 ** 32;

/** Messages to send. */
export class SendVector {
  /** How many messages there are. */
  count = 0;
  /** Which frame of the batch a message is. */
  readonly origin: Int32Array<ArrayBuffer>;
  /** Bytes of each message's frame. */
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #addresses: BigUint64Array<ArrayBuffer>;
  readonly #iovecs: number;
  readonly #perMessage: number;
  #memory: Uint8Array<ArrayBuffer> | undefined = undefined;
  #base = 0;

  /**
   * @param most how many messages there can be
   * @param offload true if each frame begins with its own virtio header; otherwise each gets an
   * empty one
   */
  constructor(most: number, offload: boolean) {
    this.origin = new Int32Array(most);
    this.lengths = new Int32Array(most);
    this.#perMessage = offload ? 1 : 2;
    const header = most * (MESSAGE_BYTES + this.#perMessage * IOVEC_BYTES);
    const bytes = new Uint8Array(header + IOVEC_BYTES);
    this.#words = new Uint32Array(bytes.buffer);
    const base = addressOf(bytes);
    this.#addresses = BigUint64Array.from({ length: most }, (_, i) => base + BigInt(64 * i));
    this.#iovecs = most * MESSAGE_BYTES / 4;
    for (let i = 0; i < most; i++) {
      const message = i * MESSAGE_BYTES / 4;
      const iovec = this.#iovecs + i * this.#perMessage * IOVEC_BYTES / 4;
      this.#address(message + IOV_WORD, Number(base) + 4 * iovec);
      this.#words[message + IOVLEN_WORD] = this.#perMessage;
      if (offload) continue;
      this.#address(iovec, Number(base) + header);
      this.#words[iovec + 2] = VNET_HEADER_BYTES;
    }
  }

  /** Begins a batch of frames in `memory`. */
  begin(memory: Uint8Array<ArrayBuffer>): void {
    this.count = 0;
    if (memory === this.#memory) return;
    this.#memory = memory;
    this.#base = Number(addressOf(memory));
  }

  /** Adds frame `origin` of the batch, at an offset in the memory. */
  add(origin: number, offset: number, length: number): void {
    const i = this.count++;
    this.origin[i] = origin;
    this.lengths[i] = length;
    const iovec = this.#iovecs + (i + 1) * this.#perMessage * IOVEC_BYTES / 4 - IOVEC_BYTES / 4;
    this.#address(iovec, this.#base + offset);
    this.#words[iovec + 2] = length;
  }

  /** Address of message `i`. */
  address(i: number): bigint {
    return this.#addresses[i];
  }

  /** Writes an address of 64 bits; those of programs are exact as numbers. */
  #address(word: number, address: number): void {
    this.#words[word] = address % TWO_32;
    this.#words[word + 1] = Math.floor(address / TWO_32);
  }
}
