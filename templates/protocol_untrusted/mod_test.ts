/** Two stacks in this process, joined by a pipe, speak the protocol. */
import { assertEquals, assertRejects } from "@std/assert";
import { Af, createStack, Sock, SocketError, type Stack } from "@godwit/godwit";
import { pipe } from "@godwit/godwit/drivers/pipe";
import protocol, { PROTOCOL } from "./mod.ts";

const text = (words: string) => new TextEncoder().encode(words);

function bound(stack: Stack, port: number): number {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, PROTOCOL);
  stack.sys.bind(fd, { port });
  return fd;
}

Deno.test("NAME: a message arrives with its sender", async () => {
  const [left, right] = pipe();
  const interfaces = (driver: typeof left, address: string) => [{ driver, addresses: [address] }];
  await using a = await createStack({ interfaces: interfaces(left, "10.0.0.1/24") });
  await using b = await createStack({ interfaces: interfaces(right, "10.0.0.2/24") });
  await a.protocols.load(protocol);
  await b.protocols.load(protocol);
  const [from, to] = [bound(a, 7), bound(b, 9)];
  await a.sys.sendto(from, text("hello"), 0, { address: "10.0.0.2", port: 9 });
  const buffer = new Uint8Array(100);
  const got = await b.sys.recvfrom(to, buffer);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, got.length)), "hello");
  assertEquals([got.from?.address, got.from?.port], ["10.0.0.1", 7]);
});

Deno.test("NAME: it can be unloaded when its sockets are closed", async () => {
  await using stack = await createStack();
  await stack.protocols.load(protocol);
  const fd = bound(stack, 7);
  await assertRejects(() => stack.protocols.unload("NAME"), SocketError, "EBUSY");
  await stack.sys.close(fd);
  await stack.protocols.unload("NAME");
  assertEquals(stack.protocols.list(), []);
});
