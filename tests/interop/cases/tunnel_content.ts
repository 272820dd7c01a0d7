/** What goes through a tunnel, and how it is compared. */

const BYTES = 3 << 20;

/** The same bytes each time, with no pattern that a shift would keep. */
export function content(): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(BYTES / 4);
  let state = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    // Marsaglia's xorshift32.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

/** SHA-256 as text. */
export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
