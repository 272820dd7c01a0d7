/**
 * Test data that both ends can make by themselves, and streams that carry it. Everything here works
 * on connections of the kernel (Deno's own) and of the stack alike.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** What a connection must offer. */
export interface Duplex {
  read(buffer: Uint8Array): Promise<number | null>;
  write(data: Uint8Array): Promise<number>;
  closeWrite(): Promise<void> | void;
  close(): void;
}

const BLOCK_BYTES = 1 << 18;
const block = new Uint32Array(BLOCK_BYTES / 4);
for (let i = 0, state = 1; i < block.length; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  block[i] = state ^ (state >>> 15);
}

/** The bytes `from` to `from + BLOCK_BYTES` of the content: no two blocks are the same. */
function fill(target: Uint32Array, index: number): void {
  target.set(block);
  for (let i = 0; i < target.length; i += 64) target[i] ^= Math.imul(index + 1, 0x9e3779b1);
}

/** The first `length` bytes of the content, in pieces that are valid until the next one. */
export function* pieces(length: number): Generator<Uint8Array<ArrayBuffer>> {
  const words = new Uint32Array(BLOCK_BYTES / 4);
  const bytes = new Uint8Array(words.buffer);
  for (let done = 0, index = 0; done < length; index++) {
    fill(words, index);
    const part = Math.min(BLOCK_BYTES, length - done);
    yield bytes.subarray(0, part);
    done += part;
  }
}

/** SHA-256 of the first `length` bytes of the content, in hexadecimal digits. */
export function contentHash(length: number): string {
  const hash = createHash("sha256");
  for (const piece of pieces(length)) hash.update(piece);
  return hash.digest("hex");
}

/** Writes all of `data`. */
export async function writeAll(conn: Pick<Duplex, "write">, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length;) done += await conn.write(data.subarray(done));
}

/** Reads exactly `length` bytes; throws if the stream ends before. */
export async function readExactly(
  conn: Pick<Duplex, "read">,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const got = await conn.read(buffer.subarray(done));
    if (got === null) throw new Error(`the stream ended after ${done} of ${length} bytes`);
    done += got;
  }
  return buffer;
}

/** Reads to the end of the stream. */
export async function readToEnd(conn: Pick<Duplex, "read">): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65536);
  for (;;) {
    const got = await conn.read(buffer);
    if (got === null) return await new Blob(parts).bytes();
    parts.push(buffer.slice(0, got));
  }
}

/** Bytes that tell one connection of a crowd from another. */
export function ownBytes(id: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = id + 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** Index of the first byte that differs; -1 if there is none. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((byte, i) => byte !== b[i]);
}
