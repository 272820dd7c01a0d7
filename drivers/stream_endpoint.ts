/**
 * Where the connections of a stream driver come from: dialled, accepted, or handed in.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { fromHostError } from "./host_error.ts";

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

/** An address of the host: a TCP port, or a socket file. */
export type StreamAddress =
  | { readonly hostname?: string; readonly port: number }
  | { readonly path: string };

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
  /** Begins to listen, if that is what it does. */
  open(): void;
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
  const { port, path } = address as { port?: number; path?: string };
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
  return { transport: "path" in address ? "unix" : "tcp", ...address };
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

  open(): void {
    const { listen } = host();
    if (!listen) missing("listen");
    try {
      this.#listener = listen(options(this.#at));
      this.#listener.unref?.();
    } catch (error) {
      throw fromHostError(error, "listen", `listening on ${words(this.#at)} failed`);
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
