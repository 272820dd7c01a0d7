/**
 * What the bytes of a stream are: each tells its place, so that data that is lost, doubled or moved
 * shows.
 *
 * @module
 */

function byteAt(index: number): number {
  return (Math.imul(index, 31) + (index >>> 8)) & 255;
}

/** `length` bytes of a stream from `index` on. */
export function patternBytes(index: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt((index + i) >>> 0);
  return bytes;
}

/** The first place at which bytes are not what they should be; -1 if there is none. */
export function patternFault(bytes: Uint8Array, index: number): number {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== byteAt((index + i) >>> 0)) return i;
  return -1;
}
