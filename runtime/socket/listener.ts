/**
 * Listening TCP sockets in the shape of `Deno.TcpListener`.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { type AcceptedSocket, socketName, tryAccept } from "./calls.ts";
import { type NetAddr, netAddr, TcpConn } from "./conn.ts";
import type { So } from "./so.ts";
import { check, receive, release } from "./so_wait.ts";

/** A listening socket. */
export class Listener implements Disposable, AsyncIterable<TcpConn> {
  /** The address it listens on. */
  readonly addr: NetAddr & { transport: "tcp" };
  readonly #so: So;

  /** Made by `stack.listen`. */
  constructor(so: So) {
    this.#so = so;
    this.addr = { ...netAddr("tcp", socketName(so)), transport: "tcp" };
  }

  /** Descriptor of its socket, for system calls; -1 once it is closed. */
  get fd(): number {
    return this.#so.fd;
  }

  /** Waits for a connection. `SocketError` EBADF (`BadResource`) once the listener is closed. */
  async accept(): Promise<TcpConn> {
    const so = this.#so;
    for (;;) {
      let taken: AcceptedSocket | undefined;
      const attempt = () => tryAccept(so, (it) => taken = it);
      check(await receive(so, attempt(), 0, undefined, attempt), "accept");
      const conn = asConn(taken!);
      if (conn !== undefined) return conn;
    }
  }

  /** Stops listening; connections that nobody has accepted are reset. */
  close(): void {
    release(this.#so);
  }

  /** Waiting for a connection keeps the process alive; it does unless told otherwise. */
  ref(): void {
    this.#so.layer.waits.setRef(this.#so, true);
  }

  /** Waiting for a connection does not keep the process alive. */
  unref(): void {
    this.#so.layer.waits.setRef(this.#so, false);
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

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A connection that was reset between its accept and here has no addresses: it is passed over. */
function asConn({ so, peer }: AcceptedSocket): TcpConn | undefined {
  try {
    return new TcpConn(so, socketName(so), peer);
  } catch (error) {
    release(so);
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}
