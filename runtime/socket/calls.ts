/**
 * Calls on sockets that convert arguments and never wait; those that answer a number answer a
 * result or a negated error number. The system calls, blocking or not, and the objects in the shape
 * of Deno's are built on these.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Af, LocalOpt, Sock, Sol } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { So, SocketLayer } from "./so.ts";
import { pathBytes } from "./unix_addr.ts";
import { release } from "./so_wait.ts";
import { readSockAddr, type SockAddr, type SockAddrInit, writeSockAddr } from "./sockaddr.ts";

/** Makes a socket; throws `SocketError`. */
export function createSocket(
  layer: SocketLayer,
  domain: number,
  type: number,
  protocol: number,
): So {
  layer.table.reserve("socket");
  const { calls } = layer.engine;
  let ptr = calls.so_create(domain, type, protocol);
  if (ptr === -Errno.EPFNOSUPPORT && layer.demand(domain)) {
    ptr = calls.so_create(domain, type, protocol);
  }
  if (ptr < 0) throw new SocketError(-ptr, "socket");
  return layer.table.get(layer.table.add(ptr), "socket");
}

/** Makes two sockets and joins them; throws `SocketError`, when neither is left. */
export function createPair(
  layer: SocketLayer,
  domain: number,
  type: number,
  protocol: number,
): [number, number] {
  const one = createSocket(layer, domain, type, protocol);
  let other: So | undefined;
  try {
    other = createSocket(layer, domain, type, protocol);
    const result = layer.engine.calls.so_connect2(one.ptr, other.ptr);
    if (result < 0) throw new SocketError(-result, "socketpair");
    return [one.fd, other.fd];
  } catch (error) {
    for (const so of [one, other]) if (so !== undefined) release(so);
    throw error;
  }
}

/** Writes a name where calls find it; answers the place, 0 for no name. */
export function putName(so: So, name: SockAddrInit | undefined, syscall: string): number {
  if (name === undefined) return 0;
  const { engine } = so.layer;
  writeSockAddr(engine, engine.scratch, name, syscall, so.family);
  return engine.scratch;
}

/** A place for the engine to write a name to, empty so far. */
export function nameRoom(so: So): number {
  const { engine } = so.layer;
  field.clear(engine, engine.scratch, layout.SockAddr.size);
  return engine.scratch;
}

/** The name the engine wrote; `undefined` if it wrote none. */
export function takeName(so: So): SockAddr | undefined {
  const { engine } = so.layer;
  const name = readSockAddr(engine, engine.scratch);
  return name.family === Af.UNSPEC ? undefined : name;
}

/** Binds; throws `SocketError`. */
export function bindSocket(so: So, name: SockAddrInit): void {
  const result = so.layer.engine.calls.so_bind(so.ptr, putName(so, name, "bind"));
  if (result < 0) throw new SocketError(-result, "bind");
}

/** Begins to listen; throws `SocketError`. */
export function listenSocket(so: So, backlog: number): void {
  const result = so.layer.engine.calls.so_listen(so.ptr, backlog | 0);
  if (result < 0) throw new SocketError(-result, "listen");
}

/** Begins to connect. */
export function tryConnect(so: So, name: SockAddrInit): number {
  const { engine, waits } = so.layer;
  waits.scheduler.enter();
  const result = engine.calls.so_connect(so.ptr, putName(so, name, "connect"));
  waits.scheduler.told();
  return result;
}

/** A connection that was accepted. */
export interface AcceptedSocket {
  /** Its descriptor. */
  readonly fd: number;
  /** Its peer. */
  readonly peer: SockAddr;
}

/**
 * Takes a connection from the queue; answers its descriptor, and leaves its peer's name in the
 * scratch area. Throws `SocketError` EMFILE while no descriptor is free; the connection then stays
 * in the queue.
 */
export function acceptNamed(so: So): number {
  const { layer } = so;
  if (so.fd < 0) return -Errno.EBADF;
  layer.table.reserve("accept");
  if (so.idle) return -Errno.EAGAIN;
  const ptr = layer.engine.calls.so_accept(so.ptr, nameRoom(so));
  return ptr < 0 ? ptr : layer.table.add(ptr);
}

/** The same; calls `take` with the connection, and answers 0. */
export function tryAccept(so: So, take: (accepted: AcceptedSocket) => void): number {
  const fd = acceptNamed(so);
  if (fd < 0) return fd;
  const { engine } = so.layer;
  take({ fd, peer: readSockAddr(engine, engine.scratch) });
  return 0;
}

/** Ends one or both directions. */
export function tryShutdown(so: So, how: number): number {
  const { engine, waits } = so.layer;
  if (so.fd < 0) return -Errno.EBADF;
  waits.scheduler.enter();
  const result = engine.calls.so_shutdown(so.ptr, how | 0);
  waits.scheduler.told();
  return result;
}

/** The local address; throws `SocketError`. */
export function socketName(so: So): SockAddr {
  const result = so.layer.engine.calls.so_sockname(so.ptr, nameRoom(so));
  if (result < 0) throw new SocketError(-result, "getsockname");
  return readSockAddr(so.layer.engine, so.layer.engine.scratch);
}

/** The peer's address; throws `SocketError`. */
export function peerName(so: So): SockAddr {
  const result = so.layer.engine.calls.so_peername(so.ptr, nameRoom(so));
  if (result < 0) throw new SocketError(-result, "getpeername");
  return readSockAddr(so.layer.engine, so.layer.engine.scratch);
}

/** A request on the socket itself, whose argument and result is a number. */
export function socketIoctl(so: So, cmd: number, argument: number): number {
  const { calls, scratch, view } = so.layer.engine;
  view.setInt32(scratch, argument, true);
  const result = calls.so_ioctl(so.ptr, cmd, scratch, 4);
  if (result < 0) throw new SocketError(-result, "ioctl");
  return view.getInt32(scratch, true);
}

/** Takes the name of a local socket away; throws `SocketError`. */
export function unlinkPath(layer: SocketLayer, path: string): void {
  const name = pathBytes(path, "unlink");
  const { calls, memory, scratch } = layer.engine;
  const so = createSocket(layer, Af.UNIX, Sock.DGRAM, 0);
  memory.set(name, scratch);
  const result = calls.so_setopt(so.ptr, Sol.LOCAL, LocalOpt.UNLINK, scratch, name.length);
  release(so);
  if (result < 0) throw new SocketError(-result, "unlink", path);
}
