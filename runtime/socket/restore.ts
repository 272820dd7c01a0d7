/**
 * Sockets of a stack that goes on from a snapshot: the engine has them all, with the descriptors
 * they had; only the runtime's side is to be made anew.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af, So as Opt, Sock } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { peerName, socketName } from "./calls.ts";
import { TcpConn } from "./conn.ts";
import { DatagramConn } from "./datagram.ts";
import { Listener } from "./listener.ts";
import type { SocketLayer } from "./so.ts";
import { releaseFd } from "./so_wait.ts";
import { UnixConn, UnixListener } from "./unix_conn.ts";

const NO_FD = 0xffffffff;

/**
 * Gives every socket of the engine that had a descriptor the same one again, and those of `aliases`
 * their further ones.
 */
export function adoptSockets(
  layer: SocketLayer,
  aliases: readonly (readonly [fd: number, ptr: number])[] = [],
): void {
  const { engine } = layer;
  const { Socket } = layout;
  const places = engine.calls.so_limit();
  const found: [fd: number, ptr: number][] = [];
  for (let i = 0; i < places; i++) {
    const ptr = engine.calls.so_at(i);
    if (ptr === 0 || field.getU32(engine, ptr, Socket.inuse) === 0) continue;
    engine.calls.so_want(ptr, 0); // whoever waited is gone
    const fd = field.getU32(engine, ptr, Socket.fd);
    if (fd !== NO_FD) found.push([fd, ptr]);
  }
  const known = new Set(found.map(([, ptr]) => ptr));
  const further = aliases.filter(([, ptr]) => known.has(ptr));
  const all = [...found, ...further].sort(([a], [b]) => a - b);
  for (const [fd, ptr] of all) {
    if (known.delete(ptr)) layer.table.put(ptr, fd);
    else layer.table.putAlias(ptr, fd);
  }
}

/** Closes descriptors of calls that waited, which are gone; the stack is whole again. */
export function endCalls(layer: SocketLayer, fds: readonly number[] = []): void {
  for (const fd of fds) releaseFd(layer, fd, "restore");
  layer.waits.scheduler.kick();
}

/** What a descriptor can be the number of. */
export type SocketObject = Listener | TcpConn | DatagramConn | UnixListener | UnixConn;

/**
 * The object for a descriptor: a listener, a connection, or a datagram socket.
 *
 * @throws SocketError EBADF, or EOPNOTSUPP for a socket that is none of these
 */
export function openFd(layer: SocketLayer, fd: number): SocketObject {
  const so = layer.table.get(fd, "openFd");
  const { engine } = layer;
  const type = field.getU16(engine, so.ptr, layout.Socket.type);
  if (type === Sock.DGRAM && so.family === Af.INET) return new DatagramConn(so);
  if (type !== Sock.STREAM) {
    const words = `descriptor ${fd} is neither TCP nor UDP nor a local stream`;
    throw new SocketError(Errno.EOPNOTSUPP, "openFd", words);
  }
  const options = field.getU32(engine, so.ptr, layout.Socket.options);
  const local = so.family === Af.UNIX;
  if (options & Opt.ACCEPTCONN) return local ? new UnixListener(so) : new Listener(so);
  const [name, peer] = [socketName(so), peerName(so)];
  return local ? new UnixConn(so, name, peer) : new TcpConn(so, name, peer);
}
