/**
 * Each network error code of AIX, 57 to 81, produced by a real situation: two stacks on a wire, and
 * a program that does something the code is for. There is none that this stack cannot produce.
 */

import { assertEquals, assertInstanceOf } from "@std/assert";
import { Iff, Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Msg, Shut, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import type { Syscalls } from "../../../runtime/socket/syscalls.ts";
import { createSim, type Sim } from "../../sim_pair.ts";

const one = new Uint8Array(1);
const PEER = "10.0.0.2";

/** What a situation has: two hosts, and the calls of either. */
interface Scene {
  readonly sim: Sim;
  /** Calls of 10.0.0.1. */
  readonly a: Syscalls;
  /** Calls of 10.0.0.2. */
  readonly b: Syscalls;
}

/** What a program does; the last call fails. */
type Situation = (scene: Scene) => unknown;

interface Row {
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  readonly when: string;
  readonly situation: Situation;
}

function row(
  errno: number,
  code: string,
  syscall: string,
  when: string,
  situation: Situation,
): Row {
  return { errno, code, syscall, when, situation };
}

const udp = (sys: Syscalls) => sys.socket(Af.INET, Sock.DGRAM);
const tcp = (sys: Syscalls) => sys.socket(Af.INET, Sock.STREAM);

function listener(sys: Syscalls, port: number): number {
  const fd = tcp(sys);
  sys.bind(fd, { port });
  sys.listen(fd);
  return fd;
}

/** A connection from a to b. */
async function connected({ sim, a, b }: Scene): Promise<{ client: number; server: number }> {
  const listening = listener(b, 80);
  const client = tcp(a);
  await sim.run(a.connect(client, { address: PEER, port: 80 }));
  return { client, server: (await sim.run(b.accept(listening))).fd };
}

/** A close by `sys` that resets the connection. */
async function reset(sys: Syscalls, fd: number): Promise<void> {
  sys.setsockopt(fd, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
  await sys.close(fd);
}

const TABLE: readonly Row[] = [
  row(57, "ENOTSOCK", "getsockname", "a descriptor is open, but no socket", ({ a }) => {
    a.getsockname(1);
  }),
  row(58, "EDESTADDRREQ", "send", "a datagram is sent to nobody", ({ a }) => a.send(udp(a), one)),
  row(59, "EMSGSIZE", "sendto", "a datagram is longer than IP can carry", ({ a }) => {
    const fd = udp(a);
    a.setsockopt(fd, Sol.SOCKET, So.SNDBUF, 100_000);
    return a.sendto(fd, new Uint8Array(65_508), 0, { address: PEER, port: 1 });
  }),
  row(60, "EPROTOTYPE", "socket", "a stream of UDP is asked for", ({ a }) => {
    a.socket(Af.INET, Sock.STREAM, IpProto.UDP);
  }),
  row(61, "ENOPROTOOPT", "setsockopt", "there is no such option", ({ a }) => {
    a.setsockopt(tcp(a), IpProto.TCP, 0x7777, 1);
  }),
  row(62, "EPROTONOSUPPORT", "socket", "no stream protocol has that number", ({ a }) => {
    a.socket(Af.INET, Sock.STREAM, 132);
  }),
  row(63, "ESOCKTNOSUPPORT", "socket", "the domain has no sockets of that type", ({ a }) => {
    a.socket(Af.INET, Sock.RDM);
  }),
  row(64, "EOPNOTSUPP", "listen", "a datagram socket is to accept connections", ({ a }) => {
    a.listen(udp(a));
  }),
  row(65, "EPFNOSUPPORT", "socket", "the domain is not there", ({ a }) => {
    a.socket(Af.INET6, Sock.STREAM);
  }),
  row(66, "EAFNOSUPPORT", "connect", "an IPv4 socket gets an IPv6 address", ({ a }) => {
    return a.connect(tcp(a), { address: "2001:db8::1", port: 80 });
  }),
  row(67, "EADDRINUSE", "bind", "another socket has the port", ({ a }) => {
    listener(a, 80);
    a.bind(tcp(a), { port: 80 });
  }),
  row(68, "EADDRNOTAVAIL", "bind", "the address is another host's", ({ a }) => {
    a.bind(tcp(a), { address: PEER, port: 80 });
  }),
  row(69, "ENETDOWN", "sendto", "the interface that was chosen is down", ({ a }) => {
    const fd = udp(a);
    a.setsockopt(fd, IpProto.IP, IpOpt.MULTICAST_IF, "eth0");
    a.ioctl(fd, Sioc.SIFFLAGS, { ifname: "eth0", flags: Iff.MULTICAST });
    return a.sendto(fd, one, 0, { address: "224.0.0.9", port: 1 });
  }),
  row(70, "ENETUNREACH", "connect", "no route leads there", ({ a }) => {
    return a.connect(tcp(a), { address: "192.0.2.1", port: 80 });
  }),
  row(71, "ENETRESET", "recv", "the address of a connection is taken away", async (scene) => {
    const { client } = await connected(scene);
    scene.sim.stacks[0].removeAddress("eth0", "10.0.0.1/24");
    return await scene.sim.run(scene.a.recv(client, one));
  }),
  row(72, "ECONNABORTED", "accept", "the peer resets before it is accepted", async (scene) => {
    const { sim, a, b } = scene;
    const listening = listener(b, 80);
    const client = tcp(a);
    await sim.run(a.connect(client, { address: PEER, port: 80 }));
    await reset(a, client);
    sim.settle();
    return await sim.run(b.accept(listening));
  }),
  row(73, "ECONNRESET", "recv", "the peer resets the connection", async (scene) => {
    const { client, server } = await connected(scene);
    await reset(scene.b, server);
    return await scene.sim.run(scene.a.recv(client, one));
  }),
  row(74, "ENOBUFS", "sendto", "datagrams come faster than the interface takes them", (scene) => {
    const { sim, a } = scene;
    const fd = udp(a);
    const send = () => a.nb.sendto(fd, one, 0, { address: PEER, port: 1 });
    send();
    sim.settle();
    for (let i = 0; i < 5000; i++) send();
  }),
  row(75, "EISCONN", "connect", "the socket has a connection", async (scene) => {
    const { client } = await connected(scene);
    return await scene.a.connect(client, { address: PEER, port: 80 });
  }),
  row(76, "ENOTCONN", "getpeername", "the socket has no peer", ({ a }) => {
    a.getpeername(tcp(a));
  }),
  row(77, "ESHUTDOWN", "send", "a datagram socket's sending side is shut down", async ({ a }) => {
    const fd = udp(a);
    await a.connect(fd, { address: PEER, port: 1 });
    a.shutdown(fd, Shut.WR);
    return await a.send(fd, one);
  }),
  row(78, "ETIMEDOUT", "recv", "the peer answers no more", async (scene) => {
    const { client } = await connected(scene);
    scene.sim.wire.options = { loss: (frame) => frame.bytes[12] === 8 && frame.bytes[13] === 0 };
    await scene.a.send(client, one);
    return await scene.sim.run(scene.a.recv(client, one));
  }),
  row(79, "ECONNREFUSED", "connect", "nobody listens there", ({ sim, a }) => {
    return sim.run(a.connect(tcp(a), { address: PEER, port: 80 }));
  }),
  row(80, "EHOSTDOWN", "connect", "no host has the address", ({ sim, a }) => {
    return sim.run(a.connect(tcp(a), { address: "10.0.0.77", port: 80 }));
  }),
  row(81, "EHOSTUNREACH", "connect", "a route says that the host cannot be reached", (scene) => {
    scene.sim.stacks[0].route.add("192.0.2.0/24", { kind: "reject" });
    return scene.a.connect(tcp(scene.a), { address: "192.0.2.1", port: 80 });
  }),
];

Deno.test("the table has each network error code of AIX once, in order", () => {
  assertEquals(TABLE.map(({ errno }) => errno), Array.from({ length: 25 }, (_, i) => 57 + i));
});

for (const { errno, code, syscall, when, situation } of TABLE) {
  Deno.test(`${errno} ${code}: ${when}`, async () => {
    await using sim = await createSim({ seed: errno });
    let error: unknown;
    try {
      await situation({ sim, a: sim.stacks[0].sys, b: sim.stacks[1].sys });
    } catch (thrown) {
      error = thrown;
    }
    assertInstanceOf(error, SocketError);
    assertEquals([error.errno, error.code, error.syscall], [errno, code, syscall]);
  });
}

Deno.test("a datagram that nobody takes is reported to the socket that is connected", async () => {
  await using sim = await createSim();
  const { sys } = sim.stacks[0];
  const fd = udp(sys);
  await sys.connect(fd, { address: PEER, port: 7 });
  await sys.send(fd, one);
  sim.settle();
  const refused = sys.send(fd, one).then(() => undefined, (error) => error);
  assertEquals((await refused as SocketError).code, "ECONNREFUSED");
  assertEquals(await sys.send(fd, one), 1, "an error is reported once");
  sim.settle();
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.ERROR), 79);
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.ERROR), 0);
  await sys.recv(fd, one, Msg.DONTWAIT).catch((error) => assertEquals(error.code, "EAGAIN"));
});
