/**
 * All programs of one host: listeners, and the ends of connections.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, So, Sock, Sol } from "../assembly/abi/socket.ts";
import { SocketError } from "../runtime/errors.ts";
import { POLLIN } from "../runtime/socket/select.ts";
import type { End } from "./end.ts";
import type { Node, Program } from "./node.ts";
import type { ListenerSpec } from "./plan.ts";
import type { World } from "./world.ts";

interface Listening {
  readonly spec: ListenerSpec;
  readonly fd: number;
  from_us: number;
}

/** Finds out whose connection has come: by the peer's address and port and the local port. */
export type Claim = (address: string, port: number, localPort: number) => End;

/** The programs of a host. */
export class HostProgram implements Program {
  readonly #ends: End[] = [];
  readonly #listeners: Listening[] = [];

  /** `claim` answers the end that an accepted connection belongs to. */
  constructor(readonly world: World, readonly node: Node, readonly claim: Claim) {}

  /** Opens a listening socket. */
  listen(spec: ListenerSpec): void {
    const { sys } = this.node.stack;
    const fd = sys.socket(Af.INET, Sock.STREAM);
    sys.setsockopt(fd, Sol.SOCKET, So.REUSEADDR, true);
    for (const [level, name, value] of spec.options) sys.setsockopt(fd, level, name, value);
    sys.bind(fd, { port: spec.port });
    sys.listen(fd, spec.backlog);
    this.#listeners.push({ spec, fd, from_us: 0 });
    this.node.dirty = true;
  }

  /** Adds an end of a connection. */
  add(end: End): void {
    this.#ends.push(end);
    this.node.dirty = true;
  }

  /** Lets all of them do what can be done. */
  work(): void {
    for (const listening of this.#listeners) this.#accept(listening);
    for (const end of this.#ends) end.work();
  }

  #accept(listening: Listening): void {
    const { world } = this;
    const { sys } = this.node.stack;
    while (listening.from_us <= world.now_us) {
      const entry = { fd: listening.fd, events: POLLIN, revents: 0 };
      if (sys.nb.poll([entry]) === 0) return;
      let accepted;
      try {
        accepted = sys.nb.accept(listening.fd);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        // The connection was reset while it waited in the queue.
        if (error.errno === Errno.ECONNABORTED) continue;
        if (error.errno === Errno.EAGAIN) return;
        throw error;
      }
      const { address, port } = accepted.address;
      const end = this.claim(address, port, listening.spec.port);
      end.accepted(accepted.fd);
      if (end.ghost) end.reset("aborted");
      else this.add(end);
      if (listening.spec.pause_us === 0) continue;
      listening.from_us = world.now_us + listening.spec.pause_us;
      world.at(listening.from_us, () => this.node.dirty = true);
    }
  }

  /** Closes the listening sockets. */
  close(): void {
    for (const { fd } of this.#listeners.splice(0)) this.node.stack.sys.nb.close(fd);
    this.node.dirty = true;
  }
}
