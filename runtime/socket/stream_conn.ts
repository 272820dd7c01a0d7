/**
 * Connections that carry a stream of bytes, in the shape of `Deno.Conn`, whatever their addresses.
 *
 * Errors are `SocketError`s; their `name` is the one Deno uses (`ConnectionReset`, `BrokenPipe`,
 * `BadResource` after close, ...), but they are no instances of Deno's classes.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Msg, Shut } from "../../assembly/abi/socket.ts";
import { tryShutdown } from "./calls.ts";
import { SocketHandle } from "./handle.ts";
import * as place from "./in_place.ts";
import type { So } from "./so.ts";
import { check, receive, writeAll } from "./so_wait.ts";
import { readableOf, writableOf } from "./streams.ts";

/** A connection. What was written before `close` is still sent. */
export abstract class StreamConn extends SocketHandle {
  readonly #so: So;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined = undefined;
  #writable: WritableStream<Uint8Array> | undefined = undefined;

  /** A connection of `so`. */
  constructor(so: So) {
    super(so);
    this.#so = so;
  }

  /** Reads into `buffer`; answers how many bytes, `null` when the peer has ended the stream. */
  async read(buffer: Uint8Array): Promise<number | null> {
    const so = this.#so;
    const first = so.tryRecv(buffer, 0, buffer.length, 0, 0);
    if (first > 0) return first;
    const attempt = (flags: number) => so.tryRecv(buffer, 0, buffer.length, flags, 0);
    const got = check(await receive(so, first, 0, undefined, attempt), "read");
    return got === 0 && buffer.length > 0 ? null : got;
  }

  /** Reads what is there without waiting: `undefined` if there is nothing yet. */
  tryRead(buffer: Uint8Array): number | null | undefined {
    const got = this.#so.tryRecv(buffer, 0, buffer.length, Msg.DONTWAIT, 0);
    if (got > 0) return got;
    if (got === 0) return buffer.length > 0 ? null : 0;
    return wouldBlock(got, "read");
  }

  /**
   * Writes all of `data`, waiting for room; answers its length. Of several writes at once, each is
   * whole before the next begins.
   */
  write(data: Uint8Array): Promise<number> {
    return writeAll(this.#so, data);
  }

  /** Writes what there is room for without waiting; answers how many bytes. */
  tryWrite(data: Uint8Array): number {
    const sent = this.#so.trySend(data, 0, data.length, Msg.DONTWAIT, 0);
    return sent >= 0 ? sent : wouldBlock(sent, "write") ?? 0;
  }

  /**
   * Waits for data and shows what has come in one piece, without a copy: a view of the engine's
   * memory, `null` when the peer has ended the stream. The bytes stay, and the view holds, until
   * they are released, read or the connection is closed; asked again, it shows the same.
   */
  async peek(): Promise<Uint8Array<ArrayBuffer> | null> {
    const view = await place.peek(this.#so);
    return view.length === 0 ? null : view;
  }

  /** Shows what is there without waiting: `undefined` if there is nothing yet. */
  tryPeek(): Uint8Array<ArrayBuffer> | null | undefined {
    const view = place.tryPeek(this.#so);
    if (typeof view === "number") return wouldBlock(view, "peek");
    return view.length === 0 ? null : view;
  }

  /** Takes the first `length` of the bytes shown out of the stream. EINVAL for more than those. */
  release(length: number): void {
    place.release(this.#so, length);
  }

  /**
   * Waits for room to send and lends it: a view of the engine's memory of at most `length` bytes,
   * and never more than one mbuf holds, 2,048. {@link commit} sends what is put there. The view
   * holds until then, until room is lent again, or until the connection is closed.
   */
  reserve(length: number): Promise<Uint8Array<ArrayBuffer>> {
    return place.reserve(this.#so, length);
  }

  /** Lends room without waiting: `undefined` if there is none now. */
  tryReserve(length: number): Uint8Array<ArrayBuffer> | undefined {
    const view = place.tryReserve(this.#so, length);
    return typeof view === "number" ? wouldBlock(view, "reserve") : view;
  }

  /**
   * Sends the first `length` bytes of the room lent, and answers how many: all of them, or none if
   * other calls have meanwhile filled the stream; the room then stays lent. `commit(0)` gives it
   * back unused. EINVAL for more than was lent.
   */
  commit(length: number): number {
    const sent = place.tryCommit(this.#so, length, 0);
    return sent >= 0 ? sent : wouldBlock(sent, "commit") ?? 0;
  }

  /** Ends the sending direction: the peer reads to the end of the stream. */
  // deno-lint-ignore require-await
  async closeWrite(): Promise<void> {
    check(tryShutdown(this.#so, Shut.WR), "shutdown");
  }

  /** What is received, as a byte stream. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this.#so);
  }

  /** What is sent, as a stream; closing it ends the sending direction only. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this.#so);
  }
}

const EAGAIN = -Errno.EAGAIN;

/** `undefined` for EAGAIN; throws other errors. */
function wouldBlock(result: number, syscall: string): undefined {
  if (result !== EAGAIN) check(result, syscall);
}
