/**
 * A stack that serves one HTTP download and is moved in the midst of it:
 *
 * ```
 *   moving_server.ts begin DEVICE ADDRESS FILE BYTES    serves a part, writes its snapshot, is gone
 *   moving_server.ts go-on DEVICE FILE BYTES            goes on from the snapshot, to the end
 * ```
 *
 * The first ends without a word on the wire: what it had queued, sent and not heard of lives in the
 * snapshot alone.
 *
 * @module
 */

import { TapDriver } from "../../../drivers/tap.ts";
import type { TcpConn } from "../../../runtime/socket/conn.ts";
import { createStack } from "../../../runtime/stack.ts";
import { pieces, writeAll } from "./content.ts";

/** Port of the server. */
export const MOVING_PORT = 8080;

/** What the second program must know beside the snapshot. */
interface Progress {
  readonly fd: number;
  readonly sent: number;
}

async function readRequest(conn: TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.includes("\r\n\r\n")) {
    const got = await conn.read(buffer);
    if (got === null) throw new Error("the request ended early");
    text += new TextDecoder().decode(buffer.subarray(0, got));
  }
}

async function begin(device: string, address: string, file: string, bytes: number): Promise<never> {
  const driver = new TapDriver({ name: device });
  const stack = await createStack({
    interfaces: [{ name: device, driver, addresses: [`${address}/24`] }],
  });
  const listener = stack.listen({ port: MOVING_PORT });
  console.log("ready");
  const conn = await listener.accept();
  await readRequest(conn);
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`;
  await writeAll(conn, new TextEncoder().encode(head));
  let sent = 0;
  for (const piece of pieces(bytes)) {
    if (sent >= bytes / 3) break;
    await writeAll(conn, piece);
    sent += piece.length;
  }
  Deno.writeFileSync(file, stack.snapshot());
  const progress: Progress = { fd: conn.fd, sent };
  Deno.writeTextFileSync(`${file}.json`, JSON.stringify(progress));
  console.log("moved");
  Deno.exit(0);
}

async function goOn(device: string, file: string, bytes: number): Promise<void> {
  const { fd, sent }: Progress = JSON.parse(Deno.readTextFileSync(`${file}.json`));
  await using stack = await createStack({
    snapshot: Deno.readFileSync(file),
    interfaces: [{ name: device, driver: new TapDriver({ name: device }) }],
  });
  console.log("ready");
  const conn = stack.openFd(fd) as TcpConn;
  let at = 0;
  for (const piece of pieces(bytes)) {
    if (at + piece.length > sent) await writeAll(conn, piece.subarray(Math.max(sent - at, 0)));
    at += piece.length;
  }
  await conn.closeWrite();
  while (await conn.read(new Uint8Array(4096)) !== null);
  conn.close();
  console.log("done");
}

if (import.meta.main) {
  const [part, device, ...rest] = Deno.args;
  if (part === "begin") await begin(device, rest[0], rest[1], Number(rest[2]));
  else await goOn(device, rest[0], Number(rest[1]));
}
