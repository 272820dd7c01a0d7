/** A host with two uplinks: what came by one is answered by it, and new connections use both. */
import { assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { createStack, type Stack } from "../../../mod.ts";

const CONNECTIONS = 12;
const NETS = ["192.0.2", "198.51.100"];

/** A server with two uplinks, and the router at each, which has an address behind it as well. */
async function network(): Promise<[server: Stack, routers: Stack[]]> {
  const cables = NETS.map(() => pipe());
  const server = await createStack({
    seed: 5,
    interfaces: NETS.map((net, i) => ({ driver: cables[i][0], addresses: [`${net}.2/24`] })),
  });
  for (const net of NETS) server.route.add("default", { gateway: `${net}.1` });
  const routers = await Promise.all(NETS.map((net, i) =>
    createStack({
      interfaces: [{
        driver: cables[i][1],
        addresses: [`${net}.1/24`, `203.0.113.${i + 1}/32`, "203.0.113.9/32"],
      }],
    })
  ));
  return [server, routers];
}

Deno.test("uplinks: connections are answered by the way they came", async () => {
  const [server, routers] = await network();
  const listener = server.listen({ port: 80 });
  for (const [i, { sys }] of routers.entries()) {
    for (let n = 0; n < CONNECTIONS; n++) {
      const fd = sys.socket(Af.INET, Sock.STREAM);
      // an address that the server reaches by either of its default routes, as far as it knows
      sys.bind(fd, { address: `203.0.113.${i + 1}` });
      await sys.connect(fd, { address: `${NETS[i]}.2`, port: 80 });
      using conn = await listener.accept();
      assertEquals(conn.localAddr.hostname, `${NETS[i]}.2`);
      await sys.close(fd);
    }
  }
  for (const stack of [server, ...routers]) await stack.close();
});

Deno.test("uplinks: connections to one address use both, with the address of each", async () => {
  const [server, routers] = await network();
  const listeners = routers.map((router) => router.listen({ port: 80 }));
  const counts = [0, 0];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  for (const [i, listener] of listeners.entries()) {
    (async () => {
      for await (const conn of listener) {
        assertEquals(conn.remoteAddr.hostname, `${NETS[i]}.2`);
        counts[i]++;
        conn.close();
        if (counts[0] + counts[1] === CONNECTIONS) resolve();
      }
    })().catch(() => {});
  }
  for (let n = 0; n < CONNECTIONS; n++) {
    using _conn = await server.connect({ hostname: "203.0.113.9", port: 80 });
  }
  await all;
  for (const stack of [server, ...routers]) await stack.close();
  assertEquals(counts.every((n) => n > 1), true, String(counts));
});
