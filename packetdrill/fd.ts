/**
 * What the numbers of descriptors in a script stand for.
 *
 * @module
 */

import type { Connection } from "./connection.ts";

/** A socket that a script holds. */
export interface SocketFd {
  readonly kind: "socket";
  /** The engine's socket. */
  so: number;
  readonly type: "stream" | "dgram";
  nonblock: boolean;
  /** Bytes of the stream that were read, and that were written. */
  read: number;
  written: number;
  /** Buffer sizes that were set, by name of the option. */
  readonly sizes: Map<string, number>;
  connection?: Connection;
}

/** One thing an epoll descriptor watches. */
export interface Watch {
  readonly fd: number;
  events: number;
  /** What `epoll_wait` answers beside the events. */
  data: number;
  dataName: string;
  /** Events that were true when last looked at, and edges that were not told yet. */
  was: number;
  edges: number;
  /** Bytes that could be read when last looked at. */
  readable: number;
}

/** An epoll descriptor. */
export interface EpollFd {
  readonly kind: "epoll";
  readonly watches: Watch[];
}

/** Any descriptor. */
export type Fd = SocketFd | EpollFd;

/** A socket descriptor that nothing was done with. */
export function socketFd(so: number, type: SocketFd["type"], nonblock: boolean): SocketFd {
  return { kind: "socket", so, type, nonblock, read: 0, written: 0, sizes: new Map() };
}
