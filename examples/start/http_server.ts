/**
 * A small HTTP/1.1 server on the socket calls of a stack: content of any size to download, a place
 * to upload to, and the state of the stack.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import { Af, Sock, SocketError, type Syscalls } from "../../mod.ts";
import { Content } from "./content.ts";
import { parseBytes } from "./format.ts";
import {
  type Head,
  HttpSyntaxError,
  MessageParser,
  statusLine,
  writeHead,
} from "./http_message.ts";

const BUFFER_BYTES = 64 * 1024;
/** Largest content that is served: a terabyte. */
const CONTENT_BYTES_MAX = 2 ** 40;

/** How to serve. */
export interface ServerOptions {
  /** Address to listen on. */
  readonly address: string;
  /** Port to listen on. */
  readonly port: number;
  /** Seed of the content. */
  readonly seed: number;
  /** Text for `/netstat`. */
  readonly netstat: () => string;
  /** Text for `/sysctl`. */
  readonly sysctl: () => string;
  /** Told of each request when its response is sent. */
  readonly onServed?: (served: Served) => void;
}

/** A request that was answered. */
export interface Served {
  /** `GET` */
  readonly method: string;
  /** `/data/64MiB` */
  readonly target: string;
  /** 200 */
  readonly status: number;
  /** Bytes of the body: sent, or received for an upload. */
  readonly length: number;
  /** SHA-256 of that body, in hexadecimal; empty without one. */
  readonly sha256: string;
}

/** A response. */
interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: Content | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose head has been read. */
interface Incoming {
  readonly head: Head;
  readonly hash: Hash;
  length: number;
  whole: boolean;
  continued: boolean;
}

/** A server that runs until it is closed. */
export class HttpServer {
  /** Ends when the server is closed; rejects if it cannot accept any more. */
  readonly finished: Promise<void>;
  readonly #sys: Syscalls;
  readonly #options: ServerOptions;
  readonly #listener: number;
  readonly #connections = new Set<number>();
  #closed = false;

