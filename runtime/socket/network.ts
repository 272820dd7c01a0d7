/**
 * Opening sockets in the way Deno does: listen, connect, listenDatagram.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, So as Opt, Sock, Sol, Ss, TcpOpt } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import { bindSocket, createSocket, listenSocket, peerName, socketName } from "./calls.ts";
import { tryConnect } from "./calls.ts";
import { TcpConn } from "./conn.ts";
import { DatagramConn } from "./datagram.ts";
import { Listener } from "./listener.ts";
import { setOption } from "./options.ts";
import type { So, SocketLayer } from "./so.ts";
import { awaitConnected } from "./connecting.ts";
import { check, release } from "./so_wait.ts";
import { hostAddress } from "./sockaddr.ts";
import {
  connectUnix,
  listenUnix,
  type UnixConn,
  type UnixListener,
  type UnixOptions,
} from "./unix_conn.ts";

/** Where to listen. */
export interface ListenOptions {
  /** Numeric address of this host; all of them (`0.0.0.0`) unless told. */
  readonly hostname?: string;
  /** Port; 0 lets the stack choose. */
  readonly port: number;
  /** Protocol; only TCP listens. */
  readonly transport?: "tcp";
  /** Connections that may wait to be accepted; 1024 unless told. */
  readonly backlog?: number;
}

/** Where to connect to. */
export interface ConnectOptions {
  /** Numeric address of the peer; `127.0.0.1` unless told. */
  readonly hostname?: string;
  /** Port of the peer. */
  readonly port: number;
  /** Protocol; only TCP connects. */
  readonly transport?: "tcp";
  /** Address and port of this end; chosen by the stack unless told. */
  readonly local?: { readonly hostname?: string; readonly port?: number };
  /**
   * The peer may get the first data with the request for the connection (RFC 7413): if it has given
   * out a cookie before, the promise is fulfilled at once, and the connection begins with the first
   * write or read, which then tells if it fails.
   */
  readonly fastOpen?: boolean;
  /** Gives the attempt up; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Where to receive datagrams. */
export interface DatagramOptions {
  /** Numeric address of this host; all of them (`0.0.0.0`) unless told. */
  readonly hostname?: string;
  /** Port; 0 lets the stack choose. */
  readonly port: number;
  /** Protocol; only UDP. */
  readonly transport?: "udp";
  /** Lets several sockets share the port (SO_REUSEADDR). */
  readonly reuseAddress?: boolean;
  /** Allows sending to broadcast addresses (SO_BROADCAST). */
  readonly broadcast?: boolean;
}

/** Closes the socket if `work` throws. */
function orClose<T>(so: So, work: () => T): T {
  try {
    return work();
  } catch (error) {
    release(so);
    throw error;
  }
}

/** What `listen` gives for its options. */
export type ListenerOf<O> = O extends UnixOptions ? UnixListener : Listener;

/** What `connect` gives for its options. */
export type ConnOf<O> = O extends UnixOptions ? UnixConn : TcpConn;

/** Opens a listening socket; throws `SocketError`. */
export function listen<O extends ListenOptions | UnixOptions>(
  layer: SocketLayer,
  options: O,
): ListenerOf<O> {
  const made = isUnix(options) ? listenUnix(layer, options) : listenTcp(layer, options);
  return made as ListenerOf<O>;
}

/** Opens a connection; throws `SocketError`, or the signal's reason. */
export async function connect<O extends ConnectOptions | UnixOptions>(
  layer: SocketLayer,
  options: O,
): Promise<ConnOf<O>> {
  const made = isUnix(options) ? connectUnix(layer, options) : await connectTcp(layer, options);
  return made as ConnOf<O>;
}

function isUnix(options: ListenOptions | ConnectOptions | UnixOptions): options is UnixOptions {
  return options.transport === "unix";
}

function listenTcp(layer: SocketLayer, options: ListenOptions): Listener {
  const so = createSocket(layer, Af.INET, Sock.STREAM, 0);
  return orClose(so, () => {
    setOption(so, Sol.SOCKET, Opt.REUSEADDR, true);
    bindSocket(so, { address: hostAddress(options.hostname ?? "0.0.0.0"), port: options.port });
    listenSocket(so, options.backlog ?? Limits.SOMAXCONN);
    return new Listener(so);
  });
}

async function connectTcp(layer: SocketLayer, options: ConnectOptions): Promise<TcpConn> {
  const { signal, local } = options;
  signal?.throwIfAborted();
  const so = createSocket(layer, Af.INET, Sock.STREAM, 0);
  try {
    if (local !== undefined) {
      bindSocket(so, { address: hostAddress(local.hostname ?? "0.0.0.0"), port: local.port });
    }
    const peer = { address: hostAddress(options.hostname ?? "127.0.0.1"), port: options.port };
    if (options.fastOpen) setOption(so, IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, true);
    let result = tryConnect(so, peer);
    if (result === -Errno.EINPROGRESS) result = await awaitConnected(so, signal);
    if (result === -Errno.EINTR) signal?.throwIfAborted();
    check(result, "connect");
    const deferred = (so.state & Ss.DEFERRED) !== 0;
    return new TcpConn(so, socketName(so), deferred ? { family: Af.INET, ...peer } : peerName(so));
  } catch (error) {
    release(so);
    throw error;
  }
}

/** Opens a UDP socket; throws `SocketError`. */
export function listenDatagram(layer: SocketLayer, options: DatagramOptions): DatagramConn {
  if ((options.transport ?? "udp") !== "udp") {
    throw new SocketError(Errno.EPROTONOSUPPORT, "socket", `no ${options.transport} datagrams`);
  }
  const so = createSocket(layer, Af.INET, Sock.DGRAM, 0);
  return orClose(so, () => {
    if (options.reuseAddress) setOption(so, Sol.SOCKET, Opt.REUSEADDR, true);
    if (options.broadcast) setOption(so, Sol.SOCKET, Opt.BROADCAST, true);
    bindSocket(so, { address: hostAddress(options.hostname ?? "0.0.0.0"), port: options.port });
    return new DatagramConn(so);
  });
}
