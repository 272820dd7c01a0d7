/**
 * A socket file through which others look at a stack and give it orders.
 *
 * One connection carries one request. The client sends a line `{"ask":NAME,"params":{...}}`, then
 * perhaps lines `{"input":BYTES}`, `{"end":true}` for the end of input, and `{"stop":true}` to have
 * the request end; it is answered by lines `{"value":...}` and a last one, `{"done":true}` or
 * `{"error":{"message":...,"code":...}}`. When it hangs up, its request ends too.
 *
 * @module
 */

import { permit, removeStaleFile } from "../drivers/socket_file.ts";
import { SocketError, type Stack } from "../mod.ts";
import { type ByteStream, readLines, writeLine } from "./lines.ts";
import { type Params, RequestError } from "./request.ts";
import { answer } from "./requests.ts";

/** How a stack is controlled. */
export interface ControlOptions {
  /** The socket file. */
  readonly path: string;
  /** Who may connect; the owner of the file alone (0o600) unless told. */
  readonly mode?: number;
  /** Most clients at a time; 16 unless told. Others are refused. */
  readonly clients?: number;
  /** How long a client may take to ask, and to take an answer; 30 seconds unless told. */
  readonly patience_ms?: number;
}

/** What is used of Deno. */
interface Host {
  listen(options: { transport: "unix"; path: string }): Listener;
  umask(mask: number): number;
  removeSync(path: string): void;
}

interface Listener extends AsyncIterable<Connection> {
  close(): void;
}

interface Connection extends ByteStream {
  close(): void;
}

const CLIENTS = 16;
const PATIENCE_MS = 30_000;
const LINE_BYTES_MAX = 262_144;

function host(): Host {
  return (globalThis as unknown as { Deno: Host }).Deno;
}

/** A stack behind a socket file. */
export class ControlServer implements AsyncDisposable {
  /** The socket file. */
  readonly path: string;
  readonly #stack: Stack;
  readonly #listener: Listener;
  readonly #options: ControlOptions;
  readonly #clients = new Map<Client, Promise<void>>();
  readonly #accepting: Promise<void>;
  #closed = false;

  /** Made by {@link serveControl}. */
  constructor(stack: Stack, listener: Listener, options: ControlOptions) {
    this.path = options.path;
    this.#stack = stack;
    this.#listener = listener;
    this.#options = options;
    this.#accepting = this.#accept();
  }

