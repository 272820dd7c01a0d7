/**
 * A fresh instance of the checked engine for unit tests, with the probes of assembly/probes/ and
 * its memory. Nothing is booted.
 *
 * @module
 */

import engine from "../engine_checked_module.js";
import { Mbuf, Pool } from "../../runtime/wasm/layout.gen.ts";
import { Mf } from "../../assembly/abi/mbuf.ts";

const PAGE_BYTES = 65536;

/** One instance; addresses are byte offsets into its memory. */
export interface EngineUnderTest {
  /** Exports of the engine by name, `boot` as well as `probe_mbuf_get`; addresses come unsigned. */
  readonly call: Readonly<Record<string, (...args: number[]) => number>>;
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same; the engine's numbers are little-endian, so pass true. */
  readonly view: DataView<ArrayBuffer>;
  /** First byte above the engine's static data, a multiple of 64. */
  readonly heap: number;
  /** Reads the u32 at an address. */
  u32(address: number): number;
  /** Reads the u64 at an address. */
  u64(address: number): bigint;
  /** Writes a u32. */
  setU32(address: number, value: number): void;
  /** Writes the low 64 bits of a number of either sign. */
  setU64(address: number, value: bigint): void;
}

/** More pages than the engine's static data can take; untouched ones cost nothing. */
const PAGES_AMPLE = 1024;

/** The compiler declares a few pages more than the static data takes. */
const HEAP_BYTES_MIN = 1 << 18;

let heapBase = 0;

/** Instantiates the checked engine with a zero memory that has at least so many bytes of heap. */
export function freshEngine(heapBytes = 1 << 20): EngineUnderTest {
  if (heapBase === 0) {
    const memory = new WebAssembly.Memory({ initial: PAGES_AMPLE, maximum: PAGES_AMPLE });
    const { exports } = new WebAssembly.Instance(engine, { env: { memory } });
    heapBase = ((exports.probe_heap_base as () => number)() + 63) & ~63;
  }
  const pages = Math.ceil((heapBase + Math.max(heapBytes, HEAP_BYTES_MIN)) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(engine, { env: { memory } });
  const buffer = memory.buffer as ArrayBuffer;
  const call: Record<string, (...args: number[]) => number> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "function") call[name] = value as (...args: number[]) => number;
  }
  const view = new DataView(buffer);
  return {
    call,
    bytes: new Uint8Array(buffer),
    view,
    heap: heapBase,
    u32: (address) => view.getUint32(address, true),
    u64: (address) => view.getBigUint64(address, true),
    setU32: (address, value) => view.setUint32(address, value, true),
    setU64: (address, value) => view.setBigUint64(address, BigInt.asUintN(64, value), true),
  };
}

/** A fresh engine whose arena takes all memory above `keep` bytes of heap, with pools of mbufs. */
export function engineWithMbufs(
  limits: { small: number; cluster: number; keep?: number; heapBytes?: number },
): EngineUnderTest & { readonly scratch: number } {
  const e = freshEngine(limits.heapBytes);
  const keep = limits.keep ?? 0;
  e.call.probe_arena_init(e.heap + keep, e.bytes.length);
  if (!e.call.probe_mbuf_init(limits.small, limits.cluster)) throw new Error("pools do not fit");
  return { ...e, scratch: e.heap };
}

/** The mbufs of a chain, checked for what must hold of each. Throws on a broken chain. */
export function mbufsOf(e: EngineUnderTest, m: number): { data: number; len: number }[] {
  const found: { data: number; len: number }[] = [];
  const pools = [e.call.probe_mbuf_small(), e.call.probe_mbuf_cluster()];
  let sum = 0;
  for (let p = m; p !== 0; p = e.u32(p + Mbuf.next)) {
    const [data, len] = [e.u32(p + Mbuf.data), e.u32(p + Mbuf.len)];
    const [buf, cap] = [e.u32(p + Mbuf.buf), e.u32(p + Mbuf.cap)];
    const pool = pools[e.bytes[p + Mbuf.cls]];
    const faults: string[] = [];
    if (buf !== p + 64 || cap !== [192, 2048][e.bytes[p + Mbuf.cls]]) faults.push("storage");
    if (data < buf || data + len > buf + cap) faults.push("data outside of the storage");
    const index = (p - e.u32(pool + Pool.base)) / e.u32(pool + Pool.item);
    if (!Number.isInteger(index) || !e.call.probe_pool_is_out(pool, index)) faults.push("free");
    const flags = e.view.getUint16(p + Mbuf.flags, true);
    if (((flags & Mf.EXT) !== 0) !== (e.bytes[p + Mbuf.cls] === 1)) faults.push("M_EXT");
    if (p !== m && (flags & Mf.PKTHDR)) faults.push("M_PKTHDR inside");
    if (p !== m && e.u32(p + Mbuf.nextpkt)) faults.push("nextpkt inside");
    if (found.length > 10_000) faults.push("a ring");
    if (faults.length > 0) throw new Error(`mbuf ${found.length} of the chain: ${faults}`);
    found.push({ data, len });
    sum += len;
  }
  const packet = m !== 0 && (e.view.getUint16(m + Mbuf.flags, true) & Mf.PKTHDR);
  if (packet && e.u32(m + Mbuf.pktlen) !== sum) {
    throw new Error(`pktlen is ${e.u32(m + Mbuf.pktlen)}, the chain holds ${sum}`);
  }
  return found;
}

/** The data of a chain. */
export function dataOf(e: EngineUnderTest, m: number): Uint8Array {
  const parts = mbufsOf(e, m);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.len, 0));
  let at = 0;
  for (const { data, len } of parts) {
    bytes.set(e.bytes.subarray(data, data + len), at);
    at += len;
  }
  return bytes;
}

/** How one mbuf of a chain is to be made: what stands free in front of its data, and the data. */
export interface MbufSpec {
  readonly cluster: boolean;
  readonly lead: number;
  readonly data: Uint8Array;
}

/** Makes a chain; 0 when a pool runs out, with nothing kept. Lead and data are cut to what fits. */
export function makeChain(e: EngineUnderTest, specs: readonly MbufSpec[], packet: boolean): number {
  let first = 0;
  let last = 0;
  let sum = 0;
  for (const { cluster, lead, data } of specs) {
    const m = cluster ? e.call.probe_mbuf_getcl(1) : e.call.probe_mbuf_get(1);
    if (m === 0) {
      e.call.probe_mbuf_freem(first);
      return 0;
    }
    const cap = e.u32(m + Mbuf.cap);
    const start = e.u32(m + Mbuf.buf) + Math.min(lead, cap);
    const len = Math.min(data.length, cap - Math.min(lead, cap));
    e.bytes.set(data.subarray(0, len), start);
    e.setU32(m + Mbuf.data, start);
    e.setU32(m + Mbuf.len, len);
    sum += len;
    if (last) e.setU32(last + Mbuf.next, m);
    else first = m;
    last = m;
  }
  if (packet && first) {
    const flags = e.view.getUint16(first + Mbuf.flags, true);
    e.view.setUint16(first + Mbuf.flags, flags | Mf.PKTHDR, true);
    e.setU32(first + Mbuf.pktlen, sum);
  }
  return first;
}
