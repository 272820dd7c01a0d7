/**
 * A socket as the runtime holds it: the engine's socket behind it, and calls that never wait. They
 * answer what the engine answers, a result `>= 0` or a negated error number; waiting and throwing
 * are built on top (`so_wait.ts`).
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Msg, So as Opt, Sock, Sol, Ss } from "../../assembly/abi/socket.ts";
import { type Engine, STAGING_BYTES } from "../engine.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { FdTable } from "./fd_table.ts";
import type { InPlace } from "./in_place.ts";
import type { Wait, Waitable } from "./wait.ts";
import type { Waits } from "./waits.ts";

/** What the sockets of a stack share. */
export interface SocketLayer {
  /** The engine they live in. */
  readonly engine: Engine;
  /** Those who wait on them. */
  readonly waits: Waits;
  /** Their descriptors. */
  readonly table: FdTable;
  /** Loads the domain of a family if it is one of those that are loaded when they are wanted. */
  demand(family: number): boolean;
}

/** Up to this many bytes a loop is faster than a view. */
const COPY_LOOP_BYTES = 24;
/** Flags that the runtime deals with itself. */
const OWN_FLAGS = Msg.WAITALL | Msg.WAITFORONE | Msg.NOSIGNAL;

/** What most sockets have for senders: an empty list that is never changed. */
const NOBODY: object[] = [];

/** A socket with a descriptor. */
export class So implements Waitable {
  /** Address of its struct Socket in the engine. */
  readonly ptr: number;
  /** The stack it belongs to. */
  readonly layer: SocketLayer;
  /** Its descriptor; -1 once it is closed. */
  fd: number;
  /** First of those that wait on it. */
  waiters: Wait | undefined = undefined;
  /** True if waiting on it keeps the process alive. */
  refd = true;
  /** True for a byte stream; messages otherwise. */
  readonly stream: boolean;
  /** Those who wait for room in the stream, in the order of their calls. */
  senders: object[] = NOBODY;
  /** The one of them who is trying now. */
  sender: object | undefined = undefined;
  /** What the program holds of its memory; nothing for most sockets. */
  place: InPlace | undefined = undefined;
  /** An error that came after part of the data was moved: the next call answers it. */
  deferred = 0;
  readonly #engine: Engine;

