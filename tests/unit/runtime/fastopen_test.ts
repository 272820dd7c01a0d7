/** Fast Open as programs use it: connect with fastOpen, sendto with MSG_FASTOPEN, options. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Msg, Sock, TcpOpt } from "../../../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../../../mod.ts";
import type { TcpInfo } from "../../../runtime/socket/tcp_info.ts";
import { createSim } from "../../sim_pair.ts";

const DELAY_US = 10_000;
const SERVER = { hostname: "10.0.0.2", port: 80 };
const SYN_DATA = 32;

/** Two stacks, the second with a listener that does Fast Open and answers with what it reads. */
async function echoing() {
  const sim = await createSim({ delay_us: DELAY_US });
  const [a, b] = sim.stacks;
  b.sysctl.set("net.ipv4.tcp_fastopen", 0x403);
  const listener = b.listen({ port: 80 });
  const serve = async () => {
    for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
  };
  serve().catch(() => {});
  return { sim, a, b, listener, [Symbol.asyncDispose]: () => sim[Symbol.asyncDispose]() };
}

/** Connects once, so that the client has a cookie. */
async function prime({ sim, a }: Awaited<ReturnType<typeof echoing>>): Promise<void> {
  const conn = await sim.run(a.connect({ ...SERVER, fastOpen: true }));
  conn.close();
  await sim.sleep(1_000_000);
}

function synData(stack: Stack, fd: number): boolean {
  const info = stack.sys.getsockopt(fd, IpProto.TCP, TcpOpt.INFO) as TcpInfo;
  return (info.options & SYN_DATA) !== 0;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("connect with fastOpen: the second connection answers after one round trip", async () => {
  await using world = await echoing();
  const { sim, a } = world;
  const clock = () => sim.clock.now_us();
  await prime(world);
  const begin = clock();
  const conn = await a.connect({ ...SERVER, fastOpen: true });
  assertEquals(clock(), begin, "at once");
  assertEquals(conn.remoteAddr, { transport: "tcp", ...SERVER });
  const buffer = new Uint8Array(100);
  await conn.write(bytes("hello"));
  const n = await sim.run(conn.read(buffer));
  assertEquals(text(buffer.subarray(0, n!)), "hello");
  assert(clock() - begin < 3 * DELAY_US, `${clock() - begin} us`);
  assertEquals(synData(a, conn.fd), true);
  conn.close();
});

Deno.test("connect with fastOpen: without a cookie it is an ordinary connection", async () => {
  await using world = await echoing();
  const { sim, a } = world;
  const conn = await sim.run(a.connect({ ...SERVER, fastOpen: true }));
  assertEquals(synData(a, conn.fd), false);
  const buffer = new Uint8Array(100);
  await conn.write(bytes("hello"));
  assertEquals(await sim.run(conn.read(buffer)), 5);
  conn.close();
});

Deno.test("connect with fastOpen: more than fits in the SYN is all sent, in order", async () => {
  await using world = await echoing();
  const { sim, a } = world;
  await prime(world);
  const data = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7 + (i >> 8));
  const conn = await a.connect({ ...SERVER, fastOpen: true });
  const writing = conn.write(data);
  const got: number[] = [];
  const buffer = new Uint8Array(65536);
  while (got.length < data.length) {
    const n = await sim.run(conn.read(buffer));
    assert(n !== null);
    got.push(...buffer.subarray(0, n));
  }
  assertEquals(Uint8Array.from(got), data);
  assertEquals(await writing, data.length);
  conn.close();
});

Deno.test("connect with fastOpen: who reads first connects without data", async () => {
  await using sim = await createSim({ delay_us: DELAY_US });
  const [a, b] = sim.stacks;
  b.sysctl.set("net.ipv4.tcp_fastopen", 0x403);
  const listener = b.listen({ port: 80 });
  const first = await sim.run(a.connect({ ...SERVER, fastOpen: true }));
  first.close();
  (await sim.run(listener.accept())).close();
  const conn = await a.connect({ ...SERVER, fastOpen: true });
  const reading = conn.read(new Uint8Array(10));
  const peer = await sim.run(listener.accept());
  await peer.write(bytes("greeting"));
  assertEquals(await sim.run(reading), 8);
  conn.close();
  peer.close();
});

Deno.test("connect with fastOpen: the first read or write tells that nobody listens", async () => {
  await using world = await echoing();
  const { sim, a, listener } = world;
  await prime(world);
  listener.close();
  const conn = await a.connect({ ...SERVER, fastOpen: true });
  await conn.write(bytes("hello"));
  const error = await assertRejects(() => sim.run(conn.read(new Uint8Array(1))), SocketError);
  assertEquals(error.errno, Errno.ECONNREFUSED);
  conn.close();
});

Deno.test("sendto with MSG_FASTOPEN waits for the connection and sends all", async () => {
  await using world = await echoing();
  const { sim, a } = world;
  const to = { address: SERVER.hostname, port: SERVER.port };
  for (const cookie of [false, true]) {
    const fd = a.sys.socket(Af.INET, Sock.STREAM);
    const data = new Uint8Array(5000).fill(1);
    assertEquals(await sim.run(a.sys.sendto(fd, data, Msg.FASTOPEN, to)), 5000);
    let got = 0;
    while (got < 5000) got += await sim.run(a.sys.recv(fd, new Uint8Array(5000)));
    assertEquals(synData(a, fd), cookie);
    const again = await assertRejects(
      () => a.sys.sendto(fd, data, Msg.FASTOPEN, to),
      SocketError,
    );
    assertEquals(again.errno, Errno.EISCONN);
    await a.sys.close(fd);
    await sim.sleep(1_000_000);
  }
});

Deno.test("sendmsg and the calls that do not wait do Fast Open too", async () => {
  await using world = await echoing();
  const { sim, a } = world;
  const name = { address: SERVER.hostname, port: SERVER.port };
  const first = a.sys.socket(Af.INET, Sock.STREAM);
  const iov = [bytes("he"), bytes("llo")];
  assertEquals(await sim.run(a.sys.sendmsg(first, { iov, name }, Msg.FASTOPEN)), 5);
  const second = a.sys.socket(Af.INET, Sock.STREAM);
  assertEquals(a.sys.nb.sendto(second, bytes("hello"), Msg.FASTOPEN, name), 5);
  a.route.forgetMetrics();
  const third = a.sys.socket(Af.INET, Sock.STREAM);
  const begun = assertThrows(
    () => a.sys.nb.sendto(third, bytes("hello"), Msg.FASTOPEN, name),
    SocketError,
  );
  assertEquals(begun.errno, Errno.EINPROGRESS);
  for (const fd of [first, second]) {
    assertEquals(await sim.run(a.sys.recv(fd, new Uint8Array(10))), 5);
  }
  for (const fd of [first, second, third]) a.sys.nb.close(fd);
});
