/** The control blocks of packet sockets. */
import { Errno } from "../../../assembly/abi/errno";
import { Limits } from "../../../assembly/abi/limits";
import { PacketMr } from "../../../assembly/abi/packet";
import * as if_list from "../../../assembly/net/if_list";
import { Ifnet } from "../../../assembly/net/ifnet_t";
import { Socket } from "../../../assembly/socket/socket_t";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";

/** Most packet sockets at a time. */
const SOCKETS: u32 = 64;
/** Memberships of one socket. */
const MEMBERS: u32 = 4;

/** Where marks of senders begin: the offset of a network header, which may stand there, is less. */
const FIRST_ID: u32 = 256;
const LAST_ID: u32 = 0xffff;
/** A membership is the number of an attachment in the lower bits and a PacketMr above. */
const WHAT_SHIFT: u32 = 30;
const ATTACHMENT: u32 = (1 << 30) - 1;

/** One socket. */
@unmanaged
@final
export class PacketPcb {
  next: PacketPcb;
  prev: PacketPcb;
  so: Socket;
  ifindex: u32; // interface it is bound to, 0 for every one
  attached: u32; // that one's Ifnet.attached: another one may get its index
  protocol: u32; // ethertype or EthP that it takes
  id: u32; // marks the frames that it sends
  peer_ifindex: u32; // where it sends to when it is connected
  peer_type: u32;
  peer_hi: u32; // hardware address, as it lies in memory
  peer_lo: u32;
  packets: u32; // frames taken since the statistics were read
  drops: u32; // of them those without room
  member0: u32;
  member1: u32;
  member2: u32;
  member3: u32;
  peer_halen: u8;
  cooked: bool; // SOCK_DGRAM: without link headers
}

/** The variables of the module, and its counters. */
@unmanaged
@final
export class PacketState {
  received: u64; // frames put into a socket, for each that got one
  filtered: u64; // frames that a filter has rejected
  dropped: u64; // frames for which a socket had no room
  sent: u64; // frames sent by sockets
  first: PacketPcb;
  ids: u32; // last id given
}

export const S: PacketState = changetype<PacketState>(memory.data(offsetof<PacketState>(), 16));

const BLOCKS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
/** Makes the pool; false without memory. */
export function init(): bool {
  return pool.init(BLOCKS, u32(offsetof<PacketPcb>()), SOCKETS);
}

/** A block for a socket, linked; nil if there are too many. */
export function alloc(so: Socket): PacketPcb {
  const pcb = changetype<PacketPcb>(pool.get(BLOCKS));
  if (!pcb) return pcb;
  memory.fill(changetype<usize>(pcb), 0, offsetof<PacketPcb>());
  pcb.so = so;
  pcb.id = freshId();
  pcb.next = S.first;
  if (S.first) S.first.prev = pcb;
  S.first = pcb;
  so.pcb = changetype<usize>(pcb);
  return pcb;
}

/** The next mark that no socket has. */
function freshId(): u32 {
  let pcb: PacketPcb;
  do {
    S.ids = S.ids < FIRST_ID || S.ids == LAST_ID ? FIRST_ID : S.ids + 1;
    pcb = S.first;
    while (pcb && pcb.id != S.ids) pcb = pcb.next;
  } while (pcb);
  return S.ids;
}

/** The interface that a socket is bound to; nil if it is bound to none, or to one that is gone. */
export function boundTo(pcb: PacketPcb): Ifnet {
  const ifp = if_list.byIndex(pcb.ifindex);
  return ifp && ifp.attached == pcb.attached ? ifp : changetype<Ifnet>(0);
}

/** Lets go of a block; the socket layer lets go of the filter. */
export function free(pcb: PacketPcb): void {
  if (pcb.next) pcb.next.prev = pcb.prev;
  if (pcb.prev) pcb.prev.next = pcb.next;
  else S.first = pcb.next;
  pcb.so.pcb = 0;
  pool.put(BLOCKS, changetype<usize>(pcb));
}

function place(pcb: PacketPcb, i: u32): usize {
  return changetype<usize>(pcb) + offsetof<PacketPcb>("member0") + 4 * usize(i);
}

function member(ifp: Ifnet, what: u32): u32 {
  return (what << WHAT_SHIFT) | (ifp.attached & ATTACHMENT);
}

/** Whether a place is free, or is that of an interface that is gone. */
function isFree(key: u32): bool {
  if (key == 0) return true;
  for (let i: u32 = 1; i <= u32(Limits.INTERFACES); i++) {
    const ifp = if_list.byIndex(i);
    if (ifp && (key & ATTACHMENT) == (ifp.attached & ATTACHMENT)) return false;
  }
  return true;
}

/** Whether the socket has asked for something on an interface. */
export function isMember(pcb: PacketPcb, ifp: Ifnet, what: u32): bool {
  for (let i: u32 = 0; i < MEMBERS; i++) {
    if (load<u32>(place(pcb, i)) == member(ifp, what)) return true;
  }
  return false;
}

/** Asks for something on an interface. ENOBUFS if there is no place left. */
export function join(pcb: PacketPcb, ifp: Ifnet, what: u32): i32 {
  if (what != PacketMr.PROMISC && what != PacketMr.ALLMULTI) return -Errno.EINVAL;
  if (isMember(pcb, ifp, what)) return 0;
  for (let i: u32 = 0; i < MEMBERS; i++) {
    if (!isFree(load<u32>(place(pcb, i)))) continue;
    store<u32>(place(pcb, i), member(ifp, what));
    return 0;
  }
  return -Errno.ENOBUFS;
}

/** Asks for it no longer. EADDRNOTAVAIL if it was not asked for. */
export function leave(pcb: PacketPcb, ifp: Ifnet, what: u32): i32 {
  for (let i: u32 = 0; i < MEMBERS; i++) {
    if (load<u32>(place(pcb, i)) != member(ifp, what)) continue;
    store<u32>(place(pcb, i), 0);
    return 0;
  }
  return -Errno.EADDRNOTAVAIL;
}
