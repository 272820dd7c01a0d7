/**
 * Pools of equal items with a fixed limit. A pool reserves address space for all of its items at
 * boot and touches none of it: `high` moves up as items are first needed, and items given back go
 * to a free list through their first word.
 *
 * ```
 *   base          free list            high                      limit
 *   | used | free | used | free | used | never touched: zero      |
 * ```
 *
 * The checked engine keeps a bit for each item that is out, stops at an item given back twice or
 * to the wrong pool, and fills free items with POISON.
 */
import * as arena from "./arena";
import { CHECKED } from "./config";

/** What one pool holds. */
@unmanaged
@final
export class Pool {
  base: usize; // address of item 0
  item: u32; // bytes between items, a multiple of 8
  limit: u32; // most items
  high: u32; // items ever touched; the ones from here on are zero
  free: usize; // first item of the free list, 0 for none
  used: u32; // items out
  peak: u32; // most items that were out at once
  denied: u32; // requests refused
  next: Pool; // next pool of the engine
  marks: usize; // checked engine: a bit for each item, 1 while it is out
}

/** State of the module. */
@unmanaged
@final
export class PoolState {
  first: Pool; // all pools, the newest first
}

const S: PoolState = changetype<PoolState>(memory.data(offsetof<PoolState>(), 16));

/** Fills items that are free, in the checked engine. */
export const POISON: u8 = 0xdf;

const ALIGN: usize = 64;

/**
 * Prepares `p` for at most `limit` items of `itemSize` bytes and registers it. False when the arena
 * has no room for that; the pool is then empty and refuses every request.
 */
export function init(p: Pool, itemSize: u32, limit: u32): bool {
  const item = (itemSize + 7) & ~7;
  p.item = item;
  p.next = S.first;
  S.first = p;
  const bytes = u64(item) * u64(limit);
  p.base = arena.alloc(usize(min(bytes, u64(u32.MAX_VALUE))), ALIGN); // as much is never there
  if (!p.base) return false;
  if (CHECKED) {
    p.marks = arena.alloc(usize(limit + 7) >> 3, 8);
    if (!p.marks) return false;
  }
  p.limit = limit;
  return true;
}

/** Forgets the pools of a module that is unloaded; answers how many of their items were out. */
export function forget(module: u32): u32 {
  let out: u32 = 0;
  let before = changetype<Pool>(0);
  for (let p = S.first; p; p = p.next) {
    if (!arena.isOf(module, changetype<usize>(p))) {
      before = p;
      continue;
    }
    out += p.used;
    if (before) before.next = p.next;
    else S.first = p.next;
  }
  return out;
}

/** A zero item, or 0 when the limit is reached. */
export function get(p: Pool): usize {
  const item = p.free;
  if (!item) return fresh(p);
  take(p, item);
  memory.fill(item, 0, p.item);
  return item;
}

/** An item with anything in it, or 0 when the limit is reached. */
export function getDirty(p: Pool): usize {
  let item = p.free;
  if (item) {
    take(p, item);
  } else {
    item = fresh(p);
    if (CHECKED && item) memory.fill(item, POISON, p.item);
  }
  return item;
}

/** Gives an item back. It must be out, and of this pool. */
export function put(p: Pool, item: usize): void {
  if (CHECKED) {
    const i = u32((item - p.base) / p.item);
    assert(item >= p.base && i < p.high && at(p, i) == item);
    assert(isOut(p, i));
    mark(p, i, false);
    memory.fill(item, POISON, p.item);
  }
  store<usize>(item, p.free);
  p.free = item;
  p.used--;
}

/** Address of item `i`, which may be free; `i` must be below `high`. */
export function at(p: Pool, i: u32): usize {
  return p.base + usize(i) * p.item;
}

/** Items that can still be had. */
export function left(p: Pool): u32 {
  return p.limit - p.used;
}

/** The newest pool of the engine, nil for none; `next` leads to the others. */
export function first(): Pool {
  return S.first;
}

/** Checked engine: whether item `i` is out. */
export function isOut(p: Pool, i: u32): bool {
  return ((load<u8>(p.marks + (i >> 3)) >> u8(i & 7)) & 1) != 0;
}

function mark(p: Pool, i: u32, out: bool): void {
  const byte = p.marks + (i >> 3);
  const bit = u8(1) << u8(i & 7);
  const old = load<u8>(byte);
  store<u8>(byte, out ? old | bit : old & ~bit);
}

/** Takes the first item of the free list. */
function take(p: Pool, item: usize): void {
  p.free = load<usize>(item);
  count(p);
  if (CHECKED) mark(p, u32((item - p.base) / p.item), true);
}

/** An item that was never touched, all zero, or 0. */
function fresh(p: Pool): usize {
  const i = p.high;
  if (i >= p.limit) {
    p.denied++;
    return 0;
  }
  p.high = i + 1;
  count(p);
  if (CHECKED) mark(p, i, true);
  return at(p, i);
}

function count(p: Pool): void {
  const used = p.used + 1;
  p.used = used;
  if (used > p.peak) p.peak = used;
}
