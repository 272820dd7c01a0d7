/** Two stacks in this process, joined by a pipe: one echoes what the other sends. */
import { assertEquals } from "@std/assert";
import { Af, createStack, Sock } from "@godwit/godwit";
import { pipe } from "@godwit/godwit/drivers/pipe";
import protocol, { PROTOCOL } from "./mod.ts";

Deno.test("NAME: sends packets back, with the TTL it was told", async () => {
  const [left, right] = pipe();
  const interfaces = (driver: typeof left, address: string) => [{ driver, addresses: [address] }];
  await using a = await createStack({ interfaces: interfaces(left, "10.0.0.1/24") });
  await using b = await createStack({ interfaces: interfaces(right, "10.0.0.2/24") });
  await b.protocols.load(protocol, { ttl: 7 });
  const fd = a.sys.socket(Af.INET, Sock.RAW, PROTOCOL);
  await a.sys.sendto(fd, new Uint8Array([1, 2, 3]), 0, { address: "10.0.0.2" });
  const packet = new Uint8Array(100);
  const { length } = await a.sys.recvfrom(fd, packet);
  assertEquals([...packet.subarray(20, length)], [1, 2, 3]);
  assertEquals(packet[8], 7);
  await b.protocols.unload("NAME");
  assertEquals(b.protocols.list(), []);
});
