/**
 * A read of a stream ends with the piece that brought descriptors, so that a program knows which
 * data they belong to (as in BSD and Linux). What comes behind such a piece is held here until that
 * is read.
 */
import { Mf } from "../../../assembly/abi/mbuf";
import { Sb } from "../../../assembly/abi/socket";
import * as so_event from "../../../assembly/socket/so_event";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import * as mbuf from "../../../assembly/sys/mbuf";
import { Mbuf } from "../../../assembly/sys/mbuf_t";
import { UnixPcb } from "./pcb_t";

/** Puts a piece into the buffer, or holds it; `rights`: whether it brings descriptors. */
export function add(pcb: UnixPcb, m: Mbuf, rights: bool): void {
  let len: u32 = 0;
  let storage: u32 = 0;
  for (let at = m; at; at = at.next) {
    len += at.len;
    storage += at.cap;
    at.flags &= ~u16(Mf.EOR); // of a sender's MSG_EOR, which means nothing here
  }
  pcb.came += len;
  if (!isStopped(pcb)) {
    stop(pcb, rights);
    sockbuf.append(pcb.so.rcv, m);
    so_event.rwakeup(pcb.so);
    return;
  }
  if (rights) m.flags |= u16(Mf.EOR);
  if (pcb.held) pcb.held_last.nextpkt = m;
  else pcb.held = m;
  pcb.held_last = m;
  pcb.held_len += len;
  pcb.held_storage += storage;
}

/** The piece that brought descriptors is read: what follows, up to the next such, can be. */
export function show(pcb: UnixPcb): void {
  stop(pcb, false);
  while (pcb.held && !isStopped(pcb)) {
    const m = take(pcb);
    stop(pcb, (m.flags & Mf.EOR) != 0);
    m.flags &= ~u16(Mf.EOR);
    sockbuf.append(pcb.so.rcv, m);
  }
  if (pcb.so.rcv.cc) so_event.rwakeup(pcb.so);
}

/** Nobody will read it. */
export function drop(pcb: UnixPcb): void {
  while (pcb.held) mbuf.freem(take(pcb));
  stop(pcb, false);
}

/** Whether the last piece in so_rcv brought descriptors: nothing may follow it there. */
export function isStopped(pcb: UnixPcb): bool {
  return (pcb.so.rcv.flags & Sb.ENDS) != 0;
}

/** Nobody need wait for SO_RCVLOWAT bytes either then. */
function stop(pcb: UnixPcb, on: bool): void {
  if (on) pcb.so.rcv.flags |= Sb.ENDS;
  else pcb.so.rcv.flags &= ~u32(Sb.ENDS);
}

/** Takes the first piece out. */
function take(pcb: UnixPcb): Mbuf {
  const m = pcb.held;
  pcb.held = m.nextpkt;
  m.nextpkt = changetype<Mbuf>(0);
  for (let at = m; at; at = at.next) {
    pcb.held_len -= at.len;
    pcb.held_storage -= at.cap;
  }
  return m;
}
