/**
 * TCP connections in the shape of `Deno.TcpConn`.
 *
 * Errors are `SocketError`s; their `name` is the one Deno uses (`ConnectionReset`, `BrokenPipe`,
 * `BadResource` after close, ...), but they are no instances of Deno's classes.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, Shut, So as Opt, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { tryShutdown } from "./calls.ts";
import { SocketHandle } from "./handle.ts";
import { setOption } from "./options.ts";
import type { So } from "./so.ts";
import { check, receive, writeAll } from "./so_wait.ts";
import type { SockAddr } from "./sockaddr.ts";
import { readableOf, writableOf } from "./streams.ts";

/** An address in the shape of `Deno.NetAddr`. */
export interface NetAddr {
  /** Protocol. */
  transport: "tcp" | "udp";
  /** Numeric address. */
  hostname: string;
  /** Port. */
  port: number;
}

/** A socket address in the shape of Deno's. */
export function netAddr(transport: "tcp" | "udp", { address, port }: SockAddr): NetAddr {
  return { transport, hostname: address, port };
}

/** A TCP connection. What was written before `close` is still sent. */
export class TcpConn extends SocketHandle {
  /** Address of this end. */
  readonly localAddr: NetAddr & { transport: "tcp" };
  /** Address of the peer. */
  readonly remoteAddr: NetAddr & { transport: "tcp" };
  readonly #so: So;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined = undefined;
  #writable: WritableStream<Uint8Array> | undefined = undefined;

  /** Made by `stack.connect` and by listeners. */
  constructor(so: So, local: SockAddr, peer: SockAddr) {
    super(so);
    this.#so = so;
    this.localAddr = { ...netAddr("tcp", local), transport: "tcp" };
    this.remoteAddr = { ...netAddr("tcp", peer), transport: "tcp" };
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

  /** Sends small pieces at once instead of collecting them (TCP_NODELAY). */
  setNoDelay(noDelay = true): void {
    check(this.#so.fd < 0 ? EBADF : 0, "setsockopt");
    setOption(this.#so, IpProto.TCP, TcpOpt.NODELAY, noDelay);
  }

  /** Probes a silent peer (SO_KEEPALIVE). */
  setKeepAlive(keepAlive = true): void {
    check(this.#so.fd < 0 ? EBADF : 0, "setsockopt");
    setOption(this.#so, Sol.SOCKET, Opt.KEEPALIVE, keepAlive);
  }
}

/** Answers of the engine. */
const EBADF = -Errno.EBADF;
const EAGAIN = -Errno.EAGAIN;

/** `undefined` for EAGAIN; throws other errors. */
function wouldBlock(result: number, syscall: string): undefined {
  if (result !== EAGAIN) check(result, syscall);
}
