/**
 * A stack in another process, behind its socket file.
 *
 * @module
 */

import { type ByteStream, readLines, writeLine } from "./lines.ts";
import { type Params, type RequestContext, RequestError, type Target } from "./request.ts";

/** What is used of Deno. */
interface Host {
  connect(options: { transport: "unix"; path: string }): Promise<Connection>;
}

interface Connection extends ByteStream {
  close(): void;
}

/** Longest line that is taken; a report on many sockets is long. */
const LINE_BYTES_MAX = 256 << 20;
/** Most input of one line: the other side takes no longer ones than 256 KiB. */
const INPUT_BYTES = 65_536;
/** How long the last words of a request that was ended are waited for. */
const STOP_MS = 500;

/** A stack behind a socket file; every request has a connection of its own. */
export class ControlTarget implements Target {
  /** It runs. */
  readonly live = true;
  readonly #path: string;

  /** Asks whoever listens at `path`. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Asks. */
  async *ask(name: string, params: Params, context: RequestContext): AsyncGenerator<unknown, void> {
    const asked = new Asked(await this.#connect());
    const { signal, input } = context;
    const stop = () => asked.stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (signal.aborted) return;
      // Who refuses us may have hung up already; why, it has said before.
      await asked.tell({ ask: name, params }).catch(() => {});
      asked.send(input).catch(() => {});
      for await (const line of readLines(asked.connection, LINE_BYTES_MAX)) {
        const { value, error, done } = line as Reply;
        if (error !== undefined) throw new RequestError(error.message, error.code);
        if (done) return;
        yield value;
      }
      throw new RequestError(`${this.#path}: the stack has hung up`, "ECONNRESET");
    } catch (error) {
      if (signal.aborted) return;
      if ((error as Error).name !== "ConnectionReset") throw error;
      throw new RequestError(`${this.#path}: the stack has hung up`, "ECONNRESET");
    } finally {
      signal.removeEventListener("abort", stop);
      asked.close();
    }
  }

  async #connect(): Promise<Connection> {
    try {
      const { Deno } = globalThis as unknown as { Deno: Host };
      return await Deno.connect({ transport: "unix", path: this.#path });
    } catch (error) {
      throw connectError(this.#path, error as Error);
    }
  }

  /** Nothing is held. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

interface Reply {
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly code: string };
  readonly done?: boolean;
}

/** One request on its way. */
class Asked {
  readonly connection: Connection;
  /** Lines are written one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #open = true;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  tell(line: unknown): Promise<void> {
    const written = this.#writing.then(() => writeLine(this.connection, line));
    this.#writing = written.catch(() => {});
    return written;
  }

  async send(input: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const piece of input) {
      for (let at = 0; at < piece.length; at += INPUT_BYTES) {
        await this.tell({ input: piece.subarray(at, at + INPUT_BYTES) });
      }
    }
    await this.tell({ end: true });
  }

  /** Asks for the end of it; what is said last is waited for, but not long. */
  stop(): void {
    this.tell({ stop: true }).catch(() => this.close());
    this.#timer = setTimeout(() => this.close(), STOP_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    if (this.#open) this.connection.close();
    this.#open = false;
  }
}

function connectError(path: string, { name, message }: Error): RequestError {
  if (name === "NotFound") {
    return new RequestError(
      `${path}: no stack is there; start one with --control ${path}`,
      "ENOENT",
    );
  }
  if (name === "ConnectionRefused") {
    return new RequestError(
      `${path}: no stack listens there: it is gone, or this is no socket`,
      "ECONNREFUSED",
    );
  }
  if (name === "PermissionDenied") {
    return new RequestError(`${path}: no permission to connect`, "EACCES");
  }
  return new RequestError(`${path}: ${message}`, "EIO");
}
