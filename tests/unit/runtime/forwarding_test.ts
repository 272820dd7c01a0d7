/** A stack as a router between two networks, each a cable. */
import { assertEquals, assertRejects } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Fate } from "../../../assembly/abi/fate.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { createStack, SocketError, type Stack } from "../../../mod.ts";

/** Two hosts, each behind its own interface of a router. */
async function network(forwarding: boolean): Promise<[Stack, Stack, Stack]> {
  const [west, toWest] = pipe();
  const [east, toEast] = pipe();
  const router = await createStack({
    forwarding,
    interfaces: [
      { driver: toWest, addresses: ["10.1.0.1/24"] },
      { driver: toEast, addresses: ["10.2.0.1/24"] },
    ],
  });
  const a = await createStack({
    interfaces: [{ driver: west, addresses: ["10.1.0.2/24"], gateway: "10.1.0.1" }],
  });
  const b = await createStack({
    interfaces: [{ driver: east, addresses: ["10.2.0.2/24"], gateway: "10.2.0.1" }],
  });
  return [a, router, b];
}

/** Frames of a stack that met this fate. */
function count({ engine }: Stack, fate: Fate): bigint {
  return engine.view.getBigUint64(engine.calls.fates() + fate * 8, true);
}

Deno.test("a router sends packets on between two networks", async () => {
  const [a, router, b] = await network(true);
  assertEquals(router.forwarding, true);
  const listener = b.listen({ port: 7 });
  const client = await a.connect({ hostname: "10.2.0.2", port: 7 });
  const server = await listener.accept();
  assertEquals(server.remoteAddr.hostname, "10.1.0.2");
  await client.write(new TextEncoder().encode("across"));
  const buffer = new Uint8Array(16);
  assertEquals(await server.read(buffer), 6);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 6)), "across");
  assertEquals(count(router, Fate.IP_FORWARDED) > 0n, true);
  for (const stack of [a, b, router]) await stack.close();
});

Deno.test("forwarding is off unless it was asked for, and can be switched", async () => {
  const [a, router, b] = await network(false);
  b.listen({ port: 7 });
  const signal = AbortSignal.timeout(200);
  await assertRejects(() => a.connect({ hostname: "10.2.0.2", port: 7, signal }));
  assertEquals(count(router, Fate.IP_NOT_OURS) > 0n, true);
  assertEquals(count(router, Fate.IP_FORWARDED), 0n);
  router.forwarding = true;
  const client = await a.connect({ hostname: "10.2.0.2", port: 7 });
  client.close();
  for (const stack of [a, b, router]) await stack.close();
});

Deno.test("a router without a route answers, and the sender is told", async () => {
  const [a, router, b] = await network(true);
  const error = await assertRejects(
    () => a.connect({ hostname: "10.3.0.9", port: 7, signal: AbortSignal.timeout(8000) }),
    SocketError,
  );
  assertEquals(error.errno, Errno.ENETUNREACH);
  assertEquals(count(router, Fate.IP_NO_ROUTE) > 0n, true);
  for (const stack of [a, b, router]) await stack.close();
});