  async #accept(): Promise<void> {
    const { clients = CLIENTS, patience_ms = PATIENCE_MS } = this.#options;
    try {
      for await (const connection of this.#listener) {
        const client = new Client(connection, patience_ms);
        const crowded = this.#clients.size >= clients;
        const served = (crowded
          ? client.refuse(`${clients} clients are served already`)
          : client.serve(this.#stack)).finally(() =>
            this.#clients.delete(client)
          );
        this.#clients.set(client, served);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  /** Hangs up on all clients, and removes the socket file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const client of this.#clients.keys()) client.hangUp();
    await Promise.all([this.#accepting, ...this.#clients.values()]);
    try {
      host().removeSync(this.path);
    } catch {
      // Somebody has removed it.
    }
  }

  /** Closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One client. */
class Client {
  readonly #connection: Connection;
  readonly #patience_ms: number;
  readonly #gone = new AbortController();
  readonly #stop = new AbortController();
  #open = true;

  constructor(connection: Connection, patience_ms: number) {
    this.#connection = connection;
    this.#patience_ms = patience_ms;
  }

  /** Ends its request, and the connection. */
  hangUp(): void {
    this.#gone.abort();
    this.#stop.abort();
    if (!this.#open) return;
    this.#open = false;
    this.#connection.close();
  }

  async refuse(why: string): Promise<void> {
    await this.#tell({ error: { message: why, code: "EAGAIN" } }).catch(() => {});
    this.hangUp();
  }

  async serve(stack: Stack): Promise<void> {
    const lines = readLines(this.#connection, LINE_BYTES_MAX);
    try {
      const request = await this.#within(lines.next());
      if (request.done) return;
      const { name, params } = requestOf(request.value);
      const input = new InputLines();
      const read = this.#read(lines, input);
      const { signal } = this.#stop;
      for await (const value of answer(stack, true, name, params, { signal, input })) {
        await this.#tell({ value });
        if (this.#gone.signal.aborted) break;
      }
      await this.#tell({ done: true });
      this.hangUp();
      await read;
    } catch (error) {
      if (!this.#gone.signal.aborted) await this.#tell({ error: wordsOf(error) }).catch(() => {});
    } finally {
      this.hangUp();
    }
  }

  /** Takes what the client sends behind its request; its end ends the request. */
  async #read(lines: AsyncIterable<unknown>, input: InputLines): Promise<void> {
    try {
      for await (const line of lines) {
        const { input: data, end, stop } = (line ?? {}) as Record<string, unknown>;
        if (data instanceof Uint8Array) await input.put(data as Uint8Array<ArrayBuffer>);
        if (end === true) input.end();
        if (stop === true) this.#stop.abort();
      }
    } catch {
      // What it says makes no sense, or the connection is gone: it ends as if it had hung up.
    }
    input.end();
    this.hangUp();
  }

  #tell(value: unknown): Promise<void> {
    return this.#within(writeLine(this.#connection, value));
  }

  /** Hangs up on a client that takes too long. */
  async #within<T>(promise: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.hangUp(), this.#patience_ms);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Input from lines: one piece waits at a time, so a client that sends more has to wait. */
class InputLines implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  #piece: Uint8Array<ArrayBuffer> | undefined = undefined;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  /** Hands in a piece, when the one before has been taken. */
  async put(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    while (this.#piece !== undefined && !this.#ended) await this.#changed.promise;
    if (this.#ended) return;
    this.#piece = piece;
    this.#change();
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      while (this.#piece === undefined && !this.#ended) await this.#changed.promise;
      const piece = this.#piece;
      if (piece === undefined) return;
      this.#piece = undefined;
      this.#change();
      yield piece;
    }
  }
}

function requestOf(line: unknown): { name: string; params: Params } {
  const { ask, params = {} } = (line ?? {}) as { ask?: unknown; params?: unknown };
  if (typeof ask !== "string" || typeof params !== "object" || params === null) {
    throw new RequestError('a request is a line {"ask":NAME,"params":{...}}');
  }
  return { name: ask, params: params as Params };
}

function wordsOf(error: unknown): { message: string; code: string } {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof SocketError || error instanceof RequestError;
  return { message, code: known ? error.code : "EINVAL" };
}

/**
 * Serves a stack through a socket file until it is closed. A file that nobody listens at any more
 * is replaced.
 *
 * @throws Error that says what is wrong with the path
 */
export async function serveControl(stack: Stack, options: ControlOptions): Promise<ControlServer> {
  const { path, mode } = options;
  let listener: Listener;
  try {
    listener = listen(path);
  } catch (error) {
    if (!isInUse(error)) throw pathError(path, error);
    if (!await removeStaleFile(path)) {
      throw new Error(`${path}: somebody listens there, or it is no socket`, { cause: error });
    }
    listener = listen(path);
  }
  if (mode !== undefined) permit(path, mode);
  return new ControlServer(stack, listener, options);
}

/** Listens; the file is its owner's alone from the first moment. */
function listen(path: string): Listener {
  const before = host().umask(0o177);
  try {
    return host().listen({ transport: "unix", path });
  } finally {
    host().umask(before);
  }
}

function isInUse(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return name === "AddrInUse" || code === "EADDRINUSE";
}

/** An error that names the file, and says what to do about it. */
function pathError(path: string, error: unknown): Error {
  const { name, message } = error as Error;
  const why = name === "NotFound"
    ? "there is no such folder"
    : name === "PermissionDenied"
    ? "no permission to make a socket there"
    : /SUN_LEN|too long/i.test(message)
    ? "the name of a socket file has at most 107 bytes"
    : message;
  return new Error(`${path}: ${why}`, { cause: error });
}
