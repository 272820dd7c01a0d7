/**
 * Bytes to and from a peer: TCP or UDP, calling or being called.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, Shut, So, Sock, Sol } from "../assembly/abi/socket.ts";
import { type SockAddr, SocketError, type Stack } from "../mod.ts";
import { receiveWithin, release } from "./waiting.ts";

/** What to do. */
export interface NetcatOptions {
  /** The peer's address; of a listener its own, any unless told. */
  readonly host?: string;
  /** The peer's port; of a listener its own. */
  readonly port: number;
  /** Waits for a peer rather than calling one. */
  readonly listen?: boolean;
  /** Goes on listening when a connection has ended. */
  readonly keep?: boolean;
  /** UDP rather than TCP. */
  readonly udp?: boolean;
  /** Only sees whether somebody listens. */
  readonly scan?: boolean;
  /** Port to call from. */
  readonly localPort?: number;
  /** Longest that connecting, and silence after it, may last; without end unless told. */
  readonly wait_us?: number;
  /** What to send. */
  readonly input?: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** What happens. */
export type NetcatEvent =
  | { readonly kind: "listening" | "connected"; readonly address: string; readonly port: number }
  | { readonly kind: "data"; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end"; readonly reason: "peer" | "silence" };

const CHUNK_BYTES = 65_536;

/** Hands out input to one connection after the other; what one did not take the next gets. */
class Input {
  readonly #input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  #source: AsyncIterator<Uint8Array<ArrayBuffer>> | undefined = undefined;
  #next: Promise<IteratorResult<Uint8Array<ArrayBuffer>>> | undefined = undefined;

  constructor(input: AsyncIterable<Uint8Array<ArrayBuffer>>) {
    this.#input = input;
  }

  /** Sends all that comes until it ends or `signal` says so; true at the end of input. */
  async pump(signal: AbortSignal, send: (data: Uint8Array) => Promise<unknown>): Promise<boolean> {
    const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    this.#source ??= this.#input[Symbol.asyncIterator]();
    while (!signal.aborted) {
      this.#next ??= this.#source.next();
      const piece = await Promise.race([this.#next, stopped]);
      if (piece === undefined) return false;
      if (piece.done) return true;
      this.#next = undefined;
      for (let at = 0; at < piece.value.length; at += CHUNK_BYTES) {
        await send(piece.value.subarray(at, at + CHUNK_BYTES));
      }
    }
    return false;
  }
}

/** One run. */
class Netcat {
  readonly #stack: Stack;
  readonly #options: NetcatOptions;
  readonly #input: Input;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);

  constructor(stack: Stack, options: NetcatOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#input = new Input(options.input ?? nothing());
  }

  async *call(): AsyncGenerator<NetcatEvent, void> {
    const { sys } = this.#stack;
    const { host = "127.0.0.1", port, udp, localPort, scan, wait_us, signal } = this.#options;
    const fd = sys.socket(Af.INET, udp ? Sock.DGRAM : Sock.STREAM);
    try {
      if (localPort !== undefined) sys.bind(fd, { port: localPort });
      if (wait_us !== undefined) sys.setsockopt(fd, Sol.SOCKET, So.SNDTIMEO, wait_us);
      const peer = { address: host, port };
      await sys.connect(fd, peer, { signal }).catch((error) => {
        // the time for it is over, which is what connect says when it must not wait longer
        if (!(error instanceof SocketError) || error.errno !== Errno.EINPROGRESS) throw error;
        throw new SocketError(Errno.ETIMEDOUT, "connect");
      });
      if (scan && udp) await this.#probe(fd);
      yield { kind: "connected", ...peer };
      if (!scan) yield* this.#exchange(fd);
    } finally {
      release(this.#stack, fd);
    }
  }

  /** A UDP port is closed if an ICMP error comes back within a second (RFC 1122 4.1.3.3). */
  async #probe(fd: number): Promise<void> {
    const { wait_us = 1_000_000, signal } = this.#options;
    await this.#stack.sys.send(fd, new Uint8Array(1), 0, { signal });
    await receiveWithin(this.#stack, fd, this.#buffer, wait_us, signal);
  }

  async *listenTcp(): AsyncGenerator<NetcatEvent, void> {
    const { sys } = this.#stack;
    const { host, port, keep, signal } = this.#options;
    const fd = sys.socket(Af.INET, Sock.STREAM);
    let listening = true;
    try {
      sys.setsockopt(fd, Sol.SOCKET, So.REUSEADDR, true);
      sys.bind(fd, { address: host, port });
      sys.listen(fd, keep ? 16 : 1);
      yield { kind: "listening", ...placeOf(sys.getsockname(fd)) };
      do {
        const { fd: peer, address } = await sys.accept(fd, { signal });
        if (!keep) {
          release(this.#stack, fd);
          listening = false;
        }
        try {
          yield { kind: "connected", ...placeOf(address) };
          yield* this.#exchange(peer);
        } finally {
          release(this.#stack, peer);
        }
      } while (keep);
    } finally {
      if (listening) release(this.#stack, fd);
    }
  }

  async *listenUdp(): AsyncGenerator<NetcatEvent, void> {
    const { sys } = this.#stack;
    const { host, port, keep, signal } = this.#options;
    const fd = sys.socket(Af.INET, Sock.DGRAM);
    try {
      sys.bind(fd, { address: host, port });
      yield { kind: "listening", ...placeOf(sys.getsockname(fd)) };
      const { length, from } = await sys.recvfrom(fd, this.#buffer, 0, { signal });
      const first = this.#buffer.slice(0, length);
      // With -k anybody may send; otherwise who came first is the peer from now on.
      if (!keep) await sys.connect(fd, from!);
      yield { kind: "connected", ...placeOf(from!) };
      yield { kind: "data", data: first };
      yield* this.#exchange(fd, keep === true);
    } finally {
      release(this.#stack, fd);
    }
  }

  /** Sends and receives until the peer or the silence ends it. */
  async *#exchange(fd: number, deaf = false): AsyncGenerator<NetcatEvent, void> {
    const { sys } = this.#stack;
    const { udp, wait_us = Infinity, signal } = this.#options;
    const over = new AbortController();
    const ended = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    let failure: unknown;
    const sending = deaf ? Promise.resolve() : this.#input.pump(ended, (data) => {
      return sys.send(fd, data, 0, { signal: ended });
    }).then((all) => {
      if (all && !udp) sys.shutdown(fd, Shut.WR);
    }).catch((error) => {
      if (!ended.aborted) failure = error;
      over.abort();
    });
    try {
      for (;;) {
        const got = await receiveWithin(this.#stack, fd, this.#buffer, wait_us, ended);
        if (got === "ended") break;
        if (got === "timeout") return yield { kind: "end", reason: "silence" };
        // an empty datagram is no end
        if (got === 0 && !udp) return yield { kind: "end", reason: "peer" };
        yield { kind: "data", data: this.#buffer.slice(0, got) };
      }
      if (failure !== undefined) throw failure;
    } finally {
      over.abort();
      await sending;
    }
  }
}

async function* nothing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // it ends at once
}

function placeOf({ address, port }: SockAddr): { address: string; port: number } {
  return { address, port };
}

/**
 * Exchanges bytes with a peer: sends `input`, yields what comes. TCP shuts its direction down at
 * the end of input, and ends when the peer does.
 *
 * @throws SocketError ECONNREFUSED, ETIMEDOUT, EADDRINUSE and what else ends a connection
 */
export async function* netcat(
  stack: Stack,
  options: NetcatOptions,
): AsyncGenerator<NetcatEvent, void> {
  const run = new Netcat(stack, options);
  const { listen, udp, signal } = options;
  try {
    yield* !listen ? run.call() : udp ? run.listenUdp() : run.listenTcp();
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
