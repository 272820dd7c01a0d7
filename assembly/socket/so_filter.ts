/**
 * Filters on sockets of the engine's own protocols. The interpreter and the programs are with a
 * module that is loaded; what it keeps for a socket hangs at `filter` of the receive buffer.
 *
 * ```
 *   ctl(op, so, name, ptr, len): i32   the options SO_ATTACH_FILTER, DETACH_FILTER, LOCK_FILTER
 *   run(so, m, base): u32              bytes to keep from `base` of m on, 0 to reject it; PKT
 *                                      describes the packet, whose IP header is m.data
 *   drop(so): void                     the socket is gone
 * ```
 *
 * @module
 */
import { Errno } from "../abi/errno";
import { Pr } from "../abi/proto";
import { Mbuf } from "../sys/mbuf_t";
import { Socket } from "./socket_t";

/** State of the module: indices in the function table, 0 for none. */
@unmanaged
@final
export class FilterHooks {
  ctl: u32;
  run: u32;
  drop: u32;
  pad: u32;
}

const S: FilterHooks = changetype<FilterHooks>(memory.data(offsetof<FilterHooks>(), 16));

/** Names the functions; zeros take them away. */
export function set(ctl: u32, run: u32, drop: u32): void {
  S.ctl = ctl;
  S.run = run;
  S.drop = drop;
}

/** Takes the functions away if they are in [first, last); answers how often. */
export function delOf(first: u32, last: u32): u32 {
  if (S.ctl == 0 || S.ctl < first || S.ctl >= last) return 0;
  set(0, 0, 0);
  return 1;
}

/** An option. ENOPROTOOPT without the module, and for what has no messages. */
export function option(so: Socket, op: i32, name: i32, ptr: usize, len: i32): i32 {
  if (!S.ctl || !(so.proto.flags & Pr.ATOMIC)) return -Errno.ENOPROTOOPT;
  return call_indirect<i32>(S.ctl, op, changetype<usize>(so), name, ptr, len);
}

/** Bytes that the socket's filter keeps of m, from `base` on; all of them if it has none. */
export function keeps(so: Socket, m: Mbuf, base: u32): u32 {
  const len = m.pktlen - base;
  if (!so.rcv.filter || !S.run) return len;
  return min<u32>(call_indirect<u32>(S.run, so, m, base), len);
}

/** Lets go of what a socket has. */
export function forget(so: Socket): void {
  if (so.rcv.filter && S.drop) call_indirect<void>(S.drop, so);
}
