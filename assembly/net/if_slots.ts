/**
 * Frames that are larger than an mbuf: an interface with a large MTU, or whose frames begin with a
 * virtio_net_hdr, passes them to and from its driver in slots of plain memory, one frame each. What
 * goes out is copied there from a chain of mbufs, what comes in is copied from there into one: a
 * copy of 64 KiB takes a fraction of what a host needs to move as much.
 *
 * ```
 *   slots   | out 0 | out 1 | ... | out n-1 | in 0 | in 1 | ... | in n-1 |
 * ```
 *
 * The memory is taken from the arena when an interface first needs it, and stays with its index:
 * the next interface of that index finds it there.
 */
import { IfCap } from "../abi/ifnet";
import { Limits } from "../abi/limits";
import { MbufSize } from "../abi/mbuf";
import * as arena from "../sys/arena";
import { Ifnet } from "./ifnet_t";

/** For each index of an interface, where its slots are and how many; 0 while it needed none. */
const AREAS: usize = memory.data((Limits.INTERFACES + 1) * 8, 16);

/** Largest MTU whose frames fit one mbuf. */
export const MTU_MBUF: u32 = MbufSize.MCLBYTES - MbufSize.MAX_LINKHDR;

/** True if frames of so large an MTU and these capabilities (IfCap) go through slots. */
export function isNeeded(mtu: u32, caps: u32): bool {
  return mtu > MTU_MBUF || (caps & IfCap.VNET_HDR) != 0;
}

/** Gives the interface its slots, fewer in a small memory; false if there is room for none. */
export function take(ifp: Ifnet): bool {
  const place = AREAS + (usize(ifp.index) << 3);
  for (let n: u32 = Limits.SLOTS; n > 0 && !load<u32>(place); n >>= 1) {
    store<u32>(place, u32(arena.alloc(2 * n * Limits.SLOT_BYTES, 64)));
    store<u32>(place, n, 4);
  }
  ifp.slots = load<u32>(place);
  ifp.slot_count = load<u32>(place, 4);
  return ifp.slots != 0;
}

/** Mbufs that the largest frame takes. */
export function mbufsMax(ifp: Ifnet): u32 {
  const large = (ifp.caps & IfCap.VNET_HDR) != 0;
  return (large ? u32(Limits.SLOT_BYTES) : ifp.mtu) / MbufSize.MCLBYTES + 2;
}

/** The slot for the frame at place `at` of the send queue. */
export function out(ifp: Ifnet, at: u32): usize {
  return ifp.slots + usize(at & (ifp.slot_count - 1)) * Limits.SLOT_BYTES;
}

/** The slot for received frame `i`. */
export function into(ifp: Ifnet, i: u32): usize {
  return ifp.slots + usize(ifp.slot_count + i) * Limits.SLOT_BYTES;
}