  /** Binds and listens; throws `SocketError`. */
  constructor(sys: Syscalls, options: ServerOptions) {
    this.#sys = sys;
    this.#options = options;
    this.#listener = sys.socket(Af.INET, Sock.STREAM);
    try {
      sys.bind(this.#listener, { address: options.address, port: options.port });
      sys.listen(this.#listener);
    } catch (error) {
      sys.nb.close(this.#listener);
      throw error;
    }
    this.finished = this.#acceptAll();
    this.finished.catch(() => {});
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Stops listening and ends all connections. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const fd of [this.#listener, ...this.#connections]) this.#sys.nb.close(fd);
    this.#connections.clear();
  }

  async #acceptAll(): Promise<void> {
    while (!this.#closed) {
      try {
        const { fd } = await this.#sys.accept(this.#listener);
        this.#connections.add(fd);
        this.#serve(fd);
      } catch (error) {
        // A connection that was reset before it was accepted is no reason to stop.
        const lost = error instanceof SocketError && error.code === "ECONNABORTED";
        if (!lost && !this.#closed) throw error;
      }
    }
  }

  async #serve(fd: number): Promise<void> {
    try {
      await this.#converse(fd);
    } catch (error) {
      // The peer went away, or close() did: both are the end of this connection alone.
      if (!(error instanceof SocketError)) throw error;
    } finally {
      if (this.#connections.delete(fd)) this.#sys.nb.close(fd);
    }
  }

  async #converse(fd: number): Promise<void> {
    const queue: Incoming[] = [];
    const parser = requestParser(queue);
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (;;) {
      const length = await this.#sys.recv(fd, buffer);
      if (length === 0) return;
      try {
        parser.push(buffer.subarray(0, length));
      } catch (error) {
        if (!(error instanceof HttpSyntaxError)) throw error;
        return await this.#reply(fd, undefined, text(400, "That is no HTTP/1.1.\n"), false);
      }
      while (queue.length > 0 && queue[0].whole) {
        const incoming = queue.shift()!;
        const { keepAlive } = incoming.head;
        await this.#reply(fd, incoming, this.#answer(incoming), keepAlive);
        if (!keepAlive) return;
      }
      const [waiting] = queue;
      if (waiting !== undefined && !waiting.continued) await this.#encourage(fd, waiting);
    }
  }

  /** RFC 9110 section 10.1.1: a client that asks first waits for this before it sends the body. */
  async #encourage(fd: number, waiting: Incoming): Promise<void> {
    waiting.continued = true;
    if (waiting.head.headers.get("expect")?.toLowerCase() !== "100-continue") return;
    await this.#sys.send(fd, writeHead(statusLine(100), {}));
  }

  #answer(incoming: Incoming): Reply {
    const { method, target } = incoming.head;
    const [path] = target.split("?");
    if (method === "PUT" || method === "POST") {
      return text(200, `${incoming.length} bytes, sha256 ${digest(incoming)}\n`);
    }
    if (method !== "GET" && method !== "HEAD") {
      const allow = { "allow": "GET, HEAD, PUT, POST" };
      return { ...text(405, `${method} is not served here.\n`), headers: allow };
    }
    if (path === "/") return text(200, WELCOME);
    if (path === "/netstat") return text(200, this.#options.netstat());
    if (path === "/sysctl") return text(200, this.#options.sysctl());
    const size = path.startsWith("/data/") ? parseBytes(path.slice(6)) : undefined;
    if (size === undefined || size > CONTENT_BYTES_MAX) {
      return text(404, `There is no ${path}; try /data/64MiB.\n`);
    }
    const body = new Content(size, this.#options.seed);
    return { status: 200, type: "application/octet-stream", body };
  }

  async #reply(
    fd: number,
    incoming: Incoming | undefined,
    reply: Reply,
    keepAlive: boolean,
  ): Promise<void> {
    const body = typeof reply.body === "string" ? new TextEncoder().encode(reply.body) : reply.body;
    const head = writeHead(statusLine(reply.status), {
      "content-type": reply.type,
      "content-length": String(body.length),
      "connection": keepAlive ? "keep-alive" : "close",
      ...reply.headers,
    });
    const headOnly = incoming?.head.method === "HEAD";
    const sha256 = await this.#send(fd, head, headOnly ? new Uint8Array() : body);
    const uploaded = incoming !== undefined && incoming.length > 0;
    this.#options.onServed?.({
      method: incoming?.head.method ?? "",
      target: incoming?.head.target ?? "",
      status: reply.status,
      length: uploaded ? incoming.length : headOnly ? 0 : body.length,
      sha256: uploaded ? digest(incoming) : headOnly ? "" : sha256,
    });
  }

  /** Sends head and body; answers the body's SHA-256. */
  async #send(fd: number, head: Uint8Array, body: Uint8Array | Content): Promise<string> {
    const hash = createHash("sha256");
    if (body instanceof Uint8Array) {
      hash.update(body);
      await this.#sys.sendmsg(fd, { iov: [head, body] });
    } else {
      await this.#sys.send(fd, head);
      while (body.done < body.length) {
        const piece = body.next();
        hash.update(piece);
        await this.#sys.send(fd, piece);
      }
    }
    return hash.digest("hex");
  }
}

const WELCOME = `This is a small HTTP/1.1 server on Godwit, a network stack in a Deno process.

  GET  /data/64MiB   pseudo-random bytes, as many as you like
  GET  /netstat      what the stack sees
  GET  /sysctl       how it is set
  PUT  /anything     counts what you send, and answers with its sha256
`;

function text(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body };
}

function requestParser(queue: Incoming[]): MessageParser {
  let last: Incoming | undefined;
  return new MessageParser("request", {
    head(head) {
      last = { head, hash: createHash("sha256"), length: 0, whole: false, continued: false };
      queue.push(last);
    },
    body(bytes) {
      last!.hash.update(bytes);
      last!.length += bytes.length;
    },
    end() {
      last!.whole = true;
    },
  });
}

function digest(incoming: Incoming): string {
  return incoming.hash.copy().digest("hex");
}
