/**
 * Snapshots: a whole stack as bytes. All state of the engine lies in its memory, so a snapshot is
 * the pages of the memory that are in use, and a header that says what they belong to.
 *
 * ```
 *   "godwit-1" | length of the header u32 | header, JSON | runs of pages | 0xffffffff
 *   a run: first page u32, pages u32, then 4,096 bytes for each page; numbers little-endian
 * ```
 *
 * @module
 */

import { LAYOUT_HASH } from "./wasm/layout.gen.ts";

const MAGIC = "godwit-1";
const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;
const END = 0xffffffff;
/** Longest header that is believed. */
const HEADER_BYTES_MAX = 1 << 20;

/** What a snapshot says of itself. */
export interface SnapshotHeader {
  /** Identity of the engine's structures; another engine cannot read them. */
  readonly layout: string;
  /** Identity of the engine's code: its function table lies in the state. */
  readonly engine: string;
  /** Size of the memory, bytes. */
  readonly memory_bytes: number;
  /** Time of the stack's clock when it was made, microseconds. */
  readonly now_us: number;
  /** Names and number of the host. */
  readonly host: {
    readonly hostname: string;
    readonly domainname: string;
    readonly hostid: number;
  };
  /** Interfaces that had a driver. */
  readonly interfaces: readonly {
    readonly name: string;
    readonly index: number;
    /** True if a loaded protocol is its driver, and makes it again. */
    readonly loaded?: boolean;
  }[];
  /** Further descriptors of sockets, with the addresses of these. */
  readonly aliases?: readonly (readonly [fd: number, ptr: number])[];
  /** Those of all descriptors that calls had which waited. */
  readonly ofCalls?: readonly number[];
  /** Protocols that were loaded: what the loader needs to know (runtime/protocol/loader.ts). */
  readonly protocols?: readonly unknown[];
}

/** A snapshot that cannot be used; the message says why. */
export class SnapshotError extends Error {
  /** The kind of error. */
  override name = "SnapshotError";
}

/** True if a page holds nothing but zeros. */
function isEmpty(words: Int32Array, page: number): boolean {
  const end = (page + 1) * PAGE_WORDS;
  for (let i = page * PAGE_WORDS; i < end; i += 4) {
    if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3]) !== 0) return false;
  }
  return true;
}

/** Runs of pages in use, as pairs of first page and number. */
function usedRuns(memory: Uint8Array<ArrayBuffer>): [number, number][] {
  const words = new Int32Array(memory.buffer);
  const pages = memory.length / PAGE_BYTES;
  const runs: [number, number][] = [];
  for (let page = 0; page < pages; page++) {
    if (isEmpty(words, page)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === page) last[1]++;
    else runs.push([page, 1]);
  }
  return runs;
}

/** Puts a header and the pages in use together. */
export function encodeSnapshot(
  header: Omit<SnapshotHeader, "layout">,
  memory: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify({ layout: LAYOUT_HASH, ...header }));
  const runs = usedRuns(memory);
  const body = runs.reduce((sum, [, count]) => sum + 8 + count * PAGE_BYTES, 0);
  const bytes = new Uint8Array(MAGIC.length + 4 + text.length + body + 4);
  const view = new DataView(bytes.buffer);
  let at = new TextEncoder().encodeInto(MAGIC, bytes).written;
  view.setUint32(at, text.length, true);
  bytes.set(text, at + 4);
  at += 4 + text.length;
  for (const [page, count] of runs) {
    view.setUint32(at, page, true);
    view.setUint32(at + 4, count, true);
    bytes.set(memory.subarray(page * PAGE_BYTES, (page + count) * PAGE_BYTES), at + 8);
    at += 8 + count * PAGE_BYTES;
  }
  view.setUint32(at, END, true);
  return bytes;
}

/**
 * Reads the header.
 *
 * @throws SnapshotError if these bytes are no snapshot, or one of another build of the engine
 */
export function readHeader(bytes: Uint8Array): SnapshotHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = MAGIC.length + 4;
  if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new SnapshotError("these bytes are no snapshot of a stack, or one of another version");
  }
  const length = bytes.length < begin ? HEADER_BYTES_MAX : view.getUint32(MAGIC.length, true);
  if (length > HEADER_BYTES_MAX || begin + length > bytes.length) throw cut(bytes.length);
  let header: SnapshotHeader;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(begin, begin + length)));
  } catch {
    throw new SnapshotError("the header of the snapshot is damaged");
  }
  if (header.layout !== LAYOUT_HASH) {
    throw new SnapshotError(
      `the snapshot was made by an engine with other structures (${header.layout}); ` +
        `this one has ${LAYOUT_HASH}: restore it with the version that made it`,
    );
  }
  return header;
}

function cut(at: number): SnapshotError {
  return new SnapshotError(`the snapshot is cut off at byte ${at}`);
}

/** Writes the pages into a memory that holds nothing yet but what the module put there. */
export function fillMemory(bytes: Uint8Array, memory: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = MAGIC.length + 4 + view.getUint32(MAGIC.length, true);
  // what the module's own data left in pages that the stack has since cleared
  memory.subarray(0, PAGE_BYTES * 64).fill(0);
  for (;;) {
    if (at + 4 > bytes.length) throw cut(bytes.length);
    const page = view.getUint32(at, true);
    if (page === END) return;
    if (at + 8 > bytes.length) throw cut(bytes.length);
    const length = view.getUint32(at + 4, true) * PAGE_BYTES;
    const begin = page * PAGE_BYTES;
    if (begin + length > memory.length) {
      throw new SnapshotError(`the snapshot is damaged at byte ${at}: page ${page} is too far`);
    }
    if (at + 8 + length > bytes.length) throw cut(bytes.length);
    memory.set(bytes.subarray(at + 8, at + 8 + length), begin);
    at += 8 + length;
  }
}
