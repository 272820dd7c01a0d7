/**
 * Frames that are larger than an mbuf: an interface with a large MTU, or whose frames begin with a
 * virtio_net_hdr, passes them to and from its driver in slots of plain memory, one frame each. What
 * goes out is copied there from a chain of mbufs, what comes in is copied from there into one: a
 * copy of 64 KiB takes a fraction of what a host needs to move as much.
 *
 * ```
 *   slots   | out 0 | out 1 | ... | out SLOTS-1 | in 0 | in 1 | ... | in SLOTS-1 |
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

/** Where the slots of the interface of each index are; 0 while it never needed them. */
const AREAS: usize = memory.data((Limits.INTERFACES + 1) * 4, 16);

/** Largest MTU whose frames fit one mbuf. */
export const MTU_MBUF: u32 = MbufSize.MCLBYTES - MbufSize.MAX_LINKHDR;

/** True if frames of so large an MTU and these capabilities (IfCap) go through slots. */
export function isNeeded(mtu: u32, caps: u32): bool {
  return mtu > MTU_MBUF || (caps & IfCap.VNET_HDR) != 0;
}

/** Gives the interface its slots; false without memory. */
export function take(ifp: Ifnet): bool {
  const place = AREAS + (usize(ifp.index) << 2);
  if (!load<u32>(place)) {
    store<u32>(place, u32(arena.alloc(2 * Limits.SLOTS * Limits.SLOT_BYTES, 64)));
  }
  ifp.slots = load<u32>(place);
  return ifp.slots != 0;
}

/** Mbufs that the largest frame takes. */
export function mbufsMax(ifp: Ifnet): u32 {
  const large = (ifp.caps & IfCap.VNET_HDR) != 0;
  return (large ? u32(Limits.SLOT_BYTES) : ifp.mtu) / MbufSize.MCLBYTES + 2;
}

/** The slot for the frame at place `at` of the send queue. */
export function out(ifp: Ifnet, at: u32): usize {
  return ifp.slots + usize(at & (Limits.SLOTS - 1)) * Limits.SLOT_BYTES;
}

/** The slot for received frame `i`. */
export function into(ifp: Ifnet, i: u32): usize {
  return ifp.slots + usize(Limits.SLOTS + i) * Limits.SLOT_BYTES;
}
