/**
 * Finds local sockets that only messages in each other's buffers hold (BSD's unp_gc): nobody can
 * receive them any more. Whoever has a descriptor is reached, and what waits in the buffer of one
 * that is reached, and what waits for a listener that is.
 */
import { Af, Ss } from "../../../assembly/abi/socket";
import { Socket } from "../../../assembly/socket/socket_t";
import { S } from "./pcb";
import { UnixPcb } from "./pcb_t";
import * as rights from "./rights";

/** Reached, and reached with all it holds. */
const REACHED: u8 = 1;
const DONE: u8 = 2;

/** Drops what cannot be reached; the sockets are closed. */
export function collect(): void {
  S.look = false;
  if (S.flights == 0) return;
  for (let pcb = S.first; pcb; pcb = pcb.next) pcb.mark = isRoot(pcb.so) ? REACHED : 0;
  let more = true;
  while (more) more = spread();
  for (let pcb = S.first; pcb; pcb = pcb.next) {
    if (pcb.mark || !pcb.rights) continue;
    for (let r = pcb.rights; r; r = r.next) S.collected += r.count;
    rights.flush(pcb);
  }
  S.look = false;
  rights.settle();
}

/** One that waits for a listener is reached through it; what has no message is held by others. */
function isRoot(so: Socket): bool {
  return so.fd >= 0 || (!so.head && !(so.state & Ss.INFLIGHT));
}

/** Goes one step further; false if there is nothing new. */
function spread(): bool {
  let found = false;
  for (let pcb = S.first; pcb; pcb = pcb.next) {
    if (!pcb.mark && pcb.so.head && isReached(pcb.so.head)) pcb.mark = REACHED;
    if (pcb.mark != REACHED) continue;
    pcb.mark = DONE;
    found = true;
    for (let r = pcb.rights; r; r = r.next) {
      for (let i: u32 = 0; i < r.count; i++) reach(load<Socket>(r.m.data + 4 * i));
    }
  }
  return found;
}

function isReached(so: Socket): bool {
  return so.pcb != 0 && changetype<UnixPcb>(so.pcb).mark != 0;
}

function reach(so: Socket): void {
  if (so.family != u16(Af.UNIX) || !so.pcb) return;
  const pcb = changetype<UnixPcb>(so.pcb);
  if (!pcb.mark) pcb.mark = REACHED;
}
