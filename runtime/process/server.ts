/**
 * A stack for programs in other threads: each gets a ring of calls in shared memory, through which
 * it uses the sockets of the stack as if it were in the stack's own thread.
 *
 * ```ts ignore
 * import { createStack } from "@godwit/godwit";
 * import { serveSyscalls } from "@godwit/godwit/process/server";
 *
 * const stack = await createStack();
 * const server = serveSyscalls(stack);
 * const worker = new Worker(new URL("./program.ts", import.meta.url), { type: "module" });
 * worker.postMessage(await server.open()); // there: connectStack(data)
 * ```
 *
 * The stack's side waits for no program, and believes none: it reads what a program says once,
 * checks it, and answers an error, or drops a program whose ring cannot be right. When a program
 * dies, or leaves, its sockets are closed.
 *
 * A stack made with `blocking: true` waits inside its device, and hears of calls only in between.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { Stack } from "../stack.ts";
import { checkDescriptors } from "./descriptors.ts";
import { holdLock, lockName } from "./locks.ts";
import { markLocal, unmarkLocal } from "./local.ts";
import { CALLS_MAX, ringBytes, type RingHandle } from "./ring.ts";
import { type Gone, ServedClient } from "./served_client.ts";

export { endRing, type RingHandle } from "./ring.ts";
export { type ProgramOptions, ProgramWorker } from "./program.ts";

/** How programs are served. */
export interface ServeOptions {
  /** Programs at a time; 64 unless told. */
  readonly clients?: number;
  /** Descriptors of each program, the three reserved ones included; 256 unless told. */
  readonly descriptors?: number;
  /** Calls of a program that may be under way; four for each of its descriptors unless told. */
  readonly calls?: number;
  /** Bytes of each program's arena, for the data of its calls; 4 MiB unless told. */
  readonly arenaBytes?: number;
  /**
   * Programs may change interfaces, routes and names of the host, and open raw sockets; else they
   * get EPERM.
   */
  readonly privileged?: boolean;
  /**
   * After a call, how long to look for the next one before sleeping, in µs; 50 unless told. Where
   * looking is of no use it is left out.
   */
  readonly poll_us?: number;
}

/** What a server has seen. */
export interface ServerStats {
  /** Programs that there are. */
  readonly clients: number;
  /** Calls carried out. */
  readonly calls: number;
  /** Calls with impossible arguments. */
  readonly faults: number;
  /** Programs that have closed their connection. */
  readonly closed: number;
  /** Programs whose death was seen. */
  readonly died: number;
  /** Programs that were dropped by {@link SyscallServer.drop}, or with the server. */
  readonly dropped: number;
  /** Programs that were dropped because what stood in their ring could not be. */
  readonly hostile: number;
}

/** One program. */
export interface ClientReport {
  /** Its number. */
  readonly id: number;
  /** Sockets it has open. */
  readonly descriptors: number;
  /** Calls of it that are under way. */
  readonly outstanding: number;
  /** Calls carried out. */
  readonly calls: number;
}

const BEAT_MS = 1000;

/** The lock by which programs see whether this side lives, and what releases it. */
interface ServerLock {
  readonly name: string;
  readonly held: Promise<() => Promise<void>> | undefined;
}

interface Timers {
  setInterval(callback: () => void, delay_ms: number): number & { unref?(): void };
  clearInterval(handle: number): void;
}

/** Carries out the calls of programs in other threads. */
export class SyscallServer implements AsyncDisposable {
  readonly #stack: Stack;
  readonly #options: Required<ServeOptions>;
  readonly #clients = new Map<number, ServedClient>();
  readonly #gone: Record<Gone, number> = { closed: 0, died: 0, dropped: 0, hostile: 0 };
  readonly #ending = new Set<Promise<void>>();
  #calls = 0;
  #faults = 0;
  #next = 1;
  #lock: ServerLock | undefined = undefined;
  #beat: number | undefined = undefined;
  #closed = false;

