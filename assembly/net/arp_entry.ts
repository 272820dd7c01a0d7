/**
 * The table of neighbours: which hardware address an IPv4 address on a link has. Found by a hash;
 * kept in order of creation and confirmation, so that when the table is full the entry that was
 * confirmed longest ago makes room.
 */
import * as arena from "../sys/arena";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";
import { Ifnet } from "./ifnet_t";

/** What is known of a neighbour. */
export const enum Arps {
  INCOMPLETE = 0, // asked, no answer yet; packets are held
  REACHABLE = 1, // known
  PROBE = 2, // known, and asked whether it is still so
  DEAD = 3, // did not answer: packets for it are refused for a while
  STATIC = 4, // set by the user; nothing changes it
}

/** A neighbour. */
@unmanaged
@final
export class ArpEntry {
  timer_0: i64; // laid out as a Timer; see timer
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  ifp: Ifnet;
  ip: u32; // host order
  chain: ArpEntry; // next with the same hash
  newer: ArpEntry; // confirmed next after this one
  older: ArpEntry; // confirmed last before this one
  held: Mbuf; // packets that wait for the answer, the oldest first, linked by nextpkt
  held_last: Mbuf;
  hw_hi: u32; // hardware address, as in wire/ether
  hw_lo: u32;
  held_count: u32;
  tries: u32; // requests sent since it was last confirmed
  state: u8; // Arps
  used: u8; // 1 if a packet was sent to it since it was last confirmed
  pad: u16;

  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<ArpEntry>("timer_0"));
  }
}

/** State of the module. */
@unmanaged
@final
export class ArpTable {
  buckets: usize;
  fn: u32; // timer function
  newest: ArpEntry;
  oldest: ArpEntry;
}

const S: ArpTable = changetype<ArpTable>(memory.data(offsetof<ArpTable>(), 16));
const P: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

const BUCKETS_LOG2: u32 = 8;

function nil(): ArpEntry {
  return changetype<ArpEntry>(0);
}

/** Room for `limit` neighbours; `fn(entry)` is called when an entry's timer fires. */
export function init(limit: u32, fn: u32): bool {
  S.buckets = arena.alloc(usize(4) << BUCKETS_LOG2, 64);
  S.fn = fn;
  return pool.init(P, u32(offsetof<ArpEntry>()), limit) && S.buckets != 0;
}

function bucket(ip: u32): usize {
  return S.buckets + ((ip * 0x9e3779b1) >> (32 - BUCKETS_LOG2) << 2);
}

/** The entry of an address on a link, nil if there is none. */
export function find(ifp: Ifnet, ip: u32): ArpEntry {
  let e = load<ArpEntry>(bucket(ip));
  while (e && (e.ip != ip || e.ifp != ifp)) e = e.chain;
  return e;
}

/** A new entry, INCOMPLETE; nil if every entry is static or there is no memory. */
export function create(ifp: Ifnet, ip: u32): ArpEntry {
  let e = changetype<ArpEntry>(pool.get(P));
  if (!e) {
    if (!evict()) return e;
    e = changetype<ArpEntry>(pool.get(P));
    if (!e) return e;
  }
  e.ifp = ifp;
  e.ip = ip;
  const b = bucket(ip);
  e.chain = load<ArpEntry>(b);
  store<ArpEntry>(b, e);
  link(e);
  timer.setup(e.timer, S.fn, changetype<usize>(e));
  return e;
}

/** Frees the oldest entry that is not static; false if there is none. */
function evict(): bool {
  let e = S.oldest;
  while (e && e.state == Arps.STATIC) e = e.newer;
  if (!e) return false;
  remove(e);
  return true;
}

function link(e: ArpEntry): void {
  e.newer = nil();
  e.older = S.newest;
  if (S.newest) S.newest.newer = e;
  else S.oldest = e;
  S.newest = e;
}

function unlink(e: ArpEntry): void {
  if (e.newer) e.newer.older = e.older;
  else S.newest = e.older;
  if (e.older) e.older.newer = e.newer;
  else S.oldest = e.newer;
}

/** The entry was confirmed just now: it is the newest. */
export function touch(e: ArpEntry): void {
  if (S.newest == e) return;
  unlink(e);
  link(e);
}

/** Frees an entry with the packets it holds. */
export function remove(e: ArpEntry): void {
  timer.cancel(e.timer);
  while (e.held) {
    e.ifp.odrops += 1;
    mbuf.freem(takeHeld(e));
  }
  unlink(e);
  const b = bucket(e.ip);
  if (load<ArpEntry>(b) == e) {
    store<ArpEntry>(b, e.chain);
  } else {
    let prev = load<ArpEntry>(b);
    while (prev.chain != e) prev = prev.chain;
    prev.chain = e.chain;
  }
  pool.put(P, changetype<usize>(e));
}

/** Frees all entries of an interface; static ones too if `all`. */
export function removeAll(ifp: Ifnet, all: bool): void {
  let e = S.oldest;
  while (e) {
    const newer = e.newer;
    if (e.ifp == ifp && (all || e.state != Arps.STATIC)) remove(e);
    e = newer;
  }
}

/**
 * Holds a packet until the answer comes; beyond `limit` the oldest is dropped. When mbufs are short
 * one packet is held (RFC 1122 2.3.2.2), so that addresses nobody has cannot pin the pool.
 */
export function hold(e: ArpEntry, m: Mbuf, limit: u32): void {
  if (e.held && (e.held_count >= limit || mbuf.low())) {
    e.ifp.odrops += 1;
    mbuf.freem(takeHeld(e));
  }
  m.nextpkt = changetype<Mbuf>(0);
  if (e.held) e.held_last.nextpkt = m;
  else e.held = m;
  e.held_last = m;
  e.held_count += 1;
}

/** The oldest held packet, nil if there is none. */
export function takeHeld(e: ArpEntry): Mbuf {
  const m = e.held;
  if (!m) return m;
  e.held = m.nextpkt;
  if (!e.held) e.held_last = changetype<Mbuf>(0);
  e.held_count -= 1;
  m.nextpkt = changetype<Mbuf>(0);
  return m;
}

/** The `i`-th entry, the oldest first; nil behind the last. */
export function walk(i: u32): ArpEntry {
  let e = S.oldest;
  while (e && i--) e = e.newer;
  return e;
}

/** Entries in the table. */
export function count(): u32 {
  return P.used;
}
