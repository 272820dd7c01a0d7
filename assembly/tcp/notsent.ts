/**
 * TCP_NOTSENT_LOWAT: how much a program may queue ahead of what the network takes. The socket layer
 * asks by PRU_SPACE while Sb.LOWAT_UNSENT is set.
 */
import { Sb } from "../abi/socket";
import * as so_event from "../socket/so_event";
import * as push from "./push";
import { T } from "./settings";
import { Tcb } from "./tcb_t";

/** No limit. */
const NONE: u32 = 0xffffffff;

/** The limit in force: the option, or else the setting of the stack; 0 is none. */
export function limit(tp: Tcb): u32 {
  const bytes = tp.notsent_lowat ? tp.notsent_lowat : T.notsent_lowat;
  return bytes ? bytes : NONE;
}

/** Sets the option; 0 goes back to the setting of the stack. */
export function setLimit(tp: Tcb, bytes: u32): void {
  tp.notsent_lowat = bytes;
  watch(tp);
  so_event.wwakeup(tp.inp.so);
}

/** Sees that the socket layer asks, if there is a limit. */
export function watch(tp: Tcb): void {
  const sb = tp.inp.so.snd;
  if (limit(tp) == NONE) sb.flags &= ~u32(Sb.LOWAT_UNSENT);
  else sb.flags |= Sb.LOWAT_UNSENT;
}

/** Bytes queued that were never sent. */
export function unsent(tp: Tcb): u32 {
  const cc = tp.inp.so.snd.cc;
  const sent = tp.snd_nxt - tp.snd_una; // a FIN counts, too
  return cc > sent ? cc - sent : 0;
}

/**
 * PRU_SPACE: bytes that may be queued now. Below the limit a whole chunk is taken, so that segments
 * stay full. Who waits is woken (`wake`) at half of the limit: not for every segment that leaves.
 */
export function space(tp: Tcb, wake: bool): i32 {
  const queued = u64(unsent(tp)) << u64(wake);
  return queued < u64(limit(tp)) ? i32(push.chunkRoom(tp)) : 0;
}

/** Something new has left: there may be room again. */
export function sent(tp: Tcb): void {
  const so = tp.inp.so;
  if (so.snd.flags & Sb.LOWAT_UNSENT) so_event.wwakeup(so);
}
