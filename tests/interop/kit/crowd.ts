/**
 * Many connections at the same time. The client opens all of them before it sends a byte; then each
 * sends bytes of its own and must get the same back.
 *
 * @module
 */

import { type Duplex, firstDifference, ownBytes, readToEnd, writeAll } from "./content.ts";

/** How many connections may be under way to being open at once. */
const OPENING_MAX = 100;

/** Opens `count` connections, then sends `bytes` over each and checks what comes back. */
export async function crowd(
  connect: () => Promise<Duplex>,
  count: number,
  bytes: number,
): Promise<void> {
  const conns: Duplex[] = [];
  const open = async () => {
    while (conns.length < count) {
      const at = conns.push(undefined as unknown as Duplex) - 1;
      conns[at] = await connect();
    }
  };
  await Promise.all(Array.from({ length: OPENING_MAX }, open));
  await Promise.all(conns.map(async (conn, id) => {
    const sent = ownBytes(id, bytes);
    const [received] = await Promise.all([
      readToEnd(conn),
      writeAll(conn, sent).then(() => conn.closeWrite()),
    ]);
    const at = firstDifference(sent, received);
    if (at >= 0) {
      throw new Error(`connection ${id}: ${received.length} of ${bytes} bytes, wrong from ${at}`);
    }
    conn.close();
  }));
}

/** How many connections there were, and how many at the same time. */
export interface Attendance {
  total: number;
  most: number;
}

/** Sends back what comes over each connection, until the listener is closed. */
export async function echoAll(
  listener: AsyncIterable<Duplex>,
  attendance: Attendance = { total: 0, most: 0 },
): Promise<void> {
  let open = 0;
  const serving: Promise<void>[] = [];
  for await (const conn of listener) {
    attendance.total++;
    attendance.most = Math.max(attendance.most, ++open);
    serving.push(echo(conn).finally(() => open--));
  }
  await Promise.all(serving);
}

/** Sends back what comes until the stream ends, then ends it too. */
export async function echo(conn: Duplex): Promise<void> {
  const buffer = new Uint8Array(16384);
  try {
    for (;;) {
      const got = await conn.read(buffer);
      if (got === null) break;
      await writeAll(conn, buffer.subarray(0, got));
    }
    await conn.closeWrite();
  } finally {
    conn.close();
  }
}
