/** Connections, listeners and datagram sockets in Deno's shape. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import type { DatagramConn } from "../../../runtime/socket/datagram.ts";
import type { Listener } from "../../../runtime/socket/listener.ts";
import type { TcpConn } from "../../../runtime/socket/conn.ts";
import { createSim, type Sim } from "../../sim_pair.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

/** The compiler's proof that the shapes are Deno's. */
function asDeno(conn: TcpConn, listener: Listener, datagrams: DatagramConn) {
  const tcp: Deno.TcpConn = conn;
  const listening: Pick<Deno.TcpListener, "accept" | "close" | "addr" | "ref" | "unref"> = listener;
  const udp: Omit<Deno.DatagramConn, "joinMulticastV6" | "send"> = datagrams;
  return [tcp, listening, udp];
}

async function connected(
  sim: Sim,
): Promise<{ client: TcpConn; server: TcpConn; listener: Listener }> {
  const [a, b] = sim.stacks;
  const listener = b.listen({ port: 80 });
  const client = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  return { client, server: await sim.run(listener.accept()), listener };
}

async function name(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, SocketError)).name;
}

Deno.test("a connection has Deno's shape, addresses and half close", async () => {
  await using sim = await createSim();
  const { client, server, listener } = await connected(sim);
  asDeno(client, listener, sim.stacks[0].listenDatagram({ port: 1 }));
  assertEquals(listener.addr, { transport: "tcp", hostname: "0.0.0.0", port: 80 });
  assertEquals(client.remoteAddr, { transport: "tcp", hostname: "10.0.0.2", port: 80 });
  assertEquals(client.localAddr.hostname, "10.0.0.1");
  assertEquals(server.remoteAddr, client.localAddr);
  assertEquals(await client.write(bytes("request")), 7);
  const buffer = new Uint8Array(100);
  assertEquals(await sim.run(server.read(buffer)), 7);
  assertEquals(await server.read(new Uint8Array(0)), 0);
  await client.closeWrite();
  assertEquals(await sim.run(server.read(buffer)), null);
  await server.write(bytes("answer"));
  assertEquals(await sim.run(client.read(buffer)), 6);
  assertEquals(await name(client.write(bytes("more"))), "BrokenPipe");
  server.close();
  server.close();
  assertEquals(await sim.run(client.read(buffer)), null);
  assertEquals([server.fd, client.fd >= 3], [-1, true]);
});

Deno.test("a closed connection answers BadResource to everything", async () => {
  await using sim = await createSim();
  const { client, listener } = await connected(sim);
  const reading = name(client.read(new Uint8Array(1)));
  const accepting = name(listener.accept());
  client.close();
  listener.close();
  assertEquals([await reading, await accepting], ["BadResource", "BadResource"]);
  assertEquals(await name(client.read(new Uint8Array(1))), "BadResource");
  assertEquals(await name(client.write(new Uint8Array(1))), "BadResource");
  assertEquals(await name(client.closeWrite()), "BadResource");
  assertEquals(await name(listener.accept()), "BadResource");
  assertEquals(assertThrows(() => client.setNoDelay(), SocketError).name, "BadResource");
  assertEquals(assertThrows(() => client.tryRead(new Uint8Array(1)), SocketError).errno, 9);
});

Deno.test("tryRead and tryWrite never wait", async () => {
  await using sim = await createSim();
  const { client, server } = await connected(sim);
  const buffer = new Uint8Array(9_000_000);
  assertEquals(client.tryRead(buffer), undefined);
  const taken = server.tryWrite(buffer);
  assert(taken > 0 && taken < buffer.length);
  assertEquals(server.tryWrite(buffer), 0);
  await sim.sleep(1000);
  const got = client.tryRead(buffer);
  assert(typeof got === "number" && got > 0);
  server.close();
  // what did not fit into the window comes as room is made for it
  for (let i = 0; i < 1000 && client.tryRead(buffer) !== null; i++) await sim.sleep(1000);
  assertEquals(client.tryRead(buffer), null);
  assertEquals(client.tryRead(new Uint8Array(0)), 0);
});

Deno.test("setNoDelay and setKeepAlive set the options", async () => {
  await using sim = await createSim();
  const { client } = await connected(sim);
  const { sys } = sim.stacks[0];
  client.setNoDelay();
  client.setKeepAlive();
  assertEquals(sys.getsockopt(client.fd, IpProto.TCP, TcpOpt.NODELAY), 1);
  assertEquals(sys.getsockopt(client.fd, Sol.SOCKET, So.KEEPALIVE), 1);
  client.setNoDelay(false);
  client.setKeepAlive(false);
  assertEquals(sys.getsockopt(client.fd, IpProto.TCP, TcpOpt.NODELAY), 0);
  assertEquals(sys.getsockopt(client.fd, Sol.SOCKET, So.KEEPALIVE), 0);
});

