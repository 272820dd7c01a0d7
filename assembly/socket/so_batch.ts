/**
 * Several messages in one call (sendmmsg and recvmmsg). The messages lie one after the other in
 * one block of memory, with a record for each.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { Pr } from "../abi/proto";
import { Af, Msg } from "../abi/socket";
import * as so_data from "./so_data";
import { SockAddr } from "./sockaddr";
import * as sockaddr_ops from "./sockaddr_ops";
import * as sockbuf from "./sockbuf";
import { Socket } from "./socket_t";

/** One message of a batch. */
@unmanaged
@final
export class BatchRecord {
  length: u32; // bytes of it in the block
  full: u32; // received: its length before it was cut to the room left
  address: u32; // IPv4 in host order: where to, 0 for the peer; received: where from
  port: u32;
}

const NAME: SockAddr = changetype<SockAddr>(memory.data(offsetof<SockAddr>(), 16));

/**
 * Sends `count` messages that lie at ptr, as the records at `table` say. Answers how many were
 * sent; the error of the first that was not only if it is the first of all.
 */
export function send(so: Socket, table: usize, count: u32, ptr: usize, flags: u32): i32 {
  if (!(so.proto.flags & Pr.ATOMIC)) return -Errno.EOPNOTSUPP;
  for (let i: u32 = 0; i < count; i++) {
    const r = changetype<BatchRecord>(table + i * offsetof<BatchRecord>());
    let nam = changetype<SockAddr>(0);
    if (r.address || r.port) {
      sockaddr_ops.set4(changetype<usize>(NAME), r.address);
      NAME.scope = 0;
      NAME.family = <u16> Af.INET;
      NAME.port = <u16> r.port;
      nam = NAME;
    }
    const sent = so_data.send(so, ptr, r.length, flags, nam);
    if (sent < 0) return i ? <i32> i : sent;
    ptr += r.length;
  }
  return count;
}

/**
 * Receives up to `most` messages into the `room` bytes at ptr, and fills in their records. A
 * message that does not fit behind others waits for the next call; the first is cut to the room.
 * Answers how many; the error only if there is no message.
 */
export function recv(so: Socket, table: usize, most: u32, ptr: usize, room: u32, flags: u32): i32 {
  if (!(so.proto.flags & Pr.ATOMIC)) return -Errno.EOPNOTSUPP;
  let n: u32 = 0;
  while (n < most) {
    if (n && (!so.rcv.mb || sockbuf.recordLength(so.rcv) > room)) break;
    NAME.addr_hi = 0;
    NAME.addr_lo = 0;
    NAME.port = 0;
    const got = so_data.recv(so, ptr, room, flags & ~u32(Msg.PEEK), NAME);
    if (got < 0) return n ? <i32> n : got;
    const r = changetype<BatchRecord>(table + n * offsetof<BatchRecord>());
    r.length = got;
    r.full = so_data.recvInfo().length;
    const inet = so.family == u16(Af.INET);
    r.address = inet ? sockaddr_ops.get4(changetype<usize>(NAME)) : 0;
    r.port = inet ? NAME.port : 0;
    ptr += got;
    room -= got;
    n += 1;
    // a socket that is shut down answers without end
    if (!so.rcv.mb) break;
  }
  return n;
}
