/**
 * The receive rings of an AF_PACKET socket, as the kernel lays them out (linux/if_packet.h and
 * Documentation/networking/packet_mmap.rst). One frame at a time is looked at where the kernel has
 * put it, and given back.
 *
 * @module
 */

/** Bits of a frame's status. */
export const enum FrameStatus {
  USER = 1 << 0,
  VLAN_VALID = 1 << 4,
  VLAN_TPID_VALID = 1 << 6,
}

/** Bytes of a virtio_net_hdr, which lies right before each frame. */
export const VNET_HEADER_BYTES = 10;
/**
 * Put before each frame with PACKET_RESERVE, so that an Ethernet header begins two bytes after a
 * multiple of 16, as it does in an mbuf.
 */
export const RESERVE_BYTES = 6;
/** Bytes from the start of a slot to its frame: header, address, reserve and virtio header. */
export const SLOT_HEADER_BYTES = 96;
/** 802.1Q: what stands for a tag whose kind the kernel does not tell. */
const ETHERTYPE_VLAN = 0x8100;

/** Frames in memory that is shared with the kernel. */
export interface ReceiveRing {
  /** The whole ring. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offset of the frame in `bytes`; its virtio header is before that. */
  readonly at: number;
  /** Bytes of the frame that are there. */
  readonly length: number;
  /** Bytes that the frame had. */
  readonly wireLength: number;
  /** Tag protocol and tag control of a VLAN tag that was taken out, as one word; 0 if none was. */
  readonly tag: number;
  /** True if there is a frame. */
  readonly ready: boolean;
  /** Looks at the next frame, always the same until it is released; false if there is none. */
  next(): boolean;
  /** Gives the frame that `next` found back to the kernel. */
  release(): void;
}

function tagOf(status: number, tci: number, tpid: number): number {
  if ((status & FrameStatus.VLAN_VALID) === 0) return 0;
  const protocol = (status & FrameStatus.VLAN_TPID_VALID) !== 0 ? tpid : ETHERTYPE_VLAN;
  return (protocol << 16 | tci) >>> 0;
}

/** TPACKET_V3: blocks of many frames, handed over when full or after a while. */
export class BlockRing implements ReceiveRing {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at = 0;
  length = 0;
  wireLength = 0;
  tag = 0;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #blockBytes: number;
  #block = 0;
  /** Frames of the block that were not released yet; 0 if the block was not begun. */
  #left = 0;
  /** Offset of the header of the next frame. */
  #header = 0;

  /** A ring of blocks of `blockBytes` bytes in `buffer`. */
  constructor(buffer: ArrayBuffer, blockBytes: number) {
    this.bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#blockBytes = blockBytes;
  }

  /** True if there is a frame. */
  get ready(): boolean {
    return this.#left > 0 || this.#handedOver();
  }

  next(): boolean {
    const words = this.#words;
    while (this.#left === 0) {
      if (!this.#handedOver()) return false;
      this.#left = words[this.#block + 12 >> 2];
      this.#header = this.#block + words[this.#block + 16 >> 2];
      if (this.#left === 0) this.#giveBack();
    }
    const header = this.#header >> 2;
    this.length = words[header + 3];
    this.wireLength = words[header + 4];
    this.at = this.#header + (words[header + 6] & 0xffff);
    this.tag = tagOf(words[header + 5], words[header + 8] & 0xffff, words[header + 9] & 0xffff);
    return true;
  }

  release(): void {
    this.#left--;
    if (this.#left === 0) this.#giveBack();
    else this.#header += this.#words[this.#header >> 2];
  }

  #handedOver(): boolean {
    return (Atomics.load(this.#words, this.#block + 8 >> 2) & FrameStatus.USER) !== 0;
  }

  #giveBack(): void {
    Atomics.store(this.#words, this.#block + 8 >> 2, 0);
    this.#block += this.#blockBytes;
    if (this.#block === this.bytes.length) this.#block = 0;
  }
}

/** TPACKET_V2: slots of one frame each, handed over at once. */
export class SlotRing implements ReceiveRing {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at = 0;
  length = 0;
  wireLength = 0;
  tag = 0;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #slotBytes: number;
  readonly #blockBytes: number;
  #slot = 0;
  /** Where the block ends that the slot is in. */
  #blockEnd: number;

  /** A ring of slots in `buffer`; what is left at the end of a block is too short for another. */
  constructor(buffer: ArrayBuffer, blockBytes: number, slotBytes: number) {
    this.bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#slotBytes = slotBytes;
    this.#blockBytes = blockBytes;
    this.#blockEnd = blockBytes;
  }

  /** True if there is a frame. */
  get ready(): boolean {
    return (Atomics.load(this.#words, this.#slot >> 2) & FrameStatus.USER) !== 0;
  }

  next(): boolean {
    const words = this.#words;
    const header = this.#slot >> 2;
    const status = Atomics.load(words, header);
    if ((status & FrameStatus.USER) === 0) return false;
    this.wireLength = words[header + 1];
    this.length = words[header + 2];
    this.at = this.#slot + (words[header + 3] & 0xffff);
    const vlan = words[header + 6];
    this.tag = tagOf(status, vlan & 0xffff, vlan >>> 16);
    return true;
  }

  release(): void {
    Atomics.store(this.#words, this.#slot >> 2, 0);
    this.#slot += this.#slotBytes;
    if (this.#slot + this.#slotBytes <= this.#blockEnd) return;
    this.#slot = this.#blockEnd === this.bytes.length ? 0 : this.#blockEnd;
    this.#blockEnd = this.#slot + this.#blockBytes;
  }
}
