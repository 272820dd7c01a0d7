/**
 * Back-pressure. What is sent lies in the receiver's buffer at once, so a sender's own buffer is
 * always empty and only bounds how much one message, or all that is unread of a stream, may be. Who
 * finds no room is told when there is some.
 */
import { Pr } from "../../../assembly/abi/proto";
import * as so_event from "../../../assembly/socket/so_event";
import * as sockbuf from "../../../assembly/socket/sockbuf";
import { S } from "./pcb";
import { UnixPcb } from "./pcb_t";

/** Storage that a record takes beside its data: a name's mbuf, and what its last mbuf wastes. */
const RECORD: u32 = 2400;

/** PRU_SPACE: bytes that may be sent now; `wake`: so many that it is worth a wake-up. */
export function space(pcb: UnixPcb, wake: bool): i32 {
  if (pcb.so.proto.flags & Pr.ATOMIC) {
    return !pcb.blocker || fits(pcb.blocker, pcb.needs) ? i32(pcb.so.snd.hiwat) : 0;
  }
  const peer = pcb.peer;
  if (!peer) return i32(pcb.so.snd.hiwat);
  const rcv = peer.so.rcv;
  // who waits for SO_RCVLOWAT bytes is to get them
  const most = max<u32>(pcb.so.snd.hiwat, rcv.lowat);
  const all = min<i32>(sockbuf.space(rcv), i32(most - rcv.cc));
  // what is held is counted by its storage, which nothing else bounds
  const room = all - i32(peer.held_storage);
  return wake && rcv.cc >= rcv.lowat && room < i32(pcb.so.snd.hiwat >> 2) ? 0 : room;
}

/** Whether a socket has room for a message; one with an empty buffer has for any it ever takes. */
export function fits(pcb: UnixPcb, len: u32): bool {
  const rcv = pcb.so.rcv;
  if (!rcv.mb) return true;
  return rcv.cc + len <= rcv.hiwat && rcv.mbcnt + len + (len >> 2) + RECORD <= rcv.mbmax;
}

/** A sender found no room at `at` for `len` bytes. */
export function block(pcb: UnixPcb, at: UnixPcb, len: u32): void {
  release(pcb);
  pcb.blocker = at;
  pcb.needs = len;
  at.blocked += 1;
}

/** It waits no longer. */
export function release(pcb: UnixPcb): void {
  if (!pcb.blocker) return;
  pcb.blocker.blocked -= 1;
  pcb.blocker = changetype<UnixPcb>(0);
}

/** A socket has more room, or with `end` is gone: tells those who send to it. */
export function freed(pcb: UnixPcb, end: bool): void {
  if (pcb.peer && !(pcb.so.proto.flags & Pr.ATOMIC)) so_event.wwakeup(pcb.peer.so);
  if (!pcb.blocked) return;
  for (let one = S.first; one; one = one.next) {
    if (one.blocker != pcb || !(end || fits(pcb, one.needs))) continue;
    release(one);
    so_event.wwakeup(one.so);
  }
}
