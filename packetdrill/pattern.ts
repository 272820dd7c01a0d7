/**
 * What the bytes of a stream are: each tells its place, so that data that is lost, doubled or moved
 * shows.
 *
 * @module
 */

/** The pattern repeats after so many bytes. */
const PERIOD = 65_536;

/** Two periods, so that any piece up to one period long is one slice. */
const TABLE = Uint8Array.from(
  { length: 2 * PERIOD },
  (_, index) => (Math.imul(index, 31) + (index >>> 8)) & 255,
);

/** `length` bytes of a stream from `index` on. */
export function patternBytes(index: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; done += PERIOD) {
    const at = (index + done) & (PERIOD - 1);
    bytes.set(TABLE.subarray(at, at + Math.min(PERIOD, length - done)), done);
  }
  return bytes;
}

/** The first place at which bytes are not what they should be; -1 if there is none. */
export function patternFault(bytes: Uint8Array, index: number): number {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== TABLE[(index + i) & (PERIOD - 1)]) return i;
  }
  return -1;
}
