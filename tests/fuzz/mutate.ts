/**
 * Ways to spoil a frame. Half of the spoiled frames get their checksums put right again, so that
 * the fault reaches the code behind them.
 *
 * @module
 */

import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";

/** Longest frame that the wire carries; more than the MTU allows. */
const FRAME_BYTES_MAX = 2030;

/** A field: its offset and its bits. */
type Field = readonly [at: number, bits: 8 | 16 | 32];

const ETHER_FIELDS: readonly Field[] = [[0, 8], [2, 32], [6, 8], [8, 32], [12, 16]];
const ARP_FIELDS: readonly Field[] = [
  ...[[0, 16], [2, 16], [4, 8], [5, 8], [6, 16], [8, 32], [14, 32], [18, 32], [24, 32]] as Field[],
];
const IP_FIELDS: readonly Field[] = [
  ...[[0, 8], [1, 8], [2, 16], [4, 16], [6, 16], [8, 8], [9, 8], [10, 16]] as Field[],
  ...[[12, 32], [16, 32], [20, 8], [21, 8], [22, 8]] as Field[],
];
const TRANSPORT_FIELDS: Readonly<Record<number, readonly Field[]>> = {
  [packets.TCP]: [
    ...[[0, 16], [2, 16], [4, 32], [8, 32], [12, 8], [13, 8], [14, 16], [16, 16]] as Field[],
    ...[[18, 16], [20, 8], [21, 8], [22, 8], [23, 8], [24, 32], [28, 32]] as Field[],
  ],
  [packets.UDP]: [[0, 16], [2, 16], [4, 16], [6, 16]],
  // An error quotes a packet from its byte 8 on.
  [packets.ICMP]: [
    ...[[0, 8], [1, 8], [2, 16], [4, 16], [6, 16], [8, 8], [10, 16], [14, 16]] as Field[],
    ...[[17, 8], [20, 32], [24, 32], [28, 16], [30, 16], [32, 32]] as Field[],
  ],
  [packets.IGMP]: [[0, 8], [1, 8], [2, 16], [4, 32]],
};

/** Fields that say how long something is, from the beginning of the IPv4 header. */
const LENGTHS: readonly Field[] = [[0, 8], [2, 16], [6, 16], [21, 8]];

function put(frame: Uint8Array, [at, bits]: Field, value: number): void {
  for (let i = 0; i < bits / 8; i++) {
    if (at + i < frame.length) frame[at + i] = value >>> (bits - 8 - 8 * i);
  }
}

function get(frame: Uint8Array, [at, bits]: Field): number {
  let value = 0;
  for (let i = 0; i < bits / 8; i++) value = value * 256 + (frame[at + i] ?? 0);
  return value;
}

function moved(fields: readonly Field[], by: number): Field[] {
  return fields.map(([at, bits]) => [at + by, bits]);
}

/** The fields of the headers that a frame has. */
function fieldsOf(frame: Uint8Array): Field[] {
  const type = packets.u16(frame, packets.ETHERTYPE_AT);
  if (type === packets.ETHERTYPE_ARP) return [...ETHER_FIELDS, ...moved(ARP_FIELDS, 14)];
  if (type !== packets.ETHERTYPE_IP) return [...ETHER_FIELDS];
  const header = (frame[packets.IP_AT] & 15) * 4;
  const transport = TRANSPORT_FIELDS[frame[packets.IP_AT + 9]] ?? [];
  // Ethernet's own fields seldom: a frame to somebody else goes no further.
  const ip = moved(IP_FIELDS, packets.IP_AT);
  return [...ip, ...moved(transport, packets.IP_AT + header), ...ETHER_FIELDS.slice(0, 2)];
}

/** Spoils frames. */
export class Mutator {
  readonly #random: Random;
  #last: Bytes = new Uint8Array(64);

  constructor(random: Random) {
    this.#random = random;
  }

  /** What becomes of a frame: itself, spoiled or not, or several. */
  mutate(frame: Bytes): Bytes[] {
    const random = this.#random;
    const spoiled = this.#spoil(frame.slice());
    this.#last = frame;
    if (random.oneIn(2)) packets.fixFrame(spoiled);
    return random.oneIn(12) ? new Array(random.between(2, 4)).fill(spoiled) : [spoiled];
  }

  #spoil(frame: Bytes): Bytes {
    const random = this.#random;
    switch (random.below(12)) {
      case 0:
      case 10:
      case 11:
        return frame;
      case 1:
        return this.#flipBits(frame);
      case 2:
        return frame.slice(0, random.below(frame.length + 1));
      case 3:
        return this.#lengthen(frame);
      case 4:
        return this.#lie(frame);
      case 5:
        return this.#splice(frame);
      case 6:
        return this.#flipBits(this.#edit(frame));
      default:
        return this.#edit(frame);
    }
  }

  #flipBits(frame: Bytes): Bytes {
    const random = this.#random;
    for (let i = random.between(1, 8); i > 0; i--) {
      // Headers are where it hurts.
      const at = random.below(random.oneIn(2) ? Math.min(frame.length, 74) : frame.length);
      frame[at] ^= 1 << random.below(8);
    }
    return frame;
  }

  #lengthen(frame: Bytes): Bytes {
    const random = this.#random;
    const longest = random.oneIn(4) ? FRAME_BYTES_MAX - frame.length : 46;
    return packets.concat(frame, random.bytes(random.below(Math.max(1, longest))));
  }

  /** A length that is not true: of a header, a packet, an option, a fragment. */
  #lie(frame: Bytes): Bytes {
    const random = this.#random;
    const header = packets.IP_AT + (frame[packets.IP_AT] & 15) * 4;
    const lengths: Field[] = moved(LENGTHS, packets.IP_AT);
    lengths.push([header + 4, 16], [header + 12, 8], [header + 21, 8], [header + 23, 8]);
    for (let i = random.between(1, 2); i > 0; i--) {
      const field = random.pick(lengths);
      const value = random.oneIn(2)
        ? get(frame, field) + random.between(-9, 9)
        : random.edge(field[1]);
      // The version stays: a packet of another one is not looked at.
      const version = field[0] === packets.IP_AT ? 0x40 | (value & 15) : value;
      put(frame, field, version);
    }
    return frame;
  }

  /** The beginning of one frame with the end of another. */
  #splice(frame: Bytes): Bytes {
    const random = this.#random;
    const other = this.#last;
    const cut = random.below(frame.length);
    const from = random.oneIn(2) ? Math.min(cut, other.length) : random.below(other.length);
    return packets.concat(frame.subarray(0, cut), other.subarray(from)).slice(0, FRAME_BYTES_MAX);
  }

  /** Some fields get values at or beyond the edge of what they may have. */
  #edit(frame: Bytes): Bytes {
    const random = this.#random;
    const fields = fieldsOf(frame);
    for (let i = random.between(1, 3); i > 0; i--) {
      const field = random.pick(fields);
      const value = random.oneIn(3)
        ? get(frame, field) + random.between(-2, 2)
        : random.edge(field[1]);
      put(frame, field, value);
    }
    return frame;
  }
}
