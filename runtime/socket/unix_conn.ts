/**
 * Local sockets in the shape of `Deno.UnixConn` and `Deno.UnixListener`.
 *
 * @module
 */

import { Af, Sock } from "../../assembly/abi/socket.ts";
import { bindSocket, createSocket, listenSocket, peerName, socketName } from "./calls.ts";
import { tryConnect } from "./calls.ts";
import { StreamListener } from "./listener.ts";
import type { So, SocketLayer } from "./so.ts";
import { check, release } from "./so_wait.ts";
import type { SockAddr } from "./sockaddr.ts";
import { StreamConn } from "./stream_conn.ts";

/** An address in the shape of `Deno.UnixAddr`. */
export interface UnixAddr {
  /** Always so. */
  transport: "unix";
  /** Name of the socket; `""` for none, and beginning with `"\0"` if it is abstract. */
  path: string;
}

/** Where to listen for, or connect to, local sockets. */
export interface UnixOptions {
  /** Local sockets. */
  readonly transport: "unix";
  /** Name of the socket. */
  readonly path: string;
  /** To listen: connections that may wait to be accepted; 1024 unless told. */
  readonly backlog?: number;
}

const BACKLOG = 1024;

function unixAddr({ path = "" }: SockAddr): UnixAddr {
  return { transport: "unix", path };
}

/** A connection between local sockets. */
export class UnixConn extends StreamConn {
  /** Name of this end. */
  readonly localAddr: UnixAddr;
  /** Name of the peer. */
  readonly remoteAddr: UnixAddr;

  /** Made by `stack.connect` and by listeners. */
  constructor(so: So, local: SockAddr, peer: SockAddr) {
    super(so);
    this.localAddr = unixAddr(local);
    this.remoteAddr = unixAddr(peer);
  }
}

/** A listening local socket. Its name stays when it is closed, until `sys.unlink` takes it away. */
export class UnixListener extends StreamListener<UnixConn> {
  /** The name it has. */
  readonly addr: UnixAddr;

  /** Made by `stack.listen`. */
  constructor(so: So) {
    super(so, (so, peer) => new UnixConn(so, socketName(so), peer));
    this.addr = unixAddr(socketName(so));
  }
}

/** Opens a listening local socket; throws `SocketError`. */
export function listenUnix(layer: SocketLayer, { path, backlog }: UnixOptions): UnixListener {
  const so = createSocket(layer, Af.UNIX, Sock.STREAM, 0);
  try {
    bindSocket(so, { path });
    listenSocket(so, backlog ?? BACKLOG);
    return new UnixListener(so);
  } catch (error) {
    release(so);
    throw error;
  }
}

/** Connects to a local socket, which is done at once; throws `SocketError`. */
export function connectUnix(layer: SocketLayer, { path }: UnixOptions): UnixConn {
  const so = createSocket(layer, Af.UNIX, Sock.STREAM, 0);
  try {
    check(tryConnect(so, { path }), "connect");
    return new UnixConn(so, socketName(so), peerName(so));
  } catch (error) {
    release(so);
    throw error;
  }
}
