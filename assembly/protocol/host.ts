/**
 * The door to protocols that live in the runtime: the entries that they register take packets for
 * them and queue them in one bounded ring. After each poll the runtime takes them out, by reading
 * the ring where it lies. So no packet is handled in the middle of the engine's own work, and the
 * protocol may call whatever the kernel offers.
 *
 * ```
 *   place   mbuf u32 | off u32 | key u32 | HostKind u32
 *   head    the next to take, counted without wrapping by the runtime: place head & mask
 *   tail    the next free one
 * ```
 *
 * @module
 */

import { Fate } from "../abi/fate";
import { EtherType } from "../abi/ifnet";
import { HostKind } from "../abi/module";
import * as arena from "../sys/arena";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";

const DEFAULT_LIMIT: u32 = 256;
const ENTRY: u32 = 16;

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

/** Where the ring's state stands. */
export function queue(): usize {
  return changetype<usize>(S);
}

/** Input entry of a row: the network header is at m's data, the transport's at `off`. */
export function packet(m: usize, off: u32): void {
  put(changetype<Mbuf>(m), off, 0, HostKind.PACKET);
}

/** Input type (net/input_type.ts): m's data is what follows the ethertype, which is the key. */
export function frame(_ifp: usize, m: usize): void {
  const packet = changetype<Mbuf>(m);
  // on bare IP there is no link header, and the version has told: IPv4 is never handed over here
  const type: u32 = packet.l3off ? bswap(load<u16>(packet.data - 2)) : EtherType.IPV6;
  put(packet, 0, type, HostKind.FRAME);
}

/** UDP tunnel (inet/udp_tunnel.ts): m's data is the payload, `so`, the key, the tunnel's socket. */
export function datagram(m: usize, off: u32, so: usize): void {
  put(changetype<Mbuf>(m), off, <u32> so, HostKind.DATAGRAM);
}

function put(m: Mbuf, off: u32, key: u32, kind: u32): void {
  if (S.tail - S.head > S.mask || !S.ring) {
    stat.fate(Fate.HOST_QUEUE_FULL);
    mbuf.freem(m);
    return;
  }
  const place = S.ring + (S.tail & S.mask) * ENTRY;
  store<u32>(place, <u32> changetype<usize>(m));
  store<u32>(place, off, 4);
  store<u32>(place, key, 8);
  store<u32>(place, kind, 12);
  S.tail += 1;
  stat.fate(Fate.HOST_PROTOCOL);
}
