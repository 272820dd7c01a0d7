/** What programs see when the mbuf pool is too small for their data. */
import { assertEquals, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { So, Sol } from "../../../assembly/abi/socket.ts";
import { createStack, SocketError, type Stack, type TcpConn } from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

/** A connection over lo0 whose buffers may hold far more than there are mbufs. */
async function scarce(): Promise<{ stack: Stack; client: TcpConn; server: TcpConn }> {
  const stack = await createStack({
    engine: checkedEngine,
    memory: { bytes: 8 * 2 ** 20, mbufs_cluster: 160, mbufs_small: 256 },
  });
  const listener = stack.listen({ port: 7 });
  const [client, server] = await Promise.all([stack.connect({ port: 7 }), listener.accept()]);
  stack.sys.setsockopt(client.fd, Sol.SOCKET, So.SNDBUF, 2 ** 20);
  return { stack, client, server };
}

/** Sends without waiting until ENOBUFS says that there is no more room; answers how much went. */
function fill(stack: Stack, fd: number): number {
  let sent = 0;
  const error = assertThrows(() => {
    for (;;) sent += stack.sys.nb.send(fd, new Uint8Array(65536));
  }, SocketError);
  assertEquals(error.errno, Errno.ENOBUFS);
  return sent;
}

Deno.test("without mbufs a call that must not wait answers ENOBUFS, and others wait", async () => {
  const { stack, client, server } = await scarce();
  const sent = fill(stack, client.fd);
  assertEquals(sent > 0, true);
  const writing = client.write(new Uint8Array(500_000));
  assertEquals(await readBytes(server, sent + 500_000), sent + 500_000);
  assertEquals(await writing, 500_000);
  await stack.close();
});

Deno.test("a wait for mbufs ends with SO_SNDTIMEO, and with the connection", async () => {
  const { stack, client } = await scarce();
  fill(stack, client.fd);
  stack.sys.setsockopt(client.fd, Sol.SOCKET, So.SNDTIMEO, 20_000);
  const data = new Uint8Array(65536);
  let late;
  do late = await stack.sys.send(client.fd, data).catch((error) => error); while (late > 0);
  assertEquals([Errno.ENOBUFS, Errno.EAGAIN].includes(late.errno), true, String(late));
  stack.sys.setsockopt(client.fd, Sol.SOCKET, So.SNDTIMEO, 0);
  const waiting = stack.sys.send(client.fd, data).catch((error) => error);
  client.close();
  assertEquals((await waiting).errno, Errno.EBADF);
  await stack.close();
});

async function readBytes(conn: TcpConn, length: number): Promise<number> {
  const buffer = new Uint8Array(65536);
  let total = 0;
  while (total < length) {
    const n = await conn.read(buffer);
    if (n === null) break;
    total += n;
  }
  return total;
}
