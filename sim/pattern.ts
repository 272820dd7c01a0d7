/**
 * What connections carry: bytes that follow from the connection, the direction and the offset, so
 * that one byte lost, doubled or moved is found.
 *
 * @module
 */

import { Random } from "./random.ts";

/** A prime: no power of two, as lengths in protocols like to be, is a period of the pattern. */
const PERIOD = 65_521;
/** The table begins elsewhere in each further period. */
const STRIDE = 7_919;

/** Twice the same random bytes, so that a whole period can be read from any place. */
function makeTable(): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(2 * PERIOD);
  const random = new Random(0x60d317);
  for (let i = 0; i < PERIOD; i++) table[i] = table[i + PERIOD] = random.u32() >>> 24;
  return table;
}

const TABLE = makeTable();

/** Most bytes that one call answers. */
export const PATTERN_BYTES_MAX = PERIOD;

/** The stream of one direction of one connection. */
export class Pattern {
  readonly #start: number;

  /** Streams with other keys are other bytes. */
  constructor(key: string) {
    this.#start = Random.of(0, key).below(PERIOD);
  }

  #at(offset: number): number {
    return (this.#start + offset + Math.floor(offset / PERIOD) * STRIDE) % PERIOD;
  }

  /** Bytes from `offset` on, at most `length` and up to the end of a period; not to be changed. */
  bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const most = Math.min(length, PERIOD - offset % PERIOD);
    const at = this.#at(offset);
    return TABLE.subarray(at, at + most);
  }

  /** Place of the first of these bytes that is not as at `offset`; -1 if all are. */
  mismatch(offset: number, bytes: Uint8Array, length: number): number {
    let done = 0;
    while (done < length) {
      const most = Math.min(length - done, PERIOD - (offset + done) % PERIOD);
      const at = this.#at(offset + done);
      for (let i = 0; i < most; i++) {
        if (bytes[done + i] !== TABLE[at + i]) return done + i;
      }
      done += most;
    }
    return -1;
  }
}
