/** How TCP connections begin and end, with a thousand of them at the same time. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import net from "node:net";
import { Af, Shut, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { ownBytes, readExactly, readToEnd, writeAll } from "../kit/content.ts";
import { crowd, echoAll } from "../kit/crowd.ts";
import type { Host } from "../kit/host.ts";
import { Peer } from "../kit/kernel.ts";

const CROWD = 1000;
const CROWD_BYTES = 5000;
const CROWD_SECONDS = 60;
const ECHO_PORT = 7;
const CLOSED_PORT = 9;
/** More than fits the buffers of both ends. */
const LATE_BYTES = 4 << 20;

/** A connection with the stack at one end and the kernel at the other. */
interface Pair {
  /** The stack's end. */
  readonly fd: number;
  /** The kernel's end. */
  readonly kernel: net.Socket;
}

function connected(socket: net.Socket): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** The kernel connects to the stack. */
async function passivePair({ sys }: Host): Promise<Pair> {
  const listener = sys.socket(Af.INET, Sock.STREAM);
  sys.bind(listener, { port: 0 });
  sys.listen(listener, 1);
  const { port } = sys.getsockname(listener);
  const dial = net.connect({ host: GODWIT, port, allowHalfOpen: true });
  const [{ fd }, kernel] = await Promise.all([sys.accept(listener), connected(dial)]);
  await sys.close(listener);
  return { fd, kernel };
}

/** The stack connects to the kernel. */
async function activePair({ sys }: Host): Promise<Pair> {
  const server = net.createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, KERNEL, () => resolve()));
  const accepted = new Promise<net.Socket>((resolve) => server.once("connection", resolve));
  const fd = sys.socket(Af.INET, Sock.STREAM);
  const { port } = server.address() as net.AddressInfo;
  await sys.connect(fd, { address: KERNEL, port });
  const kernel = await accepted;
  server.close();
  return { fd, kernel };
}

const PAIRS: readonly [string, (host: Host) => Promise<Pair>][] = [
  ["that the kernel opened", passivePair],
  ["that the stack opened", activePair],
];

/** A case for connections opened by either end. */
function both(
  name: string,
  use: (host: Host, pair: Pair) => Promise<void>,
): Case[] {
  return PAIRS.map(([opened, open]) => ({
    name: `${name}, on a connection ${opened}`,
    run: async (host) => {
      const pair = await open(host);
      await use(host, pair);
      pair.kernel.destroy();
    },
  }));
}

/** Everything that comes to the kernel's end until its end of stream. */
function kernelReads(kernel: net.Socket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    kernel.on("data", (part) => parts.push(Uint8Array.from(part)));
    kernel.once("error", reject);
    kernel.once("end", () => resolve(new Blob(parts).bytes()));
  });
}

function failure(kernel: net.Socket): Promise<NodeJS.ErrnoException> {
  return new Promise((resolve) => kernel.once("error", resolve));
}

/** The stack's end as a stream. */
function streamOf({ sys }: Host, fd: number) {
  return {
    read: async (buffer: Uint8Array) => (await sys.recv(fd, buffer)) || null,
    write: (data: Uint8Array) => sys.send(fd, data),
  };
}

