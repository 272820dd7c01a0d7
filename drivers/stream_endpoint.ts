/**
 * Where the connections of a stream driver come from: dialled, accepted, or handed in.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { fromHostError } from "./host_error.ts";
import { wholeInRange } from "./options.ts";
import { permit, removeStaleFile } from "./socket_file.ts";

/** A connection, as Deno has it: TCP, Unix, or anything of the same shape. */
export interface StreamConn {
  /** Reads some bytes; null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some bytes; answers how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes; what waits in `read` and `write` ends. */
  close(): void;
  /** Keeps the process from ending. */
  ref?(): void;
  /** Lets the process end while nothing else keeps it. */
  unref?(): void;
}

/**
 * An address of the host: a TCP port, or a socket file. Who listens on a file can say by `mode` who
 * may connect (write to it), as for chmod: 0o600, its owner alone, unless told. A file that a
 * process which is no more has left behind is removed.
 */
export type StreamAddress =
  | { readonly hostname?: string; readonly port: number }
  | { readonly path: string; readonly mode?: number };

/** Which side the driver is. */
export type StreamTarget =
  | { readonly connect: StreamAddress }
  | { readonly listen: StreamAddress }
  | { readonly conn: StreamConn };

/** A source of connections, one after the other. */
export interface Endpoint {
  /** Says what it is, for messages. */
  readonly words: string;
  /** True if a peer comes by itself, so that there is no use in waiting before `next`. */
  readonly passive: boolean;
  /** True if anybody may come, also who looks only whether somebody listens. */
  readonly hasVisitors: boolean;
  /** Begins to listen, if that is what it does. */
  open(): void | Promise<void>;
  /** Where it listens. */
  readonly address: unknown;
  /** The next connection. */
  next(): Promise<StreamConn>;
  /** Listens no more; a `next` that waits fails. */
  close(): void;
}

interface Listener {
  readonly addr: unknown;
  accept(): Promise<StreamConn>;
  close(): void;
  ref?(): void;
  unref?(): void;
}

/** What is used of Deno. */
interface Host {
  connect?(options: Record<string, unknown>): Promise<StreamConn>;
  listen?(options: Record<string, unknown>): Listener;
}

/** The endpoint of a target; `RangeError` for an address that cannot be. */
export function endpointOf(target: StreamTarget): Endpoint {
  if ("conn" in target) return new Given(target.conn);
  const address = "connect" in target ? target.connect : target.listen;
  const { port, path, mode } = address as { port?: number; path?: string; mode?: number };
  if (mode !== undefined) wholeInRange("mode", mode, 0, 0o777);
  const least = "connect" in target ? 1 : 0;
  if (path === undefined && !(Number.isInteger(port) && port! >= least && port! <= 65535)) {
    throw new RangeError(`port must be a whole number from ${least} to 65535, not ${port}`);
  }
  return "connect" in target ? new Dialling(target.connect) : new Listening(target.listen);
}

function host(): Host {
  return (globalThis as unknown as { Deno?: Host }).Deno ?? {};
}

function options(address: StreamAddress): Record<string, unknown> {
  if ("path" in address) return { transport: "unix", path: address.path };
  return { transport: "tcp", ...address };
}

/** Binds; once more if a file that nobody uses was in the way. */
async function bindAgain<T>(bind: () => T, at: StreamAddress): Promise<T> {
  try {
    return bind();
  } catch (error) {
    const taken = (error as Error).name === "AddrInUse";
    if (!taken || !("path" in at) || !await removeStaleFile(at.path)) throw error;
    return bind();
  }
}

function words(address: StreamAddress): string {
  if ("path" in address) return address.path;
  const { hostname = "0.0.0.0", port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function missing(call: string): never {
  throw new SocketError(Errno.EOPNOTSUPP, call, "this host has no stream sockets: hand one in");
}

/** Small frames must not wait for others (Nagle's algorithm): the driver batches by itself. */
function prepare(conn: StreamConn): StreamConn {
  (conn as { setNoDelay?(on: boolean): void }).setNoDelay?.(true);
  conn.unref?.();
  return conn;
}

class Dialling implements Endpoint {
  readonly words: string;
  readonly passive = false;
  readonly hasVisitors = false;
  readonly address = undefined;
  readonly #to: StreamAddress;
  /** Ends a call that nobody answers: the host would wait for minutes. */
  #calling: AbortController | undefined = undefined;

  constructor(to: StreamAddress) {
    this.#to = "path" in to ? to : { hostname: "127.0.0.1", ...to };
    this.words = words(this.#to);
  }

  open(): void {}

  async next(): Promise<StreamConn> {
    const { connect } = host();
    if (!connect) missing("connect");
    this.#calling = new AbortController();
    try {
      const { signal } = this.#calling;
      return prepare(await connect({ ...options(this.#to), signal }));
    } catch (error) {
      throw fromHostError(error, "connect", `connecting to ${this.words} failed`);
    }
  }

  close(): void {
    this.#calling?.abort();
  }
}

class Listening implements Endpoint {
  readonly passive = true;
  readonly hasVisitors = true;
  readonly #at: StreamAddress;
  #listener: Listener | undefined = undefined;

  constructor(at: StreamAddress) {
    this.#at = at;
  }

  get words(): string {
    return words((this.#listener?.addr as StreamAddress | undefined) ?? this.#at);
  }

  get address(): unknown {
    return this.#listener?.addr;
  }

  async open(): Promise<void> {
    const { listen } = host();
    if (!listen) missing("listen");
    const at = this.#at;
    const bound = () => listen(options(at));
    try {
      this.#listener = await bindAgain(bound, at);
      if ("path" in at) permit(at.path, at.mode);
      this.#listener.unref?.();
    } catch (error) {
      this.close();
      throw fromHostError(error, "listen", `listening on ${words(at)} failed`);
    }
  }

  /** One peer at a time: others wait in the host's backlog until this one has gone. */
  async next(): Promise<StreamConn> {
    return prepare(await this.#listener!.accept());
  }

  close(): void {
    // Who awaits the end of `next` must not be left by the process before.
    this.#listener?.ref?.();
    this.#listener?.close();
    this.#listener = undefined;
  }
}

class Given implements Endpoint {
  readonly words = "the peer";
  readonly passive = true;
  readonly hasVisitors = false;
  readonly address = undefined;
  #conn: StreamConn | undefined;

  constructor(conn: StreamConn) {
    this.#conn = conn;
  }

  open(): void {
    if (!this.#conn) {
      throw new SocketError(Errno.ENOTCONN, "attach", "the connection handed in was used up");
    }
  }

  next(): Promise<StreamConn> {
    const conn = this.#conn;
    this.#conn = undefined;
    if (!conn) return Promise.reject(new Error("there is only the connection handed in"));
    conn.unref?.();
    return Promise.resolve(conn);
  }

  close(): void {}
}
