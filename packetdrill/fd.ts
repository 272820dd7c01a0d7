/**
 * What the numbers of descriptors in a script stand for.
 *
 * @module
 */

import type { Connection } from "./connection.ts";
import type { ErrorQueue } from "./error_queue.ts";

/** An option that was set, so that it can be set again on another socket. */
export interface SetOption {
  readonly level: number;
  readonly name: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Address and port, as scripts name them. */
export interface Name {
  readonly ip: string;
  readonly port: number;
  readonly family: string;
}

/** A socket that a script holds. */
export interface SocketFd {
  readonly kind: "socket";
  /** The engine's socket. */
  so: number;
  readonly type: "stream" | "dgram";
  /** The engine's address family. */
  readonly family: number;
  nonblock: boolean;
  /** Bytes of the stream that were read, and that were written. */
  read: number;
  written: number;
  /** Buffer sizes that were set, by name of the option. */
  readonly sizes: Map<string, number>;
  /** Options that the interpreter keeps itself, by name. */
  readonly kept: Map<string, number>;
  /** Options that the engine has taken, by level and name. */
  readonly set: Map<string, SetOption>;
  /** What `MSG_ERRQUEUE` reads. */
  errors?: ErrorQueue;
  connection?: Connection;
  /** What it was bound to. */
  bound?: Name;
  /** Port of the peer that it was told to connect to. */
  peerPort?: number;
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
  /** Bytes that could be read, and errors that were queued, when last looked at. */
  readable: number;
  errors: number;
}

/** An epoll descriptor. */
export interface EpollFd {
  readonly kind: "epoll";
  readonly watches: Watch[];
}

/** A file in memory: all zeros. */
export interface FileFd {
  readonly kind: "file";
  readonly name: string;
  offset: number;
}

/** A pipe: what matters of it is how much it holds. */
export interface Pipe {
  bytes: number;
  /** Ends that are open for reading and writing. */
  readers: number;
  writers: number;
}

/** One end of a pipe. */
export interface PipeFd {
  readonly kind: "pipe";
  readonly pipe: Pipe;
  readonly writes: boolean;
}

/** One end of a pipe is closed. */
export function closePipe({ pipe, writes }: PipeFd): void {
  if (writes) pipe.writers--;
  else pipe.readers--;
}

/** Any descriptor. */
export type Fd = SocketFd | EpollFd | FileFd | PipeFd;

/** A socket descriptor that nothing was done with. */
export function socketFd(
  so: number,
  type: SocketFd["type"],
  family: number,
  nonblock: boolean,
): SocketFd {
  return {
    kind: "socket",
    so,
    type,
    family,
    nonblock,
    read: 0,
    written: 0,
    sizes: new Map(),
    kept: new Map(),
    set: new Map(),
  };
}
