/**
 * A connection as web streams. They are made when first asked for; the calls of the connection are
 * faster.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Shut } from "../../assembly/abi/socket.ts";
import { tryShutdown } from "./calls.ts";
import type { So } from "./so.ts";
import { check, receive, release, writeAll } from "./so_wait.ts";

/** Most bytes of one chunk. */
const CHUNK_BYTES = 65536;

/** What a connection receives, as a byte stream; cancelling shuts the receiving side down. */
export function readableOf(so: So): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const byob = controller.byobRequest;
      const view = byob?.view as Uint8Array<ArrayBuffer> | null | undefined;
      let chunk: Uint8Array<ArrayBuffer> | undefined;
      const attempt = (flags: number): number => {
        if (view) return so.tryRecv(view, 0, view.length, flags, 0);
        const got = so.tryRecvStaged(CHUNK_BYTES, flags, 0);
        const { memory, staging } = so.layer.engine;
        if (got > 0) chunk = memory.slice(staging, staging + got);
        return got;
      };
      const got = check(await receive(so, attempt(0), 0, undefined, attempt), "read");
      if (got === 0) {
        controller.close();
        byob?.respond(0);
      } else if (byob) byob.respond(got);
      else controller.enqueue(chunk!);
    },
    cancel() {
      // The peer may have ended the connection already: then nothing is left to shut down.
      tryShutdown(so, Shut.RD);
    },
  }, { highWaterMark: 0 });
}

/** What a connection sends, as a stream; closing shuts the sending side down, aborting closes. */
export function writableOf(so: So): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      await writeAll(so, chunk);
    },
    close() {
      if (so.fd < 0) return;
      const result = tryShutdown(so, Shut.WR);
      if (result !== -Errno.ENOTCONN) check(result, "shutdown");
    },
    abort() {
      release(so);
    },
  });
}
