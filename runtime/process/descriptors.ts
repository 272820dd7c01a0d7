/**
 * The descriptors of one program: numbers of its own, the lowest free one first, each for a
 * descriptor of the stack. What another program has opened has no number here.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { LowestFree } from "../socket/lowest_free.ts";

/** Numbers that are open, but no sockets: as in a process. */
const RESERVED = 3;

/** Throws `RangeError` for a limit that cannot be. */
export function checkDescriptors(limit: number): void {
  if (Number.isInteger(limit) && limit > RESERVED) return;
  throw new RangeError(`descriptors must be more than ${RESERVED}, not ${limit}`);
}

/** The descriptors of a program. */
export class Descriptors {
  readonly #limit: number;
  readonly #free = new LowestFree(RESERVED);
  /** Descriptors of the stack by number. */
  readonly #inner = new Map<number, number>();
  /** Numbers that calls under way may need. */
  #promised = 0;

  /** @param limit how many there may be, the reserved ones included */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#inner.size;
  }

  /** Keeps a number for a call that may make a socket; throws `SocketError` EMFILE. */
  promise(syscall: string): void {
    const used = this.#inner.size + this.#promised + RESERVED;
    if (used >= this.#limit) throw new SocketError(Errno.EMFILE, syscall);
    this.#promised++;
  }

  /** The call has made none. */
  renounce(): void {
    this.#promised--;
  }

  /** The call has made one: gives it the lowest free number. */
  add(inner: number): number {
    this.#promised--;
    const fd = this.#free.take();
    this.#inner.set(fd, inner);
    return fd;
  }

  /** The stack's descriptor for a number; throws `SocketError` EBADF or ENOTSOCK. */
  get(fd: number, syscall: string): number {
    const inner = this.#inner.get(fd);
    if (inner !== undefined) return inner;
    const reserved = Number.isInteger(fd) && fd >= 0 && fd < RESERVED;
    throw new SocketError(reserved ? Errno.ENOTSOCK : Errno.EBADF, syscall, `descriptor ${fd}`);
  }

  /** The same; `undefined` if there is none. */
  find(fd: number): number | undefined {
    return this.#inner.get(fd);
  }

  /** Frees a number; answers the stack's descriptor. Throws as {@link get} does. */
  remove(fd: number, syscall: string): number {
    const inner = this.get(fd, syscall);
    this.#inner.delete(fd);
    this.#free.giveBack(fd);
    return inner;
  }

  /** Frees all numbers; answers the stack's descriptors. */
  clear(): number[] {
    const all = [...this.#inner.values()];
    for (const fd of this.#inner.keys()) this.#free.giveBack(fd);
    this.#inner.clear();
    return all;
  }
}
