/**
 * Listening TCP sockets in the shape of `Deno.TcpListener`.
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
export class Listener extends SocketHandle implements AsyncIterable<TcpConn> {
  /** The address it listens on. */
  readonly addr: NetAddr & { transport: "tcp" };
  readonly #so: So;

  /** Made by `stack.listen`. */
  constructor(so: So) {
    super(so);
    this.#so = so;
    this.addr = { ...netAddr("tcp", socketName(so)), transport: "tcp" };
  }

  /** Waits for a connection. `SocketError` EBADF (`BadResource`) once the listener is closed. */
  async accept(): Promise<TcpConn> {
    const so = this.#so;
    for (;;) {
      let taken: AcceptedSocket | undefined;
      const attempt = () => tryAccept(so, (it) => taken = it);
      check(await receive(so, attempt(), 0, undefined, attempt), "accept");
      const conn = asConn(so.layer.table.get(taken!.fd, "accept"), taken!.peer);
      if (conn !== undefined) return conn;
    }
  }

  /**
   * Connections as they come, until the listener is closed. A loop that is left early closes it, as
   * in Deno.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<TcpConn> {
    for (;;) {
      let conn: TcpConn;
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
}

/** A connection that was reset between its accept and here has no addresses: it is passed over. */
function asConn(so: So, peer: SockAddr): TcpConn | undefined {
  try {
    return new TcpConn(so, socketName(so), peer);
  } catch (error) {
    release(so);
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}
