/** A stack as bytes: it goes on elsewhere, with its connections open. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { Bridge } from "../../../drivers/bridge.ts";
import {
  createStack,
  type DatagramConn,
  EWOULDBLOCK,
  type Listener,
  SnapshotError,
  SocketError,
  type Stack,
  type TcpConn,
} from "../../../mod.ts";
import checkedEngine from "../../engine_checked_module.js";

const MEMORY = { bytes: 16 * 2 ** 20 };

async function host(bridge: Bridge, address: string): Promise<Stack> {
  return await createStack({
    engine: checkedEngine,
    memory: MEMORY,
    hostname: `host-${address}`,
    interfaces: [{ name: "eth0", driver: bridge.port(), addresses: [`${address}/24`] }],
  });
}

/** Ends a stack whose snapshot goes on: nothing more may leave it. */
async function abandon(stack: Stack): Promise<void> {
  for (const attachment of stack.interfaces) attachment.down("moved");
  await stack.close();
}

async function restore(bridge: Bridge, snapshot: Uint8Array): Promise<Stack> {
  return await createStack({
    engine: checkedEngine,
    snapshot,
    interfaces: [{ name: "eth0", driver: bridge.port() }],
  });
}

/** Bytes `from` to `from + length` of an endless stream without a short period. */
function content(from: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (from + i) * 31 + ((from + i) >>> 8) * 7);
}

/** Sends as much of the content as the socket takes; answers where it stopped. */
function sendSome(stack: Stack, fd: number, from: number, end: number): number {
  while (from < end) {
    const chunk = content(from, Math.min(16384, end - from));
    try {
      from += stack.sys.nb.send(fd, chunk);
    } catch (error) {
      if (error instanceof SocketError && error.errno === EWOULDBLOCK) return from;
      throw error;
    }
  }
  return from;
}

/** What a stack knows of the network. */
function tables(stack: Stack): unknown {
  const { routes, neighbors } = stack.netstat();
  return [routes.map((route) => ({ ...route, use: 0 })), neighbors];
}

/** Reads the content to its end; answers its length, or throws where it is wrong. */
async function readContent(conn: TcpConn, slowly: () => Promise<void>): Promise<number> {
  const buffer = new Uint8Array(10_000);
  let at = 0;
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    assertEquals(buffer.subarray(0, n), content(at, n), `from byte ${at}`);
    at += n;
    await slowly();
  }
  return at;
}

Deno.test("a sender moves three times in mid-transfer, and every byte arrives", async () => {
  const bridge = new Bridge();
  const reader = await host(bridge, "10.0.0.1");
  let sender = await host(bridge, "10.0.0.2");
  const listener = sender.listen({ port: 80 });
  const client = await reader.connect({ hostname: "10.0.0.2", port: 80 });
  const { fd } = await listener.accept();
  const end = 3_000_000;
  const got = readContent(client, () => new Promise((done) => setImmediate(done)));
  let sent = 0;
  for (let move = 1; move <= 3; move++) {
    while (sent < end * move / 4) {
      sent = sendSome(sender, fd, sent, end);
      await new Promise((done) => setTimeout(done, 1));
    }
    const snapshot = sender.snapshot();
    await abandon(sender);
    sender = await restore(bridge, snapshot);
  }
  const conn = sender.openFd(fd) as TcpConn;
  assertEquals(conn.remoteAddr, { ...conn.remoteAddr, hostname: "10.0.0.1" });
  while (sent < end) sent += await conn.write(content(sent, Math.min(50_000, end - sent)));
  await conn.closeWrite();
  assertEquals(await got, end);
  conn.close();
  client.close();
  await reader.close();
  await sender.close();
});

Deno.test("listeners, unread data, datagrams, names, routes and neighbours go on", async () => {
  const bridge = new Bridge();
  const peer = await host(bridge, "10.0.0.1");
  const old = await host(bridge, "10.0.0.2");
  old.forwarding = true;
  old.route.add("192.0.2.0/24", { gateway: "10.0.0.1" });
  const listening = old.listen({ port: 80 }).fd;
  const datagrams = old.listenDatagram({ port: 53 }).fd;
  const client = await peer.connect({ hostname: "10.0.0.2", port: 80 });
  const { fd: accepted } = await (old.openFd(listening) as Listener).accept();
  await client.write(content(0, 5000));
  await peer.listenDatagram({ port: 54 })
    .send(content(0, 100), { hostname: "10.0.0.2", port: 53 });
  await new Promise((done) => setTimeout(done, 20));
  const before = tables(old);
  const snapshot = old.snapshot();
  assertEquals(snapshot.length < 2 ** 20, true, `${snapshot.length} bytes for an idle stack`);
  await abandon(old);

  const stack = await restore(bridge, snapshot);
  assertEquals(stack.sys.gethostname(), "host-10.0.0.2");
  assertEquals(stack.forwarding, true);
  assertEquals(tables(stack), before);
  const conn = stack.openFd(accepted) as TcpConn;
  const buffer = new Uint8Array(8000);
  assertEquals(await conn.read(buffer), 5000);
  assertEquals(buffer.subarray(0, 5000), content(0, 5000));
  const udp = stack.openFd(datagrams) as DatagramConn;
  assertEquals((await udp.receive())[0], content(0, 100));
  const later = await peer.connect({ hostname: "10.0.0.2", port: 80 });
  assertEquals(
    (await (stack.openFd(listening) as Listener).accept()).localAddr.port,
    80,
  );
  // descriptors go on too: the lowest free one is the one that was free
  assertEquals(stack.sys.socket(Af.INET, Sock.DGRAM) > accepted, true);
  assertThrows(() => stack.openFd(999), SocketError, "EBADF");
  later.close();
  await stack.close();
  await peer.close();
});

Deno.test("what cannot be restored is refused, with the reason", async () => {
  const bridge = new Bridge();
  const stack = await host(bridge, "10.0.0.2");
  const snapshot = stack.snapshot();
  const refused = (bytes: Uint8Array, words: string) =>
    assertRejects(() => restore(bridge, bytes), SnapshotError, words);
  await refused(new Uint8Array(0), "no snapshot");
  await refused(new TextEncoder().encode("godwit-9, or something else"), "no snapshot");
  for (const length of [8, 11, 12, 40, 400, 5000, snapshot.length - 4, snapshot.length - 1]) {
    await refused(snapshot.slice(0, length), "cut off");
  }
  const text = new TextDecoder("latin1").decode(snapshot.subarray(0, 400));
  const changed = (field: string) => {
    const bytes = snapshot.slice();
    const at = text.indexOf(`"${field}":"`) + field.length + 4;
    bytes[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
    return bytes;
  };
  await refused(changed("layout"), "other structures");
  await refused(changed("engine"), "another build");
  const without = () => createStack({ engine: checkedEngine, snapshot });
  await assertRejects(without, SocketError, "eth0 needs a driver");
  const unknown = [{ name: "eth1", driver: bridge.port() }];
  await assertRejects(
    () => createStack({ engine: checkedEngine, snapshot, interfaces: unknown }),
    SocketError,
    "no interface eth1",
  );
  await stack.close();
});