  /** Made by the table, for the engine's socket at `ptr` with the descriptor `fd`. */
  constructor(layer: SocketLayer, ptr: number, fd: number) {
    this.layer = layer;
    this.ptr = ptr;
    this.#engine = layer.engine;
    this.stream = field.getU16(this.#engine, ptr, layout.Socket.type) === Sock.STREAM;
    this.fd = fd;
  }

  /** State bits, an `Ss`. */
  get state(): number {
    return field.getU32(this.#engine, this.ptr, layout.Socket.state);
  }

  /** Address family, an `Af`. */
  get family(): number {
    return field.getU16(this.#engine, this.ptr, layout.Socket.family);
  }

  /** True if O_NONBLOCK is set. */
  get nonblocking(): boolean {
    return (this.state & Ss.NBIO) !== 0;
  }

  set nonblocking(on: boolean) {
    const state = on ? this.state | Ss.NBIO : this.state & ~Ss.NBIO;
    field.setU32(this.#engine, this.ptr, layout.Socket.state, state);
  }

  /** SO_RCVTIMEO in microseconds, 0 for none. */
  get rcvtimeo_us(): number {
    return this.#engine.view.getFloat64(this.ptr + layout.Socket.rcvtimeo_us, true);
  }

  /** SO_SNDTIMEO in microseconds, 0 for none. */
  get sndtimeo_us(): number {
    return this.#engine.view.getFloat64(this.ptr + layout.Socket.sndtimeo_us, true);
  }

  /** Bytes that wait to be sent or acknowledged. */
  get unsent(): number {
    return field.getU32(this.#engine, this.ptr, layout.Socket.snd_cc);
  }

  /**
   * Sends bytes of `data` from `offset` on, to the SockAddr at `nam` if that is not 0. A stream may
   * take fewer than asked for.
   */
  trySend(data: Uint8Array, offset: number, length: number, flags: number, nam: number): number {
    if (this.deferred !== 0 || this.fd < 0) return this.refusal();
    const engine = this.#engine;
    const { calls, staging } = engine;
    // A buffer can be moved away or cut while a send waits for room.
    if (!(data instanceof Uint8Array) || data.length < offset + length) return -Errno.EFAULT;
    // Nobody gets in between the parts of what another one sends.
    if (this.senders[0] !== this.sender) return -Errno.EAGAIN;
    const lower = flags & ~OWN_FLAGS;
    this.layer.waits.scheduler.enter();
    if (length <= STAGING_BYTES) {
      copyIn(engine, data, offset, length, 0);
      const sent = calls.so_send(this.ptr, staging, length, lower, nam);
      if (this.stream) this.layer.waits.scheduler.sent();
      else this.layer.waits.scheduler.posted(length);
      return sent;
    }
    if (!this.stream) return -Errno.EMSGSIZE;
    let done = 0;
    while (done < length) {
      const part = Math.min(length - done, STAGING_BYTES);
      copyIn(engine, data, offset + done, part, 0);
      const partFlags = done + part < length ? partFlagsOf(lower) : lower;
      const sent = calls.so_send(this.ptr, staging, part, partFlags, nam);
      if (sent < 0) {
        if (done === 0) return sent;
        this.defer(sent);
        break;
      }
      done += sent;
      if (sent < part) break;
    }
    this.layer.waits.scheduler.sent();
    return done;
  }

  /** Sends the first `length` bytes of the staging area as one message. */
  trySendStaged(length: number, flags: number, nam: number): number {
    if (this.deferred !== 0 || this.fd < 0) return this.refusal();
    if (this.senders[0] !== this.sender) return -Errno.EAGAIN;
    const { calls, staging } = this.#engine;
    this.layer.waits.scheduler.enter();
    const sent = calls.so_send(this.ptr, staging, length, flags & ~OWN_FLAGS, nam);
    this.layer.waits.scheduler.sent();
    return sent;
  }

  /**
   * Receives up to `length` bytes into `buffer` from `offset` on, the sender at `nam` if that is
   * not 0.
   */
  tryRecv(buffer: Uint8Array, offset: number, length: number, flags: number, nam: number): number {
    const got = this.tryRecvStaged(Math.min(length, STAGING_BYTES), flags, nam);
    if (got <= 0) return got;
    copyOut(this.#engine, buffer, offset, got);
    if (got < STAGING_BYTES || length === got || !this.stream || flags & Msg.PEEK) return got;
    let done = got;
    while (done < length) {
      const part = Math.min(length - done, STAGING_BYTES);
      const more = this.tryRecvStaged(part, flags, 0);
      if (more < 0) this.defer(more);
      if (more <= 0) break;
      copyOut(this.#engine, buffer, offset + done, more);
      done += more;
      if (more < part) break;
    }
    return done;
  }

  /** Receives up to `length` bytes into the staging area. */
  tryRecvStaged(length: number, flags: number, nam: number): number {
    if (this.deferred !== 0 || this.fd < 0) return this.refusal();
    if (this.place !== undefined && (flags & Msg.PEEK) === 0) this.place.shown = 0;
    // A program that has no room for a byte of a stream does not wait for one.
    if (length === 0 && this.stream && (flags & Msg.OOB) === 0) return 0;
    if (this.stream && (flags & Msg.OOB) === 0 && this.#empty) return -Errno.EAGAIN;
    const { calls, staging } = this.#engine;
    // Receiving may send a window update; the time of the last turn is good enough for that.
    const got = calls.so_recv(this.ptr, staging, length, flags & ~OWN_FLAGS, nam);
    if (got >= 0) this.layer.waits.scheduler.touch();
    return got;
  }

  /** Somebody waits for room in the stream; once is enough. */
  addSender(sender: object): void {
    if (this.senders === NOBODY) this.senders = [sender];
    else if (!this.senders.includes(sender)) this.senders.push(sender);
  }

  /** Somebody waits no more. */
  removeSender(sender: object): void {
    const at = this.senders.indexOf(sender);
    if (at >= 0) this.senders.splice(at, 1);
    if (this.senders.length === 0) this.senders = NOBODY;
  }

  /** True if nothing has come on a connection that stands, so that the engine need not be asked. */
  get #empty(): boolean {
    const { u32 } = this.#engine;
    const { ptr } = this;
    if (u32[(ptr + layout.Socket.rcv_cc) >>> 2] !== 0) return false;
    if (u32[(ptr + layout.Socket.error) >>> 2] !== 0) return false;
    const state = u32[(ptr + layout.Socket.state) >>> 2];
    return (state & (Ss.ISCONNECTED | Ss.CANTRCVMORE)) === Ss.ISCONNECTED;
  }

  /** True if this listens and has nothing to accept, so that the engine need not be asked. */
  get idle(): boolean {
    const { u32 } = this.#engine;
    const { ptr } = this;
    if (u32[(ptr + layout.Socket.q) >>> 2] !== 0) return false;
    if (u32[(ptr + layout.Socket.error) >>> 2] !== 0) return false;
    if ((u32[(ptr + layout.Socket.state) >>> 2] & Ss.CANTRCVMORE) !== 0) return false;
    return (u32[(ptr + layout.Socket.options) >>> 2] & Opt.ACCEPTCONN) !== 0;
  }

  /** Takes the pending error of the socket: a positive number, or 0. */
  takeError(): number {
    const { calls, scratch, u32 } = this.#engine;
    if (u32[(this.ptr + layout.Socket.error) >>> 2] === 0) return 0;
    const length = calls.so_getopt(this.ptr, Sol.SOCKET, Opt.ERROR, scratch, 4);
    return length === 4 ? u32[scratch >>> 2] : 0;
  }

  /**
   * Keeps the error in `result` for the next call; that data would block, or that there are no
   * mbufs at present, is no error to keep.
   */
  defer(result: number): void {
    if (result !== -Errno.EAGAIN && result !== -Errno.ENOBUFS) this.deferred = -result;
  }

  /** The error that was kept, or that the descriptor is closed and the engine's socket gone; 0. */
  refusal(): number {
    if (this.fd < 0) return -Errno.EBADF;
    const error = this.deferred;
    if (error === 0) return 0;
    this.deferred = 0;
    return -error;
  }

  /** The flags of a call that are the engine's business. */
  lower(flags: number): number {
    return flags & ~OWN_FLAGS;
  }
}

/** Flags for what is not the end of a write: that alone is urgent, or ends a record. */
export function partFlagsOf(flags: number): number {
  return (flags & ~(Msg.OOB | Msg.EOR)) | Msg.MORE;
}

/** Copies `length` bytes of `data` from `offset` on into the staging area at `at`. */
export function copyIn(
  engine: Engine,
  data: Uint8Array,
  offset: number,
  length: number,
  at: number,
): void {
  const { memory, staging } = engine;
  const to = staging + at;
  if (length <= COPY_LOOP_BYTES) {
    for (let i = 0; i < length; i++) memory[to + i] = data[offset + i];
  } else if (length === data.length) memory.set(data, to);
  else memory.set(data.subarray(offset, offset + length), to);
}

/** Copies the first `length` bytes of the staging area into `buffer` at `offset`. */
export function copyOut(
  engine: Engine,
  buffer: Uint8Array,
  offset: number,
  length: number,
): void {
  if (length <= COPY_LOOP_BYTES) {
    const { memory, staging } = engine;
    for (let i = 0; i < length; i++) buffer[offset + i] = memory[staging + i];
  } else buffer.set(engine.stagingView(length), offset);
}
