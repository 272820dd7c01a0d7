/**
 * The table of sockets: allocation, and finding out whether a handle names a live socket.
 *
 * @module
 */

import { MbufSize } from "../abi/mbuf";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { Socket } from "./socket_t";

const sockets: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** Calls answer a socket's address or a negative error number: all sockets lie below 2 GiB. */
const ADDRESSES_END: u64 = 1 << 31;

/** Makes room for `limit` sockets; false when the memory does not hold them. */
export function init(limit: u32): bool {
  if (!pool.init(sockets, <u32> offsetof<Socket>(), limit)) return false;
  return u64(sockets.base) + u64(sockets.item) * limit <= ADDRESSES_END;
}

/** A cleared socket without protocol, nil when there are as many as boot allowed. */
export function get(): Socket {
  const so = changetype<Socket>(pool.get(sockets));
  if (!so) return so;
  so.inuse = 1;
  so.fd = -1;
  so.linger_s = -1;
  so.rcv.lowat = 1;
  so.snd.lowat = MbufSize.MCLBYTES; // writers are woken for a cluster, not for every few bytes
  return so;
}

/** Gives a socket back. */
export function put(so: Socket): void {
  so.inuse = 0;
  pool.put(sockets, changetype<usize>(so));
}

/** The pool, for counts and for walking all sockets with pool.at. */
export function all(): Pool {
  return sockets;
}

/** The i-th place of the table: its socket, or nil if none is there. */
export function at(i: u32): Socket {
  if (i >= sockets.high) return changetype<Socket>(0);
  const so = changetype<Socket>(pool.at(sockets, i));
  return so.inuse == 1 ? so : changetype<Socket>(0);
}

/** Whether `p` is the address of a live socket. */
export function valid(p: usize): bool {
  if (p < sockets.base) return false;
  const off = <u32> (p - sockets.base);
  if (off % sockets.item || off / sockets.item >= sockets.high) return false;
  return changetype<Socket>(p).inuse == 1;
}
