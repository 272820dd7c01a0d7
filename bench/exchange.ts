/**
 * What is measured between programs that share no thread, over anything that is like a connection:
 * round trips of one byte, and bulk data that the other end takes in.
 *
 * @module
 */

import { writeAll } from "./kernel.ts";

/** Bytes that are written and read at a time. */
export const CHUNK_BYTES = 64 * 1024;

/** What is measured. */
export type Work = "roundtrip" | "bulk";

/** A connection whose calls are awaited. */
export interface Awaited {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

/** A connection whose calls block the thread; 0 is the end. */
export interface Blocking {
  read(into: Uint8Array): number;
  write(bytes: Uint8Array): number;
}

/** The end that asks: `amount` round trips or bytes. */
export async function ask(conn: Awaited, work: Work, amount: number): Promise<void> {
  const chunk = new Uint8Array(work === "bulk" ? CHUNK_BYTES : 1);
  const answer = new Uint8Array(1);
  for (let done = 0; done < amount; done += chunk.length) {
    await writeAll(conn, chunk);
    if (work === "roundtrip") await mustRead(conn, answer);
  }
  if (work === "bulk") await mustRead(conn, answer);
}

async function mustRead(conn: Awaited, into: Uint8Array): Promise<void> {
  if (!await conn.read(into)) throw new Error("the connection ended");
}

/** The end that answers, until the other closes: every byte, or one when `amount` have come. */
export async function serve(conn: Awaited, work: Work, amount: number): Promise<void> {
  const room = new Uint8Array(CHUNK_BYTES);
  let left = amount;
  for (let n = await conn.read(room); n; n = await conn.read(room)) {
    left -= n;
    if (work === "roundtrip") await writeAll(conn, room.subarray(0, n));
    else if (left <= 0) {
      left += amount;
      await writeAll(conn, room.subarray(0, 1));
    }
  }
}

/** As {@link ask}, with calls that block. */
export function askBlocking(conn: Blocking, work: Work, amount: number): void {
  const chunk = new Uint8Array(work === "bulk" ? CHUNK_BYTES : 1);
  const answer = new Uint8Array(1);
  for (let done = 0; done < amount; done += chunk.length) {
    conn.write(chunk);
    if (work === "roundtrip" && conn.read(answer) === 0) throw new Error("the connection ended");
  }
  if (work === "bulk" && conn.read(answer) === 0) throw new Error("the connection ended");
}

/** As {@link serve}, with calls that block. */
export function serveBlocking(conn: Blocking, work: Work, amount: number): void {
  const room = new Uint8Array(CHUNK_BYTES);
  let left = amount;
  for (let n = conn.read(room); n > 0; n = conn.read(room)) {
    left -= n;
    if (work === "roundtrip") conn.write(room.subarray(0, n));
    else if (left <= 0) {
      left += amount;
      conn.write(room.subarray(0, 1));
    }
  }
}

/** So much that whole chunks make it up. */
export function wholeChunks(bytes: number): number {
  return Math.ceil(bytes / CHUNK_BYTES) * CHUNK_BYTES;
}