Deno.test("a listener is iterated until it is closed", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const listener = b.listen({ port: 80 });
  const echo = (async () => {
    let served = 0;
    for await (const conn of listener) {
      const buffer = new Uint8Array(10);
      const length = await conn.read(buffer);
      await conn.write(buffer.subarray(0, length ?? 0));
      conn.close();
      if (++served === 3) listener.close();
    }
    return served;
  })();
  for (let i = 0; i < 3; i++) {
    using conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
    await conn.write(bytes(`hi ${i}`));
    const buffer = new Uint8Array(10);
    const length = await sim.run(conn.read(buffer));
    assertEquals(text(buffer.subarray(0, length!)), `hi ${i}`);
  }
  assertEquals(await sim.run(echo), 3);
  assertEquals(
    await name(sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }))),
    "ConnectionRefused",
  );
});

Deno.test("leaving the loop over a listener closes it, as in Deno", async () => {
  for (const leave of ["break", "throw"]) {
    await using sim = await createSim();
    const [a, b] = sim.stacks;
    const listener = b.listen({ port: 80 });
    const first = (async () => {
      for await (const conn of listener) {
        if (leave === "throw") throw conn;
        return conn;
      }
    })().catch((conn) => conn);
    using client = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
    using server = await sim.run(first);
    assertEquals(listener.fd, -1);
    await client.write(bytes("still there"));
    assertEquals(await sim.run(server.read(new Uint8Array(20))), 11);
  }
});

Deno.test("connect: refused, given up, from a chosen address", async () => {
  await using sim = await createSim({ delay_us: 1000 });
  const [a, b] = sim.stacks;
  const listener = b.listen({ port: 80, hostname: "10.0.0.2" });
  const peer = { hostname: "10.0.0.2", port: 80 };
  assertEquals(await name(sim.run(a.connect({ ...peer, port: 81 }))), "ConnectionRefused");
  assertEquals(await name(a.connect({ hostname: "172.16.0.1", port: 1 })), "NetworkUnreachable");
  assertEquals(await name(a.connect({ hostname: "nowhere", port: 1 })), "SocketError");
  const reason = new Error("too slow");
  const controller = new AbortController();
  const attempt = a.connect({ ...peer, signal: controller.signal });
  controller.abort(reason);
  assertEquals(await attempt.then(() => undefined, (error) => error), reason);
  const already = a.connect({ ...peer, signal: AbortSignal.abort(reason) });
  assertEquals(await already.then(() => undefined, (error) => error), reason);
  const local = { hostname: "10.0.0.1", port: 4000 };
  const conn = await sim.run(a.connect({ ...peer, local }));
  assertEquals(conn.localAddr, { transport: "tcp", ...local });
  assertEquals(a.netstat().sockets.length, 1, "failed attempts leave no socket");
  listener.close();
});

Deno.test("listen: what cannot be bound is refused, and a socket in use stays", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const first = a.listen({ port: 0 });
  assert(first.addr.port > 0);
  const codes: [() => unknown, string][] = [
    [() => a.listen({ port: first.addr.port }), "AddrInUse"],
    [() => a.listen({ port: 1, hostname: "10.9.9.9" }), "AddrNotAvailable"],
    [() => a.listen({ port: 70_000 }), "SocketError"],
    [() => a.listenDatagram({ port: 1, hostname: "10.9.9.9" }), "AddrNotAvailable"],
    [() => a.listenDatagram({ port: 1, transport: "tcp" as "udp" }), "SocketError"],
  ];
  for (const [call, expected] of codes) {
    assertEquals(assertThrows(call, SocketError).name, expected);
  }
  assertEquals(a.netstat().sockets.length, 1);
});

