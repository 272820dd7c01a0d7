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
    const connection = await this.#connect();
    let open = true;
    const close = () => {
      if (open) connection.close();
      open = false;
    };
    const { signal, input } = context;
    signal.addEventListener("abort", close, { once: true });
    try {
      if (signal.aborted) return;
      // Who refuses us may have hung up already; why, it has said before.
      await writeLine(connection, { ask: name, params }).catch(() => {});
      sendInput(connection, input).catch(() => {});
      for await (const line of readLines(connection, LINE_BYTES_MAX)) {
        const { value, error, done } = line as Reply;
        if (error !== undefined) throw new RequestError(error.message, error.code);
        if (done) return;
        yield value;
      }
      throw new RequestError(`${this.#path}: the stack has hung up`, "ECONNRESET");
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", close);
      close();
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

async function sendInput(
  stream: ByteStream,
  input: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  for await (const piece of input) {
    for (let at = 0; at < piece.length; at += INPUT_BYTES) {
      await writeLine(stream, { input: piece.subarray(at, at + INPUT_BYTES) });
    }
  }
  await writeLine(stream, { end: true });
}

function connectError(path: string, { name, message }: Error): RequestError {
  if (name === "NotFound") {
    return new RequestError(
      `${path}: no stack is there; start one with --control ${path}`,
      "ENOENT",
    );
  }
  if (name === "ConnectionRefused") {
    return new RequestError(`${path}: the stack that listened there is gone`, "ECONNREFUSED");
  }
  if (name === "PermissionDenied") {
    return new RequestError(`${path}: no permission to connect`, "EACCES");
  }
  return new RequestError(`${path}: ${message}`, "EIO");
}
