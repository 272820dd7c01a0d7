/**
 * HTTP/1.1 messages out of and into raw bytes (RFC 9112). The parser is that of `http-parser-js`,
 * which takes bytes as they come and knows nothing of sockets.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { HTTPParser } from "http-parser-js";

/** Start line and headers of a message. */
export interface Head {
  /** Of a request: `GET`. Empty for a response. */
  readonly method: string;
  /** Of a request: path and query, `/data/1000?seed=1`. Empty for a response. */
  readonly target: string;
  /** Of a response: 200. 0 for a request. */
  readonly status: number;
  /** Header fields, names in lower case; those that come twice are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** True if the connection may be used again after this message. */
  readonly keepAlive: boolean;
}

/** What a parser tells as it goes along. */
export interface MessageEvents {
  /** The head is there. Answer true if no body follows, whatever the headers say (HEAD). */
  head(head: Head): boolean | void;
  /** Some of the body; a view that is valid during the call. */
  body(bytes: Uint8Array): void;
  /** The message is whole. */
  end(): void;
}

/** The bytes are no HTTP message. */
export class HttpSyntaxError extends Error {
  /** `HttpSyntaxError` */
  override readonly name = "HttpSyntaxError";
}

/**
 * Bytes given to the parser at a time. It counts the whole piece in which a message ends towards
 * the head of the next one, of which it takes 80 KiB.
 */
const PIECE_BYTES = 16 * 1024;

/** Takes messages apart, one after the other. */
export class MessageParser {
  readonly #parser: InstanceType<typeof HTTPParser>;

  /** A parser for messages of one kind. */
  constructor(kind: "request" | "response", events: MessageEvents) {
    const parser = new HTTPParser(kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE);
    parser[HTTPParser.kOnHeadersComplete] = (info) => {
      const skipsBody = events.head({
        method: kind === "request" ? HTTPParser.methods[info.method] : "",
        target: kind === "request" ? info.url : "",
        status: kind === "response" ? info.statusCode : 0,
        headers: fold(info.headers),
        keepAlive: info.shouldKeepAlive,
      });
      return skipsBody ? 1 : 0;
    };
    parser[HTTPParser.kOnBody] = (chunk, offset, length) =>
      events.body(chunk.subarray(offset, offset + length));
    parser[HTTPParser.kOnMessageComplete] = () => events.end();
    this.#parser = parser;
  }

  /** Takes in bytes as they came; `HttpSyntaxError` if they are no message. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, bytes.length - at);
      const piece = Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
      const result = this.#parser.execute(piece);
      if (typeof result !== "number") throw new HttpSyntaxError(result.message);
    }
  }

  /** The stream has ended; `HttpSyntaxError` in the middle of a message. */
  finish(): void {
    const result = this.#parser.finish();
    if (result instanceof Error) throw new HttpSyntaxError(result.message);
  }
}

/** The parser gives name, value, name, value. */
function fold(flat: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? flat[i + 1] : `${before}, ${flat[i + 1]}`);
  }
  return headers;
}

const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  505: "HTTP Version Not Supported",
};

/** Start line and headers as bytes. */
export function writeHead(first: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`${first}\r\n${lines.join("")}\r\n`);
}

/** The start line of a response. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Other"}`;
}
