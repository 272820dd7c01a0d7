/**
 * A read of a stream ends with the piece that brought descriptors, so that a program knows which
 * data they belong to (as in BSD and Linux). What comes behind such a piece is held here until that
 * is read.
 */
import { Mf } from "../../../assembly/abi/mbuf";
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
  if (!pcb.stopped) {
    pcb.stopped = rights;
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
  pcb.stopped = false;
  while (pcb.held && !pcb.stopped) {
    const m = take(pcb);
    pcb.stopped = (m.flags & Mf.EOR) != 0;
    m.flags &= ~u16(Mf.EOR);
    sockbuf.append(pcb.so.rcv, m);
  }
  if (pcb.so.rcv.cc) so_event.rwakeup(pcb.so);
}

/** Nobody will read it. */
export function drop(pcb: UnixPcb): void {
  while (pcb.held) mbuf.freem(take(pcb));
  pcb.stopped = false;
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
