/**
 * What listeners, connections and datagram sockets in the shape of Deno's have in common.
 *
 * @module
 */

import type { So } from "./so.ts";
import { release } from "./so_wait.ts";

/** An open socket. */
export abstract class SocketHandle implements Disposable {
  readonly #so: So;

  /** A handle of `so`. */
  constructor(so: So) {
    this.#so = so;
  }

  /** Descriptor of its socket, for system calls; -1 once it is closed. */
  get fd(): number {
    return this.#so.fd;
  }

  /** Closes; those who wait get EBADF (`BadResource`). Closing again does nothing. */
  close(): void {
    release(this.#so);
  }

  /** Waiting on this socket keeps the process alive; it does unless told otherwise. */
  ref(): void {
    this.#so.layer.waits.setRef(this.#so, true);
  }

  /** Waiting on this socket does not keep the process alive. */
  unref(): void {
    this.#so.layer.waits.setRef(this.#so, false);
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}
