/**
 * As much of HTTP/1.1 as curl needs, over connections of the kernel or of the stack: the content is
 * downloaded from `/content/LENGTH` and uploaded with PUT, which answers the body's SHA-256.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Duplex, pieces, writeAll } from "./content.ts";

const HEAD_BYTES_MAX = 16384;

/** Start line, fields in lower case, and the bytes of the body that came with the head. */
interface Message {
  readonly start: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly rest: Uint8Array;
}

/** Reads the head of a message; `undefined` if the stream ends before it begins. */
async function readHead(conn: Duplex): Promise<Message | undefined> {
  const buffer = new Uint8Array(HEAD_BYTES_MAX);
  let length = 0;
  for (;;) {
    const got = await conn.read(buffer.subarray(length));
    if (got === null) {
      if (length === 0) return undefined;
      throw new Error(`the stream ended within a head, after ${length} bytes`);
    }
    length += got;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, length));
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [start, ...lines] = text.slice(0, end).split("\r\n");
      const fields = new Map(lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }));
      return { start, fields, rest: buffer.slice(end + 4, length) };
    }
    if (length === HEAD_BYTES_MAX) throw new Error("a head that does not end");
  }
}

function writeText(conn: Duplex, ...lines: string[]): Promise<void> {
  return writeAll(conn, new TextEncoder().encode(lines.join("\r\n")));
}

/** SHA-256 of the body of a message, in hexadecimal digits. */
async function hashBody(conn: Duplex, { fields, rest }: Message): Promise<string> {
  const length = Number(fields.get("content-length"));
  if (!Number.isInteger(length)) throw new Error("a body without a length");
  const hash = createHash("sha256");
  hash.update(rest);
  const buffer = new Uint8Array(1 << 18);
  for (let done = rest.length; done < length;) {
    const got = await conn.read(buffer.subarray(0, Math.min(buffer.length, length - done)));
    if (got === null) throw new Error(`the body ended after ${done} of ${length} bytes`);
    hash.update(buffer.subarray(0, got));
    done += got;
  }
  return hash.digest("hex");
}

/** Answers the requests on one connection until the client ends it. */
export async function serveHttp(conn: Duplex): Promise<void> {
  for (;;) {
    const message = await readHead(conn);
    if (message === undefined) return;
    const [method, target] = message.start.split(" ");
    if (method === "GET") {
      const length = Number(/^\/content\/(\d+)$/.exec(target)![1]);
      await writeText(conn, "HTTP/1.1 200 OK", `Content-Length: ${length}`, "", "");
      for (const piece of pieces(length)) await writeAll(conn, piece);
    } else {
      if (message.fields.get("expect") === "100-continue") {
        await writeText(conn, "HTTP/1.1 100 Continue", "", "");
      }
      const digest = await hashBody(conn, message);
      await writeText(conn, "HTTP/1.1 200 OK", `Content-Length: ${digest.length}`, "", digest);
    }
  }
}

/** Downloads the content; answers its SHA-256. */
export async function download(conn: Duplex, length: number): Promise<string> {
  await writeText(conn, `GET /content/${length} HTTP/1.1`, "Host: peer", "", "");
  const message = await readHead(conn);
  if (message?.start.split(" ")[1] !== "200") throw new Error(`answered "${message?.start}"`);
  return await hashBody(conn, message);
}

/** Uploads the content; answers the SHA-256 that the server found. */
export async function upload(conn: Duplex, length: number): Promise<string> {
  const head = ["PUT /upload HTTP/1.1", "Host: peer", `Content-Length: ${length}`, "", ""];
  await writeText(conn, ...head);
  for (const piece of pieces(length)) await writeAll(conn, piece);
  const message = await readHead(conn);
  if (message?.start.split(" ")[1] !== "200") throw new Error(`answered "${message?.start}"`);
  const digest = new Uint8Array(Number(message.fields.get("content-length")));
  digest.set(message.rest);
  for (let done = message.rest.length; done < digest.length;) {
    const got = await conn.read(digest.subarray(done));
    if (got === null) throw new Error("the answer was cut");
    done += got;
  }
  return new TextDecoder().decode(digest);
}
