/**
 * The door to protocols that live in the runtime. Their rows have {@link hostInput} as the input
 * entry: it queues packets in a bounded ring, and after each poll the runtime takes them out with
 * {@link drain}. So the engine never calls out, and a protocol may call any export.
 *
 * @module
 */

import { Fate } from "../abi/fate";
import * as arena from "../sys/arena";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";

const DEFAULT_LIMIT: u32 = 256;
const ENTRY: u32 = 8; // mbuf u32, offset of the transport header u32

@unmanaged
@final
export class HostQueue {
  ring: usize;
  mask: u32; // places - 1
  head: u32; // next to take; counts without wrapping
  tail: u32; // next free place
}

const S: HostQueue = changetype<HostQueue>(memory.data(offsetof<HostQueue>(), 16));

/** Makes the ring; limit is rounded up to a power of two, 0 means 256. False without memory. */
export function init(limit: u32): bool {
  if (limit == 0) limit = DEFAULT_LIMIT;
  if (limit > 65536) limit = 65536;
  let places: u32 = 1;
  while (places < limit) places <<= 1;
  S.ring = arena.alloc(places * ENTRY, 16);
  S.mask = places - 1;
  return S.ring != 0;
}

/** Input entry of rows whose protocol lives in the runtime: queues the packet and owns it. */
export function hostInput(m: usize, off: u32): void {
  if (S.tail - S.head > S.mask || !S.ring) {
    stat.fate(Fate.HOST_QUEUE_FULL);
    mbuf.freem(changetype<Mbuf>(m));
    return;
  }
  const place = S.ring + (S.tail & S.mask) * ENTRY;
  store<u32>(place, <u32> m);
  store<u32>(place, off, 4);
  S.tail += 1;
  stat.fate(Fate.HOST_PROTOCOL);
}

/** Packets waiting. */
export function waiting(): u32 {
  return S.tail - S.head;
}

/**
 * Moves up to `count` packets to `ptr` as pairs (mbuf u32, offset of the transport header u32) and
 * answers how many. The network header is at the mbuf's data; its protocol number tells whose it
 * is. The runtime then owns the mbufs and frees them.
 */
export function drain(ptr: usize, count: u32): u32 {
  const n = min<u32>(count, S.tail - S.head);
  for (let i: u32 = 0; i < n; i++) {
    store<u64>(ptr + i * ENTRY, load<u64>(S.ring + (S.head & S.mask) * ENTRY));
    S.head += 1;
  }
  return n;
}

/** Frees all packets that wait; when the last protocol of the runtime is unloaded. */
export function flush(): void {
  while (S.head != S.tail) {
    mbuf.freem(changetype<Mbuf>(<usize> load<u32>(S.ring + (S.head & S.mask) * ENTRY)));
    S.head += 1;
  }
}
