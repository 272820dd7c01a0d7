/** Making, binding and closing sockets. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Shut, Sock } from "../../../assembly/abi/socket.ts";
import { Kernel } from "./kernel.ts";

Deno.test("socket: what is wrong with family, type or protocol decides the error", async () => {
  const k = await Kernel.boot();
  const create = (family: number, type: number, protocol: number) =>
    k.call("so_create", family, type, protocol);
  assertEquals(create(99, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
  assertEquals(create(Af.UNSPEC, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
  assertEquals(create(-1, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
  assertEquals(create(Af.INET6, Sock.STREAM, 0), -Errno.EPFNOSUPPORT);
  assertEquals(create(Af.INET, 0, 0), -Errno.ESOCKTNOSUPPORT);
  assertEquals(create(Af.INET, 9, 0), -Errno.ESOCKTNOSUPPORT);
  assertEquals(create(Af.INET, Sock.SEQPACKET, 0), -Errno.ESOCKTNOSUPPORT);
  assertEquals(create(Af.INET, Sock.DGRAM, IpProto.TCP), -Errno.EPROTOTYPE);
  assertEquals(create(Af.INET, Sock.STREAM, IpProto.UDP), -Errno.EPROTOTYPE);
  assertEquals(create(Af.INET, Sock.STREAM, 200), -Errno.EPROTONOSUPPORT);
  assertEquals(create(Af.INET, Sock.STREAM, -1), -Errno.EPROTONOSUPPORT);
  assertEquals(create(Af.INET, Sock.RAW, 256), -Errno.EPROTONOSUPPORT);
  k.end();
});

Deno.test("socket: ENOBUFS at the limit, and room again after a close", async () => {
  const k = await Kernel.boot({ sockets: 3 });
  const sockets = [Sock.STREAM, Sock.DGRAM, Sock.RAW].map((type) => k.socket(type));
  assertEquals(k.call("so_create", Af.INET, Sock.DGRAM, 0), -Errno.ENOBUFS);
  k.call("so_close", sockets[0]);
  sockets[0] = k.socket(Sock.STREAM);
  k.end(...sockets);
});

for (const [name, type] of [["TCP", Sock.STREAM], ["UDP", Sock.DGRAM]] as const) {
  Deno.test(`${name} bind: foreign address, family, a second time, port 0`, async () => {
    const k = await Kernel.boot();
    const so = k.socket(type);
    assertEquals(k.bind(so, "10.9.9.9", 5000), -Errno.EADDRNOTAVAIL);
    const v6 = k.name({ ip: "127.0.0.1", port: 5000, family: Af.INET6 });
    assertEquals(k.call("so_bind", so, v6), -Errno.EAFNOSUPPORT);
    const outside = new Uint8Array(16).fill(0x20);
    assertEquals(
      k.call("so_bind", so, k.name({ ip: outside, port: 5000 })),
      -Errno.EAFNOSUPPORT,
    );
    assertEquals(k.bind(so, "127.0.0.1", 0), 0);
    const { ip, port, family } = k.sockname(so);
    assertEquals([ip, family], ["127.0.0.1", Af.INET]);
    assert(port >= 49152, `port ${port}`);
    assertEquals(k.bind(so, "127.0.0.1", 5001), -Errno.EINVAL);
    k.end(so);
  });

  Deno.test(`${name} bind: ports below 1024 are for everybody`, async () => {
    const k = await Kernel.boot();
    const so = k.socket(type);
    assertEquals(k.bind(so, "0.0.0.0", 80), 0);
    k.end(so);
  });
}

Deno.test("ephemeral ports are all different and in the dynamic range", async () => {
  const k = await Kernel.boot({ sockets: 300 });
  const sockets = Array.from({ length: 250 }, () => k.socket(Sock.DGRAM));
  for (const so of sockets) assertEquals(k.bind(so, "0.0.0.0", 0), 0);
  const ports = sockets.map((so) => k.sockname(so).port);
  assertEquals(new Set(ports).size, 250);
  assert(ports.every((port) => port >= 49152 && port <= 65535));
  assertNotEquals(ports[1], ports[0] + 1);
  k.end(...sockets);
});

Deno.test("calls that make no sense on a datagram socket", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  assertEquals(k.call("so_listen", so, 5), -Errno.EOPNOTSUPP);
  assertEquals(k.accept(so), -Errno.EOPNOTSUPP);
  assertEquals(k.call("so_disconnect", so), -Errno.ENOTCONN);
  assertEquals(k.call("so_shutdown", so, 3), -Errno.EINVAL);
  assertEquals(k.call("so_peername", so, k.place()), -Errno.ENOTCONN);
  k.end(so);
});

Deno.test("calls on a stream without connection", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  assertEquals(k.send(so, "x"), -Errno.ENOTCONN);
  assertEquals(k.recv(so).n, -Errno.ENOTCONN);
  assertEquals(k.call("so_shutdown", so, Shut.WR), -Errno.ENOTCONN);
  assertEquals(k.call("so_peername", so, k.place()), -Errno.ENOTCONN);
  assertEquals(k.accept(so), -Errno.EINVAL);
  k.end(so);
});