Deno.test("a reset reaches reader and writer", async () => {
  await using sim = await createSim();
  const { client, server } = await connected(sim);
  const { sys } = sim.stacks[1];
  const reading = name(sim.run(client.read(new Uint8Array(1))));
  sys.setsockopt(server.fd, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
  server.close();
  assertEquals(await reading, "ConnectionReset");
  assertEquals(await name(client.write(new Uint8Array(1))), "BrokenPipe");
});

Deno.test("streams: bytes through, end on close, half close by the writer", async () => {
  await using sim = await createSim({ delay_us: 500 });
  const { client, server } = await connected(sim);
  const sent = Uint8Array.from({ length: 500_000 }, (_, i) => i * 3);
  const writing = (async () => {
    const writer = client.writable.getWriter();
    for (let at = 0; at < sent.length; at += 70_000) {
      await writer.write(sent.subarray(at, at + 70_000));
    }
    await writer.close();
  })();
  const got = await sim.run(new Response(server.readable).bytes());
  await writing;
  assertEquals(got.length, sent.length);
  assert(got.every((byte, i) => byte === sent[i]));
  assert(client.readable === client.readable && client.writable === client.writable);
  const answer = client.readable.pipeThrough(new TextDecoderStream()).getReader();
  await server.write(bytes("still open"));
  assertEquals(await sim.run(answer.read()), { value: "still open", done: false });
  server.close();
  assertEquals((await sim.run(answer.read())).done, true);
});

Deno.test("streams: a reader that brings its buffer, cancel, abort, errors", async () => {
  await using sim = await createSim();
  const { client, server } = await connected(sim);
  const reader = server.readable.getReader({ mode: "byob" });
  await client.write(bytes("hello"));
  const { value } = await sim.run(reader.read(new Uint8Array(3)));
  assertEquals(text(value!), "hel");
  const rest = await sim.run(reader.read(new Uint8Array(3)));
  assertEquals(text(rest.value!), "lo");
  const ending = reader.read(new Uint8Array(3));
  await client.closeWrite();
  assertEquals((await sim.run(ending)).done, true);
  await client.readable.cancel();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await server.writable.abort();
  assertEquals(server.fd, -1);
  const second = await connected(sim).catch((error) => error);
  assert(second instanceof SocketError, "the port is taken by the first listener");
});

Deno.test("datagrams: Deno's shape, one by one, cut, iterated, broadcast", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const left = a.listenDatagram({ hostname: "10.0.0.1", port: 1000 });
  const right = b.listenDatagram({ port: 2000, broadcast: true });
  const to = { hostname: "10.0.0.2", port: 2000 };
  assertEquals(left.addr, { transport: "udp", hostname: "10.0.0.1", port: 1000 });
  assertEquals(await left.send(bytes("one"), to), 3);
  const [data, from] = await sim.run(right.receive());
  assertEquals([text(data), from], ["one", left.addr]);
  await left.send(new Uint8Array(0), to);
  assertEquals((await sim.run(right.receive()))[0].length, 0);
  await left.send(bytes("too long"), to);
  const buffer = new Uint8Array(3);
  const [cut] = await sim.run(right.receive(buffer));
  assertEquals([text(cut), cut.buffer === buffer.buffer], ["too", true]);
  const large = Uint8Array.from({ length: 9000 }, (_, i) => i);
  await left.send(large, to);
  assertEquals((await sim.run(right.receive()))[0], large, "in fragments");
  const listening = (async () => {
    const all: string[] = [];
    for await (const [data] of right) all.push(text(data));
    return all;
  })();
  for (const words of ["a", "b", "c"]) await left.send(bytes(words), to);
  await sim.sleep(1000);
  right.close();
  assertEquals(await listening, ["a", "b", "c"]);
  assertEquals(await name(right.receive()), "BadResource");
  assertEquals(await name(right.send(data, to)), "BadResource");
  const forbidden = left.send(data, { hostname: "10.0.0.255", port: 1 });
  assertEquals(await name(forbidden), "PermissionDenied");
});

Deno.test("datagrams: a group is joined, heard and left", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  const sender = a.listenDatagram({ hostname: "10.0.0.1", port: 0 });
  const member = b.listenDatagram({ port: 5353, reuseAddress: true });
  const to = { hostname: "224.0.0.251", port: 5353 };
  const membership = await member.joinMulticastV4("224.0.0.251", "10.0.0.2");
  await sim.sleep(1000);
  assertEquals(await sender.send(bytes("hello, group"), to), 12);
  const [data] = await sim.run(member.receive());
  assertEquals(text(data), "hello, group");
  await membership.setTTL(3);
  await membership.setLoopback(false);
  await membership.leave();
  assertEquals(await name(membership.leave()), "AddrNotAvailable");
  assertEquals(await name(member.joinMulticastV4("10.0.0.9", "0.0.0.0")), "SocketError");
  assertEquals(await name(member.joinMulticastV4("224.0.0.9", "10.1.1.1")), "SocketError");
  const v6 = await assertRejects(() => member.joinMulticastV6("ff02::1", 0), SocketError);
  assertEquals(v6.code, "EAFNOSUPPORT");
});

Deno.test("disposing closes", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  {
    using _listener = a.listen({ port: 80 });
    using _datagrams = a.listenDatagram({ port: 80 });
    assertEquals(a.netstat().sockets.length, 2);
  }
  assertEquals(a.netstat().sockets.length, 0);
});
