/**
 * Descriptors: small numbers for sockets, the lowest free one first. 0 to 2 are taken, as in a
 * process: they are open, but no sockets.
 *
 * A descriptor is a number in a table outside of JavaScript's heap. Its {@link So} is made when
 * somebody first uses the descriptor: of a million connections that were accepted and then left
 * alone, the garbage collector knows nothing.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { LowestFree } from "./lowest_free.ts";
import { So, type SocketLayer } from "./so.ts";

/** Descriptors that are open and no sockets: standard input, output and error. */
const RESERVED = 3;
/** Descriptors of one stack unless told otherwise; the limit of AIX (OPEN_MAX). */
export const DESCRIPTORS = 65534;
/** What the field Socket.fd holds while there is no descriptor. */
const NO_FD = 0xffffffff;
/** The tables grow by pieces, so that nothing large is ever copied: descriptors in one of them. */
const PIECE_BITS = 10;
const PIECE = 1 << PIECE_BITS;
/** A piece in which nothing was made yet. */
const NOTHING: (So | undefined)[] = [];

/** The descriptors of a stack. */
export class FdTable {
  readonly #limit: number;
  /** Addresses of the sockets by descriptor, 0 where there is none. */
  readonly #addresses: Uint32Array<ArrayBuffer>[] = [];
  /** What was made for them. */
  readonly #made: (So | undefined)[][] = [];
  /** Sockets whose descriptor was closed while data was still to be sent (SO_LINGER). */
  readonly #lingering = new Map<number, So>();
  readonly #free = new LowestFree(RESERVED);
  /** Further descriptors of sockets, by address; most sockets have one, which the engine knows. */
  readonly #aliases = new Map<number, number[]>();
  /** Descriptors of calls that wait, which the program does not know. */
  readonly ofCalls: Set<number> = new Set();
  #layer: SocketLayer | undefined = undefined;
  #open = 0;
  #closed = false;

  /** @param limit how many descriptors there may be, the reserved ones included */
  constructor(limit: number = DESCRIPTORS) {
    if (!Number.isInteger(limit) || limit <= RESERVED) {
      throw new RangeError(`descriptors must be more than ${RESERVED}, not ${limit}`);
    }
    this.#limit = limit;
  }

  /** Tells the table whose descriptors it has; before the first one. */
  begin(layer: SocketLayer): void {
    this.#layer = layer;
  }

  /** How many sockets have a descriptor. */
  get open(): number {
    return this.#open;
  }

  /** From now on there are no new descriptors. */
  close(): void {
    this.#closed = true;
  }

  /** Descriptors that are free. */
  get left(): number {
    return Math.max(0, this.#limit - RESERVED - this.#open);
  }

  /** True if no descriptor is free. */
  get full(): boolean {
    return this.left === 0;
  }

  /** Throws `SocketError` EMFILE if no descriptor is free, ENETDOWN if the stack is closed. */
  reserve(syscall: string): void {
    if (this.#closed) throw new SocketError(Errno.ENETDOWN, syscall, "the stack is closed");
    if (this.full) throw new SocketError(Errno.EMFILE, syscall);
  }

  /** Gives the socket at an address the lowest free descriptor; call {@link reserve} before. */
  add(ptr: number): number {
    return this.#set(ptr, this.#free.take());
  }

  /** Gives the socket this descriptor, which is higher than all there were before. */
  put(ptr: number, fd: number): number {
    this.#free.claim(fd);
    return this.#set(ptr, fd);
  }

  #set(ptr: number, fd: number): number {
    this.#enter(ptr, fd);
    field.setU32(this.#layer!.engine, ptr, layout.Socket.fd, fd);
    return fd;
  }

  #enter(ptr: number, fd: number): void {
    while (this.#addresses.length <= fd >>> PIECE_BITS) {
      this.#addresses.push(new Uint32Array(PIECE));
      this.#made.push(NOTHING);
    }
    this.#addresses[fd >>> PIECE_BITS][fd & (PIECE - 1)] = ptr;
    this.#open++;
  }

  /** Gives a socket that has a descriptor another one; call {@link reserve} before. */
  alias(ptr: number): number {
    return this.#share(ptr, this.#free.take());
  }

  /** The same, with this descriptor, which is higher than all there were before. */
  putAlias(ptr: number, fd: number): number {
    this.#free.claim(fd);
    return this.#share(ptr, fd);
  }

  #share(ptr: number, fd: number): number {
    const fds = this.#aliases.get(ptr);
    if (fds === undefined) this.#aliases.set(ptr, [fd]);
    else fds.push(fd);
    this.#enter(ptr, fd);
    return fd;
  }

