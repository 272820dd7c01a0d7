/** Several who read or write one connection at once. */

import { assertEquals, assertRejects } from "@std/assert";
import { Msg, So, Sol } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import type { TcpConn } from "../../../runtime/socket/conn.ts";
import { createSim, type Sim } from "../../sim_pair.ts";
import { code } from "./manual_stack.ts";

/** More than buffers and windows hold. */
const LARGE = 1_500_000;

async function connected(sim: Sim): Promise<[TcpConn, TcpConn]> {
  const [a, b] = sim.stacks;
  using listener = b.listen({ port: 80 });
  const client = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  return [client, await sim.run(listener.accept())];
}

/** What comes in until the end, as pairs of a byte and how often it follows itself. */
async function runsOf(conn: TcpConn): Promise<number[][]> {
  const runs: number[][] = [];
  for await (const chunk of conn.readable) {
    for (const byte of chunk) {
      const last = runs.at(-1);
      if (last?.[0] === byte) last[1]++;
      else runs.push([byte, 1]);
    }
  }
  return runs;
}

Deno.test("writes at the same time do not mix, and keep the order of the calls", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const { sys } = sim.stacks[0];
  const [client, server] = await connected(sim);
  const { fd } = client;
  const fill = (length: number, byte: number) => new Uint8Array(length).fill(byte);
  const writes = [
    client.write(fill(LARGE, 1)),
    sys.send(fd, fill(10, 2)),
    sys.sendmsg(fd, { iov: [fill(LARGE, 3), fill(1, 3)] }),
    client.write(fill(1, 4)),
  ];
  assertEquals(code(() => sys.nb.send(fd, fill(1, 9))), "EAGAIN");
  const stopped = new AbortController();
  const given = sys.send(fd, fill(1, 9), 0, { signal: stopped.signal });
  stopped.abort();
  assertEquals((await assertRejects(() => given, SocketError)).code, "EINTR");
  const reading = runsOf(server);
  assertEquals(await sim.run(Promise.all(writes)), [LARGE, 10, LARGE + 1, 1]);
  assertEquals(sys.nb.send(fd, fill(1, 5)), 1);
  await client.closeWrite();
  assertEquals(await sim.run(reading), [[1, LARGE], [2, 10], [3, LARGE + 1], [4, 1], [5, 1]]);
});

Deno.test("who waits first reads first", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const [client, server] = await connected(sim);
  const buffers = [1, 2, 3].map((length) => new Uint8Array(length));
  const reads = buffers.map((buffer) => server.read(buffer));
  await client.write(Uint8Array.of(1, 2, 3, 4, 5, 6));
  assertEquals(await sim.run(Promise.all(reads)), [1, 2, 3]);
  assertEquals(buffers.map((buffer) => [...buffer]), [[1], [2, 3], [4, 5, 6]]);
});

Deno.test("a write fails unless all was written; a system call tells how much was", async () => {
  for (const end of ["reset", "closed"]) {
    await using sim = await createSim({ delay_us: 1000 });
    const [a, b] = sim.stacks;
    const [client, server] = await connected(sim);
    const source = new Blob([new Uint8Array(LARGE)]).stream();
    const piped = assertRejects(() => source.pipeTo(client.writable), SocketError);
    const [other, peer] = await connected(sim);
    const sent = a.sys.send(other.fd, new Uint8Array(LARGE));
    const wrote = assertRejects(() => other.write(new Uint8Array(LARGE)), SocketError);
    sim.advance(100_000);
    await sim.run(Promise.resolve());
    for (const conn of end === "reset" ? [server, peer] : []) {
      b.sys.setsockopt(conn.fd, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
      conn.close();
    }
    for (const conn of end === "closed" ? [client, other] : []) conn.close();
    const expected = end === "reset" ? ["ECONNRESET", "EPIPE"] : ["EBADF"];
    for (const error of [await sim.run(piped), await sim.run(wrote)]) {
      assertEquals([expected.includes(error.code), error.syscall], [true, "write"], error.code);
    }
    assertEquals(await sent > 0 && await sent < LARGE, true);
  }
});

Deno.test("what is no Uint8Array is not sent", async () => {
  await using sim = await createSim();
  const [client] = await connected(sim);
  for (const data of ["text", new Uint16Array(4), new ArrayBuffer(3), [1, 2]]) {
    const error = await assertRejects(() => client.write(data as never), SocketError);
    assertEquals(error.code, "EFAULT");
  }
  const text = new ReadableStream({
    start: (controller) => {
      controller.enqueue("text");
      controller.close();
    },
  });
  await assertRejects(() => text.pipeTo(client.writable), SocketError);
  assertEquals(code(() => sim.stacks[0].sys.nb.send(client.fd, "x" as never, Msg.OOB)), "EFAULT");
});
