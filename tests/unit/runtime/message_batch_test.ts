/** Several datagrams in one call. */

import { assertEquals, assertThrows } from "@std/assert";
import { Af, Shut, Sock } from "../../../assembly/abi/socket.ts";
import { MessageBatch } from "../../../runtime/socket/message_batch.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { code, manual, pair, settle } from "./manual_stack.ts";

const text = (view: Uint8Array) => new TextDecoder().decode(view);
const bytes = (words: string) => new TextEncoder().encode(words);

function socket({ sys }: Stack, port: number): number {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(fd, { port });
  return fd;
}

Deno.test("a batch is sent and received message by message, with addresses", async () => {
  await using stack = await manual();
  const { nb } = stack.sys;
  const [from, one, two] = [socket(stack, 1000), socket(stack, 1001), socket(stack, 1002)];
  const batch = new MessageBatch(8);
  for (let i = 0; i < 6; i++) {
    const to = { address: "127.0.0.1", port: 1001 + i % 2 };
    assertEquals(batch.push(bytes("m".repeat(i * 3)), to), true);
  }
  assertEquals(nb.sendmmsg(from, batch), 6);
  settle(stack);
  for (const [fd, odd] of [[one, 0], [two, 1]]) {
    const got = new MessageBatch(8);
    assertEquals(nb.recvmmsg(fd, got), 3);
    assertEquals([0, 1, 2].map((i) => got.message(i).length), [0, 6, 12].map((n) => n + odd * 3));
    const sender = { family: Af.INET, address: "127.0.0.1", port: 1000 };
    assertEquals(got.address(2), sender);
    assertThrows(() => got.message(3), RangeError);
    assertThrows(() => got.address(-1), RangeError);
    assertEquals(code(() => nb.recvmmsg(fd, got)), "EAGAIN");
  }
});

Deno.test("a batch is received as far as it fits; a first message too long is cut", async () => {
  await using stack = await manual();
  const { nb } = stack.sys;
  const [from, to] = [socket(stack, 1000), socket(stack, 1001)];
  await stack.sys.connect(from, { address: "127.0.0.1", port: 1001 });
  for (const words of ["12345", "abcde", "long long long"]) nb.send(from, bytes(words));
  settle(stack);
  const got = new MessageBatch(4, 10);
  assertEquals(nb.recvmmsg(to, got), 2);
  assertEquals([text(got.message(0)), text(got.message(1))], ["12345", "abcde"]);
  assertEquals([got.bytes, got.offset(1)], [10, 5]);
  assertEquals(nb.recvmmsg(to, got), 1);
  assertEquals([text(got.message(0)), got.fullLengths[0]], ["long long ", 14]);
  nb.send(from, bytes("1"));
  nb.send(from, bytes("2"));
  settle(stack);
  const single = new MessageBatch(1);
  assertEquals(nb.recvmmsg(to, single), 1);
  assertEquals(text(single.message(0)), "1");
});

Deno.test("an error stops a batch; only the first message's is thrown", async () => {
  await using stack = await manual();
  const { nb } = stack.sys;
  const from = socket(stack, 1000);
  const batch = new MessageBatch();
  batch.push(bytes("nowhere"));
  assertEquals(code(() => nb.sendmmsg(from, batch)), "EDESTADDRREQ");
  batch.clear();
  batch.push(bytes("there"), { address: "127.0.0.1", port: 1001 });
  batch.push(bytes("nowhere"));
  assertEquals(nb.sendmmsg(from, batch), 1);
  batch.clear();
  assertEquals(nb.sendmmsg(from, batch), 0);
  batch.count = 99;
  assertEquals(code(() => nb.sendmmsg(from, batch)), "EINVAL");
  stack.sys.nb.close(from);
  assertEquals(code(() => nb.sendmmsg(from, batch)), "EBADF");
  assertEquals(code(() => nb.recvmmsg(from, batch)), "EBADF");
});

Deno.test("a batch is for messages, and its sizes have limits", async () => {
  await using stack = await manual();
  const [client] = pair(stack);
  const batch = new MessageBatch(2, 8);
  assertEquals(code(() => stack.sys.nb.recvmmsg(client, batch)), "EOPNOTSUPP");
  assertEquals(batch.push(new Uint8Array(9)), false);
  assertEquals([batch.push(bytes("1234")), batch.push(bytes("5")), batch.push(bytes("6"))], [
    true,
    true,
    false,
  ]);
  assertEquals(batch.address(0), undefined);
  assertEquals(code(() => stack.sys.nb.sendmmsg(client, batch)), "EOPNOTSUPP");
  batch.clear();
  assertEquals(code(() => batch.push(bytes(""), { address: "::1", port: 1 })), "EINVAL");
  assertEquals(code(() => batch.push(bytes(""), { port: 65536 })), "EINVAL");
  for (const wrong of [0, 65, 1.5]) assertThrows(() => new MessageBatch(wrong), RangeError);
  for (const wrong of [0, 65537]) assertThrows(() => new MessageBatch(1, wrong), RangeError);
});

Deno.test("recvmmsg waits for the first message, and ends with the socket", async () => {
  await using stack = await manual();
  const there = stack.listenDatagram({ port: 1001 });
  const here = stack.listenDatagram({ port: 1000 });
  const got = new MessageBatch(4);
  const waiting = there.receiveBatch(got);
  const batch = new MessageBatch(4);
  for (const word of ["a", "b"]) batch.push(bytes(word), { address: "127.0.0.1", port: 1001 });
  assertEquals(await here.sendBatch(batch), 2);
  settle(stack);
  const count = await waiting;
  assertEquals(count + (count < 2 ? stack.sys.nb.recvmmsg(there.fd, got) : 0), 2);
  const next = there.receiveBatch(got).catch((error) => error.code);
  there.close();
  assertEquals(await next, "EBADF");
});

Deno.test("a socket that is shut down answers a batch with its end, once a call", async () => {
  await using stack = await manual();
  const fd = socket(stack, 1001);
  await stack.sys.connect(fd, { address: "127.0.0.1", port: 1002 });
  stack.sys.shutdown(fd, Shut.RD);
  const got = new MessageBatch(4);
  assertEquals(stack.sys.nb.recvmmsg(fd, got), 1);
  assertEquals(got.message(0).length, 0);
});
