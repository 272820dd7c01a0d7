/** Lets tests call sys/: arena, pools, mbufs, clock, random numbers and counters. */
import * as clock from "../sys/clock";
import { CHECKED } from "../sys/config";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";

export { alloc as probe_arena_alloc, init as probe_arena_init } from "../sys/arena";
export { top as probe_arena_top } from "../sys/arena";
export {
  at as probe_pool_at,
  first as probe_pool_first,
  get as probe_pool_get,
  getDirty as probe_pool_get_dirty,
  init as probe_pool_init,
  isOut as probe_pool_is_out,
  left as probe_pool_left,
  put as probe_pool_put,
} from "../sys/pool";
export {
  cluster as probe_mbuf_cluster,
  free as probe_mbuf_free,
  freem as probe_mbuf_freem,
  get as probe_mbuf_get,
  getcl as probe_mbuf_getcl,
  gethdr as probe_mbuf_gethdr,
  init as probe_mbuf_init,
  leading as probe_mbuf_leading,
  low as probe_mbuf_low,
  setDrain as probe_mbuf_set_drain,
  small as probe_mbuf_small,
  trailing as probe_mbuf_trailing,
  used as probe_mbuf_used,
} from "../sys/mbuf";
export {
  adj as probe_mbuf_adj,
  cat as probe_mbuf_cat,
  copyback as probe_mbuf_copyback,
  copydata as probe_mbuf_copydata,
  copym as probe_mbuf_copym,
  devget as probe_mbuf_devget,
  length as probe_mbuf_length,
  linear as probe_mbuf_linear,
  prepend as probe_mbuf_prepend,
  pullup as probe_mbuf_pullup,
  split as probe_mbuf_split,
} from "../sys/mbuf_ops";
export { panicInfo as probe_panic_info } from "../sys/panic";
export { below as probe_rand_below, public32 as probe_rand_public32 } from "../sys/rand";
export {
  clearFate as probe_stat_clear_fate,
  counters as probe_stat_counters,
  endFrame as probe_stat_end_frame,
  fate as probe_stat_fate,
  fates as probe_stat_fates,
  inc as probe_stat_inc,
  lastFate as probe_stat_last_fate,
} from "../sys/stat";

/** First byte that the engine's static data leaves free. */
export function probe_heap_base(): usize {
  return __heap_base;
}

export function probe_checked(): bool {
  return CHECKED;
}

export function probe_clock_set(now_us: f64): void {
  clock.set(i64(now_us));
}

export function probe_clock_now(): f64 {
  return f64(clock.now());
}

/** Seeds from four u64 at `p`. */
export function probe_rand_seed(p: usize): void {
  rand.seed(load<u64>(p), load<u64>(p, 8), load<u64>(p, 16), load<u64>(p, 24));
}

/** Stores the next secret number at `out`. */
export function probe_rand_secret64(out: usize): void {
  store<u64>(out, rand.secret64());
}

/** Stores siphash of the four u64 at `p` at `out`. */
export function probe_rand_siphash(out: usize, p: usize): void {
  store<u64>(out, rand.siphash(load<u64>(p), load<u64>(p, 8), load<u64>(p, 16), load<u64>(p, 24)));
}

/** Stores hash3 of the three u64 at `p` at `out`. */
export function probe_rand_hash3(out: usize, p: usize): void {
  store<u64>(out, rand.hash3(load<u64>(p), load<u64>(p, 8), load<u64>(p, 16)));
}

/** Adds the u64 at `p` to a counter. */
export function probe_stat_add(s: u32, p: usize): void {
  stat.add(s, load<u64>(p));
}

/** Stores a counter at `out`. */
export function probe_stat_get(s: u32, out: usize): void {
  store<u64>(out, stat.get(s));
}

/** What a drain function of the tests works on. */
@unmanaged
@final
export class ProbeDrain {
  calls: u32; // calls so far
  gives: usize; // chain that the next call frees
  asks: u32; // 1: the call itself asks for an mbuf
}

const D: ProbeDrain = changetype<ProbeDrain>(memory.data(offsetof<ProbeDrain>(), 16));

/** Address of the ProbeDrain. */
export function probe_drain(): usize {
  return changetype<usize>(D);
}

/** Table index of a drain function that frees the chain at ProbeDrain.gives. */
export function probe_drain_fn(): u32 {
  return drain.index;
}

function drain(): void {
  D.calls++;
  if (D.asks) mbuf.freem(mbuf.get(1));
  mbuf.freem(changetype<Mbuf>(D.gives));
  D.gives = 0;
}
