/**
 * A small HTTP/1.1 client on the socket calls of a stack.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Af, Sock, type Syscalls } from "../../mod.ts";
import { MessageParser, writeHead } from "./http_message.ts";

const BUFFER_BYTES = 256 * 1024;

/** What was downloaded. */
export interface Download {
  /** Status of the response. */
  readonly status: number;
  /** Length that the server announced; undefined if it did not. */
  readonly announced: number | undefined;
  /** Bytes of the body. */
  readonly length: number;
  /** SHA-256 of the body, in hexadecimal. */
  readonly sha256: string;
}

/** Where to download from. */
export interface Source {
  /** Address of the server. */
  readonly address: string;
  /** Port of the server. */
  readonly port: number;
  /** Path and query. */
  readonly target: string;
}

/**
 * Downloads, keeps nothing but the digest, and closes the connection.
 *
 * @param onProgress told of the bytes of the body so far, whenever some have come
 * @throws SocketError, or HttpSyntaxError if the answer is no HTTP message
 */
export async function download(
  sys: Syscalls,
  source: Source,
  onProgress: (length: number) => void,
): Promise<Download> {
  const hash = createHash("sha256");
  let length = 0;
  let status = 0;
  let announced: number | undefined;
  let whole = false;
  const parser = new MessageParser("response", {
    head(head) {
      status = head.status;
      const field = head.headers.get("content-length");
      announced = field === undefined ? undefined : Number(field);
    },
    body(bytes) {
      hash.update(bytes);
      length += bytes.length;
    },
    end() {
      whole = true;
    },
  });
  const fd = sys.socket(Af.INET, Sock.STREAM);
  try {
    await sys.connect(fd, { address: source.address, port: source.port });
    const host = `${source.address}:${source.port}`;
    const headers = { "host": host, "connection": "close" };
    await sys.send(fd, writeHead(`GET ${source.target} HTTP/1.1`, headers));
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (!whole) {
      const got = await sys.recv(fd, buffer);
      if (got === 0) {
        parser.finish();
        break;
      }
      parser.push(buffer.subarray(0, got));
      onProgress(length);
    }
  } finally {
    await sys.close(fd);
  }
  return { status, announced, length, sha256: hash.digest("hex") };
}
