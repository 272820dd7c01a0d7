/**
 * A program's connection to a stack in another thread: the stack's system calls, as promises or
 * blocking the thread.
 *
 * ```ts ignore
 * import { Af, connectStack, Sock } from "@godwit/godwit/process/client";
 *
 * self.onmessage = async ({ data: handle }) => {
 *   using stack = await connectStack(handle);
 *   const { blocking } = stack;
 *   const fd = blocking.socket(Af.INET, Sock.STREAM);
 *   blocking.connect(fd, { address: "10.0.0.1", port: 7 }); // returns when the connection stands
 * };
 * ```
 *
 * This module does not load the engine.
 *
 * @module
 */

import { BlockingCalls } from "./blocking_calls.ts";
import { Link } from "./link.ts";
import { holdLock, watchLock } from "./locks.ts";
import type { Begin } from "./program.ts";
import { PromiseCalls } from "./promise_calls.ts";
import { Presence, type RingHandle, RingMemory, Word } from "./ring.ts";
import * as scripts from "./scripts.ts";
import { Transfers } from "./transfers.ts";

export { SocketError } from "../errors.ts";
export { Errno } from "../../assembly/abi/errno.ts";
export { Sioc } from "../../assembly/abi/ifnet.ts";
export { IpProto } from "../../assembly/abi/proto.ts";
export { Af, IpOpt, Msg, Shut, So, Sock, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
export { F_GETFL, F_SETFL, O_NONBLOCK, O_RDWR } from "../socket/constants.ts";
export { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI } from "../socket/constants.ts";
export type { PollFd, SelectResult, SelectSets } from "../socket/select.ts";
export type { IfRequest, IfStatistics, RouteRequest } from "../socket/ioctl.ts";
export type { ControlMessage, RecvHeader, SendHeader } from "../socket/message.ts";
export type { Accepted, Received } from "../socket/nonblocking.ts";
export type { Linger, Membership, OptionValue } from "../socket/options.ts";
export type { FileReader, SendFileParams } from "../socket/send_file.ts";
export type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
export type { WaitOptions } from "../socket/so_wait.ts";
export type { TcpInfo } from "../socket/tcp_info.ts";
export type { BlockingCalls } from "./blocking_calls.ts";
export type { PromiseCalls } from "./promise_calls.ts";
export type { RingHandle } from "./ring.ts";

/** How a program connects. */
export interface ConnectStackOptions {
  /**
   * How long to look for an answer before the thread sleeps, in µs; 20 unless told. Where looking
   * is of no use it is left out.
   */
  readonly spin_us?: number;
  /**
   * A call that blocks gives up when the stack's thread has shown no sign of life for so long; it
   * shows one a second. 10 seconds unless told.
   */
  readonly silence_ms?: number;
}

/** A stack in another thread. */
export class StackClient implements Disposable {
  /** System calls that are awaited. */
  readonly sys: PromiseCalls;
  /** System calls that block the thread. */
  readonly blocking: BlockingCalls;
  readonly #link: Link;
  readonly #release: () => void;

  /** Made by {@link connectStack}. */
  constructor(link: Link, release: () => void) {
    this.#link = link;
    this.#release = release;
    const transfers = new Transfers();
    this.sys = new PromiseCalls(link, transfers);
    this.blocking = new BlockingCalls(link, transfers);
  }

  /** True once the connection has ended: by `close`, or because the stack's side has gone. */
  get closed(): boolean {
    return this.#link.closed;
  }

  /** Ends the connection. All sockets are closed, and who waits gets ENETDOWN. */
  close(): void {
    this.#link.end();
    this.#release();
  }

  /** Closes. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Connects to a stack, with the handle that `SyscallServer.open` has made, or with a port through
 * which `SyscallServer.serve` sends it.
 *
 * @throws SocketError ENETDOWN if the stack's side has ended
 */
export async function connectStack(
  from: RingHandle | MessagePort,
  options: ConnectStackOptions = {},
): Promise<StackClient> {
  const handle = "buffer" in from ? from : await receiveHandle(from);
  const { words } = new RingMemory(handle);
  const release = await holdLock(handle.clientLock);
  const { spin_us = 20, silence_ms = 10_000 } = options;
  const link = new Link(handle, { spin_us, silence_ms });
  const unwatch = watchLock(handle.serverLock, () => link.end("the stack's thread has ended"));
  const client = new StackClient(link, () => {
    unwatch();
    release?.();
  });
  Atomics.store(words, Word.PRESENCE, release ? Presence.LOCKED : Presence.UNLOCKED);
  try {
    await link.run(scripts.hello().next().value as never);
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

/** What a program in a `ProgramWorker` begins with. */
export interface Program {
  /** Its stack. */
  readonly stack: StackClient;
  /** What else it was given. */
  readonly data: unknown;
}

/** In a `ProgramWorker`: connects to the stack. To be called once, and at once. */
export async function program(options: ConnectStackOptions = {}): Promise<Program> {
  const self = globalThis as unknown as Pick<Worker, "addEventListener" | "removeEventListener">;
  const { godwitProgram, data } = await new Promise<Begin>((resolve) => {
    const heard = ({ data }: MessageEvent<Begin>) => {
      if (data?.godwitProgram === undefined) return;
      self.removeEventListener("message", heard);
      resolve(data);
    };
    self.addEventListener("message", heard);
  });
  return { stack: await connectStack(godwitProgram, options), data };
}

function receiveHandle(port: MessagePort): Promise<RingHandle> {
  return new Promise((resolve) => {
    const heard = ({ data }: MessageEvent) => {
      if (!(data?.buffer instanceof SharedArrayBuffer)) return;
      port.removeEventListener("message", heard);
      resolve(data);
    };
    port.addEventListener("message", heard);
    port.start();
  });
}
