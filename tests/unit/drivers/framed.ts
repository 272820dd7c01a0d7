/** Frames as a stream has them: each behind its length in network order. */
export function framed(frames: readonly Uint8Array[]): Uint8Array {
  const out: number[] = [];
  for (const frame of frames) {
    const { length } = frame;
    out.push(length >>> 24, length >>> 16 & 255, length >>> 8 & 255, length & 255);
    for (const byte of frame) out.push(byte);
  }
  return Uint8Array.from(out);
}