  /** Made by {@link serveSyscalls}. */
  constructor(stack: Stack, options: ServeOptions) {
    const { clients = 64, descriptors = 256, arenaBytes = 4 * 2 ** 20 } = options;
    const { poll_us = 50, privileged = false } = options;
    const calls = options.calls ?? Math.min(4 * descriptors, CALLS_MAX);
    if (!Number.isInteger(clients) || clients < 1) {
      throw new RangeError(`clients must be a whole number above 0, not ${clients}`);
    }
    if (!(poll_us >= 0)) throw new RangeError(`poll_us must not be negative: ${poll_us}`);
    checkDescriptors(descriptors);
    ringBytes(calls, arenaBytes);
    this.#stack = stack;
    this.#options = { clients, descriptors, calls, arenaBytes, privileged, poll_us };
  }

  /** What was seen so far. */
  get stats(): ServerStats {
    let [calls, faults] = [this.#calls, this.#faults];
    for (const { stats } of this.#clients.values()) {
      calls += stats.calls;
      faults += stats.faults;
    }
    return { clients: this.#clients.size, calls, faults, ...this.#gone };
  }

  /** The programs that there are. */
  get clients(): ClientReport[] {
    return [...this.#clients.values()].map(({ handle, fds, outstanding, stats }) => ({
      id: handle.id,
      descriptors: fds.open,
      outstanding,
      calls: stats.calls,
    }));
  }

  /**
   * Makes a ring for one more program; its handle goes to the program by `postMessage`, and there
   * to `connectStack`.
   *
   * @throws SocketError EMFILE if there are too many programs, ENETDOWN if the server is closed
   */
  async open(): Promise<RingHandle> {
    this.#mustBeOpen();
    const { clients, calls, arenaBytes } = this.#options;
    if (this.#clients.size >= clients) throw new SocketError(Errno.EMFILE, "open");
    const id = this.#next++;
    const buffer = new SharedArrayBuffer(ringBytes(calls, arenaBytes));
    const serverLock = this.#holdLock();
    const handle = { id, buffer, calls, arenaBytes, clientLock: lockName(), serverLock };
    const { sys } = this.#stack;
    const gone = (client: ServedClient, why: Gone) => this.#end(client, why);
    const client = new ServedClient(handle, { ...this.#options, sys, gone });
    this.#clients.set(id, client);
    markLocal(handle.clientLock);
    this.#startBeat();
    await this.#lock?.held;
    return handle;
  }

  /** Makes a ring and sends its handle through a port, for `connectStack(port)` there. */
  async serve(port: MessagePort): Promise<RingHandle> {
    const handle = await this.open();
    port.postMessage(handle);
    return handle;
  }

  /** Ends a program's connection and closes its sockets; what it waits for fails with ENETDOWN. */
  drop(client: RingHandle | number): void {
    this.#clients.get(typeof client === "number" ? client : client.id)?.drop("dropped");
  }

  /** Drops all programs. The stack goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const client of [...this.#clients.values()]) client.drop("dropped");
    await Promise.all([...this.#ending]);
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SocketError(Errno.ENETDOWN, "open", "the server is closed");
  }

  /** While there are programs, this side holds a lock, so that they see its death. */
  #holdLock(): string {
    if (this.#lock === undefined) {
      const name = lockName();
      this.#lock = { name, held: holdLock(name) };
    }
    return this.#lock.name;
  }

  #startBeat(): void {
    if (this.#beat !== undefined) return;
    const timers = globalThis as unknown as Timers;
    const handle = timers.setInterval(() => {
      for (const client of this.#clients.values()) client.beat();
    }, BEAT_MS);
    handle.unref?.();
    this.#beat = handle;
  }

  #end(client: ServedClient, why: Gone): void {
    const { handle, stats } = client;
    this.#clients.delete(handle.id);
    unmarkLocal(handle.clientLock);
    this.#gone[why]++;
    this.#calls += stats.calls;
    this.#faults += stats.faults;
    this.#await(client.ending());
    if (this.#clients.size > 0) return;
    (globalThis as unknown as Timers).clearInterval(this.#beat!);
    this.#beat = undefined;
    this.#await(this.#lock?.held?.then((release) => release()) ?? Promise.resolve());
    this.#lock = undefined;
  }

  /** What `close` waits for. */
  #await(end: Promise<void>): void {
    this.#ending.add(end);
    end.finally(() => this.#ending.delete(end));
  }
}

/** Serves programs in other threads with the sockets of a stack; RangeError for bad options. */
export function serveSyscalls(stack: Stack, options: ServeOptions = {}): SyscallServer {
  return new SyscallServer(stack, options);
}
