/**
 * Descriptors: small numbers for sockets, the lowest free one first. 0 to 2 are taken, as in a
 * process: they are open, but no sockets.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { LowestFree } from "./lowest_free.ts";
import type { So } from "./so.ts";

/** Descriptors that are open and no sockets: standard input, output and error. */
const RESERVED = 3;
/** Descriptors of one stack unless told otherwise; the limit of AIX (OPEN_MAX). */
export const DESCRIPTORS = 65534;
/** What the field Socket.fd holds while there is no descriptor. */
const NO_FD = 0xffffffff;

/** The descriptors of a stack. */
export class FdTable {
  readonly #engine: Engine;
  readonly #limit: number;
  readonly #sockets: (So | undefined)[] = new Array(RESERVED).fill(undefined);
  /** Sockets whose descriptor was closed while data was still to be sent (SO_LINGER). */
  readonly #lingering = new Map<number, So>();
  readonly #free = new LowestFree(RESERVED);
  #open = 0;
  #closed = false;

  /** @param limit how many descriptors there may be, the reserved ones included */
  constructor(engine: Engine, limit: number = DESCRIPTORS) {
    if (!Number.isInteger(limit) || limit <= RESERVED) {
      throw new RangeError(`descriptors must be more than ${RESERVED}, not ${limit}`);
    }
    this.#engine = engine;
    this.#limit = limit;
  }

  /** How many sockets have a descriptor. */
  get open(): number {
    return this.#open;
  }

  /** From now on there are no new descriptors. */
  close(): void {
    this.#closed = true;
  }

  /** Throws `SocketError` EMFILE if no descriptor is free, ENETDOWN if the stack is closed. */
  reserve(syscall: string): void {
    if (this.#closed) throw new SocketError(Errno.ENETDOWN, syscall, "the stack is closed");
    if (this.#open + RESERVED >= this.#limit) throw new SocketError(Errno.EMFILE, syscall);
  }

  /** Gives a socket the lowest free descriptor; call {@link reserve} before. */
  add(so: So): number {
    return this.#set(so, this.#free.take());
  }

  /** Gives a socket this descriptor, which is higher than all there were before. */
  put(so: So, fd: number): number {
    this.#free.claim(fd);
    return this.#set(so, fd);
  }

  #set(so: So, fd: number): number {
    this.#sockets[fd] = so;
    this.#open++;
    field.setU32(this.#engine, so.ptr, layout.Socket.fd, fd);
    return fd;
  }

  /** The socket behind a descriptor; throws `SocketError` EBADF or ENOTSOCK. */
  get(fd: number, syscall: string): So {
    const so = this.#sockets[fd];
    if (so !== undefined) return so;
    const reserved = Number.isInteger(fd) && fd >= 0 && fd < RESERVED;
    throw new SocketError(reserved ? Errno.ENOTSOCK : Errno.EBADF, syscall, `descriptor ${fd}`);
  }

  /** Frees a descriptor; events of the socket still find it if it lingers. */
  remove(fd: number, lingers: boolean): void {
    const so = this.#sockets[fd];
    if (so === undefined) return;
    this.#sockets[fd] = undefined;
    this.#open--;
    this.#free.giveBack(fd);
    field.setU32(this.#engine, so.ptr, layout.Socket.fd, NO_FD);
    if (lingers) this.#lingering.set(so.ptr, so);
  }

  /** Forgets a socket that has lingered. */
  lingered(so: So): void {
    this.#lingering.delete(so.ptr);
  }

  /** The socket at an address in the engine, if it has a descriptor or lingers. */
  byPtr(ptr: number): So | undefined {
    const so = this.#sockets[field.getU32(this.#engine, ptr, layout.Socket.fd)];
    return so !== undefined && so.ptr === ptr ? so : this.#lingering.get(ptr);
  }

  /** All sockets with a descriptor, and those that linger. */
  all(): So[] {
    return [...this.#sockets.filter((so) => so !== undefined), ...this.#lingering.values()];
  }
}
