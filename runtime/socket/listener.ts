/**
 * Listening sockets in the shape of `Deno.Listener` and `Deno.TcpListener`.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { type AcceptedSocket, socketName, tryAccept } from "./calls.ts";
import { type NetAddr, netAddr, TcpConn } from "./conn.ts";
import { SocketHandle } from "./handle.ts";
import type { SockAddr } from "./sockaddr.ts";
import type { So } from "./so.ts";
import { check, receive, release } from "./so_wait.ts";

/** A listening socket. `close` resets connections that nobody has accepted. */
export abstract class StreamListener<C> extends SocketHandle implements AsyncIterable<C> {
  readonly #so: So;
  readonly #connOf: (so: So, peer: SockAddr) => C;

  /** A listener of `so`; `connOf` makes the object for a connection, and throws if it is gone. */
  constructor(so: So, connOf: (so: So, peer: SockAddr) => C) {
    super(so);
    this.#so = so;
    this.#connOf = connOf;
  }

  /** Waits for a connection. `SocketError` EBADF (`BadResource`) once the listener is closed. */
  async accept(): Promise<C> {
    const so = this.#so;
    for (;;) {
      let taken: AcceptedSocket | undefined;
      const attempt = () => tryAccept(so, (it) => taken = it);
      check(await receive(so, attempt(), 0, undefined, attempt), "accept");
      const conn = this.#asConn(so.layer.table.get(taken!.fd, "accept"), taken!.peer);
      if (conn !== undefined) return conn;
    }
  }

  /**
   * Connections as they come, until the listener is closed. A loop that is left early closes it, as
   * in Deno.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<C> {
    for (;;) {
      let conn: C;
      try {
        conn = await this.accept();
      } catch (error) {
        if (error instanceof SocketError && error.errno === Errno.EBADF) return;
        if (error instanceof SocketError && error.errno === Errno.ECONNABORTED) continue;
        throw error;
      }
      let resumed = false;
      try {
        yield conn;
        resumed = true;
      } finally {
        if (!resumed) this.close();
      }
    }
  }

  /** A connection that was reset since its accept has no addresses: it is passed over. */
  #asConn(so: So, peer: SockAddr): C | undefined {
    try {
      return this.#connOf(so, peer);
    } catch (error) {
      release(so);
      if (error instanceof SocketError) return undefined;
      throw error;
    }
  }
}

/** A listening TCP socket. */
export class Listener extends StreamListener<TcpConn> {
  /** The address it listens on. */
  readonly addr: NetAddr & { transport: "tcp" };

  /** Made by `stack.listen`. */
  constructor(so: So) {
    super(so, (so, peer) => new TcpConn(so, socketName(so), peer));
    this.addr = { ...netAddr("tcp", socketName(so)), transport: "tcp" };
  }
}
