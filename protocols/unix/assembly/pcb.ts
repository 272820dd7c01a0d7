/** The control blocks of local sockets. */
import { Socket } from "../../../assembly/socket/socket_t";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";
import { UnixPcb } from "./pcb_t";

/** Most local sockets at a time, and bytes of memory for each: small stacks have fewer. */
const SOCKETS: u64 = 2048;
const MEMORY: u64 = 16384;

/** The variables of the module, its counters first. */
@unmanaged
@final
export class UnixState {
  messages: u64; // pieces of streams, and messages, delivered
  passed: u64; // sockets that went along
  dropped: u64; // of them, those that nobody took
  collected: u64; // of them, those that could not be reached any more
  first: UnixPcb;
  flights: u32; // sockets that messages hold
  auto: u32; // last number given as a name
  look: bool; // a socket was let go of that other messages hold: nobody may reach them
}

export const S: UnixState = changetype<UnixState>(memory.data(offsetof<UnixState>(), 16));
const BLOCKS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** How many sockets this stack is made for. */
export function limit(): u32 {
  return u32(min<u64>(SOCKETS, (u64(memory.size()) << 16) / MEMORY));
}

/** Makes the pool; false without memory. */
export function init(): bool {
  return pool.init(BLOCKS, u32(offsetof<UnixPcb>()), limit());
}

/** The block of a socket. */
export function pcbOf(so: Socket): UnixPcb {
  return changetype<UnixPcb>(so.pcb);
}

/** A block for a socket, linked; nil if there are too many. */
export function alloc(so: Socket): UnixPcb {
  const pcb = changetype<UnixPcb>(pool.get(BLOCKS));
  if (!pcb) return pcb;
  pcb.so = so;
  pcb.next = S.first;
  if (S.first) S.first.prev = pcb;
  S.first = pcb;
  so.pcb = changetype<usize>(pcb);
  return pcb;
}

/** Lets go of a block that nothing refers to. */
export function free(pcb: UnixPcb): void {
  if (pcb.next) pcb.next.prev = pcb.prev;
  if (pcb.prev) pcb.prev.next = pcb.next;
  else S.first = pcb.next;
  pcb.so.pcb = 0;
  pool.put(BLOCKS, changetype<usize>(pcb));
}