  /** Further descriptors with the addresses of their sockets. */
  aliases(): [fd: number, ptr: number][] {
    return [...this.#aliases].flatMap(([ptr, fds]) => fds.map((fd): [number, number] => [fd, ptr]));
  }

  /** What a snapshot needs to know beside the engine's memory. */
  save(): { aliases: [fd: number, ptr: number][]; ofCalls: number[] } {
    return { aliases: this.aliases(), ofCalls: [...this.ofCalls] };
  }

  /** Frees a descriptor whose socket has another one; else does nothing and answers false. */
  drop(fd: number): boolean {
    const ptr = this.#address(fd);
    const fds = this.#aliases.get(ptr);
    if (fds === undefined) return false;
    const { engine } = this.#layer!;
    const at = fds.indexOf(fd);
    const heir = at >= 0 ? fds.splice(at, 1)[0] : fds.shift()!;
    if (fds.length === 0) this.#aliases.delete(ptr);
    if (at < 0) {
      // the engine knows the one that is freed: another takes its place
      const so = this.get(fd, "close");
      this.#made[fd >>> PIECE_BITS][fd & (PIECE - 1)] = undefined;
      so.fd = heir;
      this.#keep(so, heir);
      field.setU32(engine, ptr, layout.Socket.fd, heir);
    }
    this.#giveBack(fd);
    return true;
  }

  /** The socket behind a descriptor; throws `SocketError` EBADF or ENOTSOCK. */
  get(fd: number, syscall: string): So {
    const so = this.#made[fd >>> PIECE_BITS]?.[fd & (PIECE - 1)];
    // What is no number of a descriptor may look like one in its lower bits.
    return so !== undefined && so.fd === fd ? so : this.#make(fd, syscall);
  }

  #make(fd: number, syscall: string): So {
    const ptr = this.#address(fd);
    if (ptr === 0) {
      const reserved = Number.isInteger(fd) && fd >= 0 && fd < RESERVED;
      throw new SocketError(reserved ? Errno.ENOTSOCK : Errno.EBADF, syscall, `descriptor ${fd}`);
    }
    const known = field.getU32(this.#layer!.engine, ptr, layout.Socket.fd);
    if (known !== fd) return this.get(known, syscall);
    return this.#keep(new So(this.#layer!, ptr, fd), fd);
  }

  #keep(so: So, fd: number): So {
    const piece = fd >>> PIECE_BITS;
    if (this.#made[piece] === NOTHING) this.#made[piece] = new Array(PIECE).fill(undefined);
    return this.#made[piece][fd & (PIECE - 1)] = so;
  }

  /** Address of the socket behind what may be a descriptor; 0 if it is none. */
  #address(fd: number): number {
    if (!Number.isInteger(fd) || fd < 0 || fd >= this.#addresses.length << PIECE_BITS) return 0;
    return this.#addresses[fd >>> PIECE_BITS][fd & (PIECE - 1)];
  }

  /** Frees a descriptor; events of the socket still find it if it lingers. */
  remove(so: So, lingers: boolean): void {
    const { fd, ptr } = so;
    this.#made[fd >>> PIECE_BITS][fd & (PIECE - 1)] = undefined;
    this.#clear(ptr, fd);
    if (lingers) this.#lingering.set(ptr, so);
  }

  #clear(ptr: number, fd: number): void {
    this.#giveBack(fd);
    field.setU32(this.#layer!.engine, ptr, layout.Socket.fd, NO_FD);
  }

  #giveBack(fd: number): void {
    this.#addresses[fd >>> PIECE_BITS][fd & (PIECE - 1)] = 0;
    this.#open--;
    this.#free.giveBack(fd);
  }

  /** Forgets a socket that has lingered. */
  lingered(so: So): void {
    this.#lingering.delete(so.ptr);
  }

  /** The socket at an address in the engine, if somebody has used its descriptor or it lingers. */
  byPtr(ptr: number): So | undefined {
    const fd = field.getU32(this.#layer!.engine, ptr, layout.Socket.fd);
    const so = this.#made[fd >>> PIECE_BITS]?.[fd & (PIECE - 1)];
    return so !== undefined && so.ptr === ptr ? so : this.#lingering.get(ptr);
  }

  /** All sockets whose descriptor somebody has used, and those that linger. */
  *used(): Generator<So> {
    for (const piece of this.#made) {
      for (const so of piece) if (so !== undefined) yield so;
    }
    yield* this.#lingering.values();
  }

  /** Frees the descriptors that nobody has used, each the only one of its socket; answers these. */
  *takeUnused(): Generator<number> {
    for (let fd = RESERVED; fd < this.#addresses.length << PIECE_BITS; fd++) {
      const ptr = this.#address(fd);
      if (ptr === 0 || this.#made[fd >>> PIECE_BITS][fd & (PIECE - 1)] !== undefined) continue;
      this.#clear(ptr, fd);
      yield ptr;
    }
  }
}
