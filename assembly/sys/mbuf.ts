/**
 * Where mbufs come from and go to. Two pools: small mbufs, which hold a packet's headers or a short
 * one whole, and clusters. Every mbuf handed out comes back through `free`.
 */
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import { CHECKED } from "./config";
import { Mbuf } from "./mbuf_t";
import * as pool from "./pool";
import { Pool } from "./pool";
import * as stat from "./stat";

/** State of the module. */
@unmanaged
@final
export class MbufState {
  drain: u32; // table index of the function that frees memory, 0 for none
  draining: u32; // 1 while it runs
}

const S: MbufState = changetype<MbufState>(memory.data(offsetof<MbufState>(), 16));
const SMALL: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const CLUSTER: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** Makes both pools, for so many mbufs each; false when the arena has no room for them. */
export function init(smallLimit: u32, clusterLimit: u32): bool {
  const ok = pool.init(SMALL, MbufSize.MSIZE, smallLimit);
  return pool.init(CLUSTER, MbufSize.MCLSIZE, clusterLimit) && ok;
}

/** A small mbuf of type `type` (Mt) with no data, data at the start of its storage; or nil. */
export function get(type: u32): Mbuf {
  const m = changetype<Mbuf>(take(SMALL));
  if (m) clear(m, u8(type), 0, 0, MbufSize.MLEN);
  return m;
}

/** A cluster mbuf of type `type` (Mt) with no data, data at the start of its storage; or nil. */
export function getcl(type: u32): Mbuf {
  const m = changetype<Mbuf>(take(CLUSTER));
  if (m) clear(m, u8(type), 1, u16(Mf.EXT), MbufSize.MCLBYTES);
  return m;
}

/**
 * The first mbuf of a packet to which `len` bytes are to be added behind the headers: no data yet,
 * data starts MAX_HDR into the storage; small if that much fits, else a cluster; or nil.
 */
export function gethdr(len: u32): Mbuf {
  const small = len <= u32(MbufSize.MLEN - MbufSize.MAX_HDR);
  const m = small ? get(Mt.DATA) : getcl(Mt.DATA);
  if (!m) return m;
  m.flags |= u16(Mf.PKTHDR);
  m.data = m.buf + MbufSize.MAX_HDR;
  return m;
}

/** Frees one mbuf and answers the one behind it in the chain, or nil. */
export function free(m: Mbuf): Mbuf {
  const next = m.next;
  if (CHECKED) assert(m.cls <= 1 && m.buf == changetype<usize>(m) + MbufSize.HEADER);
  pool.put(m.cls ? CLUSTER : SMALL, changetype<usize>(m));
  stat.inc(Stat.MBUF_FREED);
  return next;
}

/** Frees a whole chain; nil is allowed. */
export function freem(m: Mbuf): void {
  while (m) m = free(m);
}

/** Bytes of room in front of the data. */
export function leading(m: Mbuf): u32 {
  return u32(m.data - m.buf);
}

/** Bytes of room behind the data. */
export function trailing(m: Mbuf): u32 {
  return u32(m.buf + m.cap - m.data) - m.len;
}

/** Mbufs that are out, of both sizes. */
export function used(): u32 {
  return SMALL.used + CLUSTER.used;
}

/** The pool of small mbufs. */
export function small(): Pool {
  return SMALL;
}

/** The pool of clusters. */
export function cluster(): Pool {
  return CLUSTER;
}

/** True while less than an eighth of either pool is left: time to refuse what can wait. */
export function low(): bool {
  return below(SMALL, 3) || below(CLUSTER, 3);
}

/** True while less than a quarter is left: time to refuse what may be lost. */
export function scarce(): bool {
  return below(SMALL, 2) || below(CLUSTER, 2);
}

/** True while less than a sixteenth is left: time to refuse all that takes more. */
export function critical(): bool {
  return below(SMALL, 4) || below(CLUSTER, 4);
}

function below(p: Pool, shift: u32): bool {
  return pool.left(p) < p.limit >> shift;
}

/**
 * Names the function, `fn(): void` by its table index, that is called once when a request finds
 * its pool empty; it frees what can be had again. Requests it makes itself do not call it.
 */
export function setDrain(fnIndex: u32): void {
  S.drain = fnIndex;
}

/** An item of `p`, after asking for memory to be freed if need be; 0 if there is still none. */
function take(p: Pool): usize {
  if (p.used >= p.limit) drain();
  const item = pool.getDirty(p);
  stat.inc(item ? Stat.MBUF_ALLOCATED : Stat.MBUF_DENIED);
  return item;
}

function drain(): void {
  if (!S.drain || S.draining) return;
  S.draining = 1;
  stat.inc(Stat.MBUF_DRAINS);
  call_indirect<void>(S.drain);
  S.draining = 0;
}

/** Sets every field of the header; the storage keeps what was in it. */
function clear(m: Mbuf, type: u8, cls: u8, flags: u16, cap: u32): void {
  const p = changetype<usize>(m);
  const zero = i64x2.splat(0);
  v128.store(p, zero);
  v128.store(p, zero, 16);
  v128.store(p, zero, 32);
  v128.store(p, zero, 48);
  const buf = p + MbufSize.HEADER;
  m.data = buf;
  m.buf = buf;
  m.cap = cap;
  m.type = type;
  m.cls = cls;
  m.flags = flags;
}
