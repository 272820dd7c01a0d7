/**
 * Memory that is handed out once and never given back: pools and tables take their share from it
 * at boot. It must be zero and untouched when the arena is initialized; the system then commits a
 * page only when something writes to it, so unused room costs nothing.
 *
 * What is asked for while a loaded module is the owner is its own: such regions are remembered,
 * given back when it is unloaded, and handed out again to the next one.
 */

/** What stands before the memory of a loaded module; the memory begins at a multiple of 64. */
@unmanaged
@final
export class Region {
  next: Region; // the one handed out before it
  bytes: u32; // of memory behind this
  owner: u32; // module, 0 while it is free
  pad: u32;
}

const REGION_ALIGN: usize = 64;

/** State of the module. */
@unmanaged
@final
export class ArenaState {
  top: usize; // first byte not handed out
  end: usize; // first byte beyond the arena
  refused: u32; // requests that did not fit
  owner: u32; // module whose requests these are, 0: the engine's own
  regions: Region; // all regions, the newest first
}

const S: ArenaState = changetype<ArenaState>(memory.data(offsetof<ArenaState>(), 16));

/** The arena is [base, end) from now on. */
export function init(base: usize, end: usize): void {
  S.top = base;
  S.end = end > base ? end : base;
  S.refused = 0;
}

/**
 * Address of `bytes` zero bytes at a multiple of `align`, a power of two; 0 when there is not
 * that much left.
 */
export function alloc(bytes: usize, align: usize): usize {
  return S.owner ? region(bytes) : take(bytes, align);
}

function take(bytes: usize, align: usize): usize {
  const mask = u64(align) - 1;
  const at = (u64(S.top) + mask) & ~mask;
  const top = at + u64(bytes);
  if (top > u64(S.end)) {
    S.refused += 1;
    return 0;
  }
  S.top = usize(top);
  return usize(at);
}

/** From now on what is asked for belongs to this module; 0 is the engine. */
export function setOwner(module: u32): void {
  S.owner = module;
}

/** The module that requests belong to, 0 for the engine. */
export function owner(): u32 {
  return S.owner;
}

/** Zero bytes for the owner: the smallest free region that will do, else a new one; 0 for none. */
function region(bytes: usize): usize {
  let found = changetype<Region>(0);
  for (let r = S.regions; r; r = r.next) {
    if (r.owner || r.bytes < u32(bytes)) continue;
    if (!found || r.bytes < found.bytes) found = r;
  }
  if (!found) {
    const at = take(bytes + REGION_ALIGN, REGION_ALIGN);
    if (!at) return 0;
    found = changetype<Region>(at + REGION_ALIGN - offsetof<Region>());
    found.bytes = u32(bytes);
    found.next = S.regions;
    S.regions = found;
  }
  found.owner = S.owner;
  const data = changetype<usize>(found) + offsetof<Region>();
  memory.fill(data, 0, bytes);
  return data;
}

/** True if an address lies in memory of a module. */
export function isOf(module: u32, address: usize): bool {
  for (let r = S.regions; r; r = r.next) {
    if (r.owner == module && address - changetype<usize>(r) < r.bytes + offsetof<Region>()) {
      return true;
    }
  }
  return false;
}

/** Takes all memory of a module back. */
export function release(module: u32): void {
  for (let r = S.regions; r; r = r.next) {
    if (r.owner == module) r.owner = 0;
  }
}

/** Bytes that a module has. */
export function held(module: u32): u32 {
  let bytes: u32 = 0;
  for (let r = S.regions; r; r = r.next) {
    if (r.owner == module) bytes += r.bytes;
  }
  return bytes;
}

/** First byte not handed out: all state of the engine lies below it. */
export function top(): usize {
  return S.top;
}

/** Requests since init that did not fit: at boot, tables that are missing. */
export function refused(): u32 {
  return S.refused;
}