async function resetsByLinger(host: Host, { fd, kernel }: Pair): Promise<void> {
  const failed = failure(kernel);
  host.sys.setsockopt(fd, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
  await host.sys.close(fd);
  assertEquals((await failed).code, "ECONNRESET");
}

async function isReset({ sys }: Host, { fd, kernel }: Pair): Promise<void> {
  const waiting = assertRejects(() => sys.recv(fd, new Uint8Array(10)), SocketError);
  kernel.resetAndDestroy();
  assertEquals((await waiting).code, "ECONNRESET");
  await sys.close(fd);
}

async function halfClosesFirst(host: Host, { fd, kernel }: Pair): Promise<void> {
  const early = ownBytes(1, 1000);
  const late = ownBytes(2, LATE_BYTES);
  const arrived = kernelReads(kernel);
  await writeAll(streamOf(host, fd), early);
  host.sys.shutdown(fd, Shut.WR);
  assertEquals(await arrived, early);
  const refused = await assertRejects(() => host.sys.send(fd, early), SocketError);
  assertEquals(refused.code, "EPIPE");
  // The other direction still works.
  kernel.end(late);
  assertEquals(await readToEnd(streamOf(host, fd)), late);
  await host.sys.close(fd);
}

async function isHalfClosed(host: Host, { fd, kernel }: Pair): Promise<void> {
  const early = ownBytes(3, 1000);
  const late = ownBytes(4, LATE_BYTES);
  kernel.end(early);
  assertEquals(await readToEnd(streamOf(host, fd)), early);
  assertEquals(await host.sys.recv(fd, new Uint8Array(1)), 0);
  const arrived = kernelReads(kernel);
  await writeAll(streamOf(host, fd), late);
  await host.sys.close(fd);
  assertEquals(await arrived, late);
}

async function carriesUrgentByte({ sys }: Host, { fd, kernel }: Pair): Promise<void> {
  const arrived = kernelReads(kernel);
  await sys.send(fd, Uint8Array.of(1, 2, 3));
  // The kernel takes the urgent byte out of the stream, as SO_OOBINLINE is off.
  await sys.send(fd, Uint8Array.of(4), 1);
  await sys.send(fd, Uint8Array.of(5, 6));
  await sys.close(fd);
  assertEquals(await arrived, Uint8Array.of(1, 2, 3, 5, 6));
}

const refused: Case[] = [
  {
    name: "the kernel refuses the stack's connection",
    run: async ({ sys }) => {
      const fd = sys.socket(Af.INET, Sock.STREAM);
      const error = await assertRejects(
        () => sys.connect(fd, { address: KERNEL, port: CLOSED_PORT }),
        SocketError,
      );
      assertEquals([error.code, error.syscall], ["ECONNREFUSED", "connect"]);
      await sys.close(fd);
    },
  },
  {
    name: "the stack refuses the kernel's connection",
    run: async () => {
      await assertRejects(
        () => Deno.connect({ hostname: GODWIT, port: CLOSED_PORT }),
        Deno.errors.ConnectionRefused,
      );
    },
  },
];

const crowds: Case[] = [
  {
    name: `${CROWD} connections of the kernel to the stack at the same time`,
    seconds: CROWD_SECONDS,
    run: async ({ stack }) => {
      using listener = stack.listen({ port: ECHO_PORT });
      const attendance = { total: 0, most: 0 };
      const serving = echoAll(listener, attendance);
      const args = [GODWIT, ECHO_PORT, CROWD, CROWD_BYTES].map(String);
      await using peer = await Peer.start("crowd", ...args);
      await peer.expect("done");
      listener.close();
      await serving;
      assertEquals(attendance, { total: CROWD, most: CROWD });
    },
  },
  {
    name: `${CROWD} connections of the stack to the kernel at the same time`,
    seconds: CROWD_SECONDS,
    run: async ({ stack }) => {
      await using _peer = await Peer.start("echo", String(ECHO_PORT));
      const connect = () => stack.connect({ hostname: KERNEL, port: ECHO_PORT });
      await crowd(connect, CROWD, CROWD_BYTES);
    },
  },
];

async function reusesPort({ stack }: Host): Promise<void> {
  for (let i = 0; i < 3; i++) {
    using listener = stack.listen({ port: 2323 });
    const dial = Deno.connect({ hostname: GODWIT, port: 2323 });
    const [conn, kernel] = await Promise.all([listener.accept(), dial]);
    // The stack closes first, so the connection's TIME-WAIT is on its side.
    conn.close();
    assertEquals(await kernel.read(new Uint8Array(1)), null);
    kernel.close();
  }
}

async function waitsForSlowReader(host: Host, { fd, kernel }: Pair): Promise<void> {
  const sent = ownBytes(5, LATE_BYTES);
  kernel.pause();
  const sending = writeAll(streamOf(host, fd), sent);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const arrived = kernelReads(kernel);
  kernel.resume();
  await sending;
  host.sys.shutdown(fd, Shut.WR);
  assertEquals(await arrived, sent);
  kernel.end();
  assertEquals(await host.sys.recv(fd, new Uint8Array(1)), 0);
  await host.sys.close(fd);
}

async function isSlowReader(host: Host, { fd, kernel }: Pair): Promise<void> {
  const sent = ownBytes(6, LATE_BYTES);
  kernel.end(sent);
  // The window closes; the kernel probes it.
  await new Promise((resolve) => setTimeout(resolve, 700));
  const got = await readExactly(streamOf(host, fd), sent.length);
  assertEquals(got, sent);
  await host.sys.close(fd);
  assert(kernel.bytesWritten === sent.length);
}

/** The cases. */
export const group: Group = {
  name: "interop connections",
  module: import.meta.url,
  cases: [
    ...refused,
    ...both("closing with SO_LINGER 0 resets", resetsByLinger),
    ...both("a reset by the kernel is ECONNRESET", isReset),
    ...both("the stack half-closes and still receives", halfClosesFirst),
    ...both("the kernel half-closes and still receives", isHalfClosed),
    ...both("the urgent byte leaves the stream", carriesUrgentByte),
    ...both("the stack waits for a kernel that does not read", waitsForSlowReader),
    ...both("the kernel waits for a stack that does not read", isSlowReader),
    { name: "a port can be listened on again while TIME-WAIT lasts", run: reusesPort },
    ...crowds,
  ],
  seen: [
    { name: "resets both ways", filter: "tcp.flags.reset == 1", atLeast: 6 },
    { name: "the stack's urgent data", filter: `tcp.flags.urg == 1 && ip.src == ${GODWIT}` },
  ],
};
