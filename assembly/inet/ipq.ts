/**
 * The table of datagrams being put together: found by a keyed hash, kept in order of age. Two
 * limits hold: how many there are, and how many bytes of mbufs they keep. When one is reached the
 * oldest datagram makes room, so that fragments that never come cannot shut out new ones.
 */
import { MbufSize } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import * as arena from "../sys/arena";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import { Ipq } from "./ip_reass_t";

/** State of the module. */
@unmanaged
@final
export class IpqState {
  buckets: usize;
  newest: Ipq;
  oldest: Ipq;
  fn: u32; // timer function
  storage: u32; // bytes of mbufs held by all
}

const S: IpqState = changetype<IpqState>(memory.data(offsetof<IpqState>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

const BUCKETS: u32 = 64;

/** Room for `limit` datagrams; `fn(q)` is called when the timer of one fires. */
export function init(limit: u32, fn: u32): bool {
  S.buckets = arena.alloc(BUCKETS * 4, 64);
  S.fn = fn;
  return pool.init(P, u32(offsetof<Ipq>()), limit) && S.buckets != 0;
}

function bucket(src: u32, dst: u32, key: u32): usize {
  const h = rand.hash3((u64(src) << 32) | u64(dst), u64(key), 0);
  return S.buckets + ((u32(h) & (BUCKETS - 1)) << 2);
}

/** The datagram that a fragment belongs to, made if it is the first of it; nil without room. */
export function forKey(src: u32, dst: u32, key: u32): Ipq {
  const b = bucket(src, dst, key);
  let q = load<Ipq>(b);
  while (q && (q.key != key || q.src != src || q.dst != dst)) q = q.chain;
  if (q) return q;
  q = changetype<Ipq>(pool.get(P));
  if (!q) {
    if (!S.oldest) return q;
    giveUp(S.oldest);
    q = changetype<Ipq>(pool.get(P));
    if (!q) return q;
  }
  q.src = src;
  q.dst = dst;
  q.key = key;
  q.chain = load<Ipq>(b);
  store<Ipq>(b, q);
  q.older = S.newest;
  if (S.newest) S.newest.newer = q;
  else S.oldest = q;
  S.newest = q;
  timer.setup(q.timer, S.fn, changetype<usize>(q));
  return q;
}

/** Most bytes of mbufs: a quarter of the clusters, or what one large datagram needs. */
function storageLimit(): u32 {
  return max(mbuf.cluster().limit >> 2, 64) * u32(MbufSize.MCLSIZE);
}

/** True if there is room for `bytes` more, after older datagrams than `q` were given up for it. */
export function makeRoom(q: Ipq, bytes: u32): bool {
  while (S.storage + bytes > storageLimit()) {
    const oldest = S.oldest == q ? q.newer : S.oldest;
    if (!oldest) return false;
    giveUp(oldest);
  }
  return true;
}

/** `bytes` of mbufs were added to the fragments of `q`. */
export function charge(q: Ipq, bytes: u32): void {
  q.storage += bytes;
  S.storage += bytes;
}

/** Bytes of mbufs in a chain. */
export function storageOf(m: Mbuf): u32 {
  let n: u32 = 0;
  for (; m; m = m.next) n += MbufSize.HEADER + m.cap;
  return n;
}

/** Frees the fragments; the record stays. */
export function freeFragments(q: Ipq): void {
  while (q.frags) {
    const m = q.frags;
    q.frags = m.nextpkt;
    mbuf.freem(m);
  }
  release(q);
}

/** The fragments are gone, or somebody else's now. */
export function release(q: Ipq): void {
  q.frags = changetype<Mbuf>(0);
  S.storage -= q.storage;
  q.storage = 0;
  q.count = 0;
  q.have = 0;
}

/** Frees a datagram that will not be whole. */
export function giveUp(q: Ipq): void {
  if (!q.dead) stat.inc(Stat.IP_REASSEMBLY_TIMEOUT);
  remove(q);
}

/** Takes a datagram out of the table and frees it with its fragments. */
export function remove(q: Ipq): void {
  timer.cancel(q.timer);
  freeFragments(q);
  if (q.newer) q.newer.older = q.older;
  else S.newest = q.older;
  if (q.older) q.older.newer = q.newer;
  else S.oldest = q.newer;
  const b = bucket(q.src, q.dst, q.key);
  if (load<Ipq>(b) == q) {
    store<Ipq>(b, q.chain);
  } else {
    let prev = load<Ipq>(b);
    while (prev.chain != q) prev = prev.chain;
    prev.chain = q.chain;
  }
  pool.put(P, changetype<usize>(q));
}

/** Frees all datagrams: memory is short. */
export function removeAll(): void {
  while (S.oldest) giveUp(S.oldest);
}

/** Datagrams in the table. */
export function count(): u32 {
  return P.used;
}

/** Bytes of mbufs that they hold. */
export function storage(): u32 {
  return S.storage;
}
