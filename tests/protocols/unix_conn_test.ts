/** Local sockets in the shape of Deno's. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import checkedEngine from "../engine_checked_module.js";

async function stack(snapshot?: Uint8Array): Promise<Stack> {
  return await createStack({ engine: checkedEngine, memory: { bytes: 2 ** 24 }, snapshot });
}

Deno.test("unix connections: listen, connect, streams and names as Deno has them", async () => {
  await using one = await stack();
  using listener = one.listen({ transport: "unix", path: "/run/x" });
  assertEquals(listener.addr, { transport: "unix", path: "/run/x" });
  const serving = (async () => {
    for await (const conn of listener) {
      assertEquals(conn.localAddr.path, "/run/x");
      await conn.readable.pipeTo(conn.writable);
    }
  })();
  using conn = await one.connect({ transport: "unix", path: "/run/x" });
  assertEquals(conn.remoteAddr, { transport: "unix", path: "/run/x" });
  const sent = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
  const writing = conn.write(sent).then(() => conn.closeWrite());
  const got = new Uint8Array(await new Response(conn.readable).arrayBuffer());
  await writing;
  assertEquals(got, sent);
  listener.close();
  await serving;
  const missing = () => one.connect({ transport: "unix", path: "/none" });
  assertEquals((await assertRejects(missing, SocketError)).name, "NotFound");
  const again = () => one.listen({ transport: "unix", path: "/run/x" });
  assertEquals(assertThrows(again, SocketError).name, "AddrInUse");
});

Deno.test("unix connections: each is found again by its descriptor", async () => {
  let saved: Uint8Array;
  let fds: number[];
  {
    await using one = await stack();
    using listener = one.listen({ transport: "unix", path: "\0y" });
    const conn = await one.connect({ transport: "unix", path: "\0y" });
    using tcp = one.listen({ port: 80 });
    assertEquals(tcp.addr.port, 80);
    assertEquals(conn.tryWrite(Uint8Array.of(1, 2)), 2);
    fds = [listener.fd, conn.fd, tcp.fd];
    saved = one.snapshot();
  }
  await using two = await stack(saved);
  const [listener, conn, tcp] = fds.map((fd) => two.openFd(fd));
  assert("accept" in listener && "addr" in listener && "write" in conn && "addr" in tcp);
  assertEquals(listener.addr, { transport: "unix", path: "\0y" });
  assertEquals(conn.localAddr, { transport: "unix", path: "" });
  using end = await listener.accept();
  const buffer = new Uint8Array(9);
  assertEquals(end.tryRead(buffer), 2);
  assertEquals(end.tryRead(buffer), undefined);
  assertEquals(await conn.write(Uint8Array.of(3)), 1);
  assertEquals(await end.peek(), Uint8Array.of(3));
});
