/** Socket options: each value read back, and everything that is refused. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Limits } from "../../../assembly/abi/limits.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt, Msg, Pmtud, So, Sock, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { Kernel } from "./kernel.ts";

const FLAGS = [
  So.DEBUG,
  So.REUSEADDR,
  So.KEEPALIVE,
  So.DONTROUTE,
  So.BROADCAST,
  So.USELOOPBACK,
  So.OOBINLINE,
  So.REUSEPORT,
  So.TIMESTAMPNS,
];

Deno.test("flags are off at first, on when set, and do not touch each other", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  for (const flag of FLAGS) {
    assertEquals(k.getopt(so, Sol.SOCKET, flag), 0);
    assertEquals(k.setopt(so, Sol.SOCKET, flag, 5), 0);
    assertEquals(FLAGS.filter((f) => k.getopt(so, Sol.SOCKET, f)), [flag]);
    assertEquals(k.setopt(so, Sol.SOCKET, flag, 0), 0);
    assertEquals(k.getopt(so, Sol.SOCKET, flag), 0);
  }
  k.end(so);
});

Deno.test("buffer sizes: 1 to SB_MAX; low-water marks never above the size", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  for (const [size, low] of [[So.SNDBUF, So.SNDLOWAT], [So.RCVBUF, So.RCVLOWAT]]) {
    assertEquals(k.setopt(so, Sol.SOCKET, size, 5000), 0);
    assertEquals(k.getopt(so, Sol.SOCKET, size), 5000);
    assertEquals(k.setopt(so, Sol.SOCKET, size, 0), -Errno.EINVAL);
    assertEquals(k.setopt(so, Sol.SOCKET, size, -1), -Errno.EINVAL);
    assertEquals(k.setopt(so, Sol.SOCKET, size, Limits.SB_MAX), 0);
    assertEquals(k.setopt(so, Sol.SOCKET, size, Limits.SB_MAX + 1), -Errno.ENOBUFS);
    assertEquals(k.setopt(so, Sol.SOCKET, size, 4000), 0);
    assertEquals(k.setopt(so, Sol.SOCKET, low, 9000), 0);
    assertEquals(k.getopt(so, Sol.SOCKET, low), 4000);
    assertEquals(k.setopt(so, Sol.SOCKET, low, 0), -Errno.EINVAL);
    assertEquals(k.setopt(so, Sol.SOCKET, size, 1000), 0);
    assertEquals(k.getopt(so, Sol.SOCKET, low), 1000);
  }
  k.end(so);
});

Deno.test("SO_LINGER has a switch and a time", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  const at = k.place();
  const read = () => {
    assertEquals(k.call("so_getopt", so, Sol.SOCKET, So.LINGER, at, 8), 8);
    return [k.view.getInt32(at, true), k.view.getInt32(at + 4, true)];
  };
  assertEquals(read(), [0, 0]);
  assertEquals(k.setopt(so, Sol.SOCKET, So.LINGER, 1, 30), 0);
  assertEquals(read(), [1, 30]);
  assertEquals(k.setopt(so, Sol.SOCKET, So.LINGER, 1, -1), -Errno.EINVAL);
  assertEquals(k.setopt(so, Sol.SOCKET, So.LINGER, 1), -Errno.EINVAL);
  assertEquals(k.setopt(so, Sol.SOCKET, So.LINGER, 0, 30), 0);
  assertEquals(read(), [0, 0]);
  assertEquals(k.call("so_getopt", so, Sol.SOCKET, So.LINGER, at, 4), -Errno.EINVAL);
  k.end(so);
});

Deno.test("timeouts are microseconds, finite and not negative", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  const at = k.place();
  const set = (name: number, us: number, len = 8) => {
    k.view.setFloat64(at, us, true);
    return k.call("so_setopt", so, Sol.SOCKET, name, at, len);
  };
  for (const name of [So.SNDTIMEO, So.RCVTIMEO]) {
    assertEquals(set(name, 1_500_000.5), 0);
    k.view.setFloat64(at, 0, true);
    assertEquals(k.call("so_getopt", so, Sol.SOCKET, name, at, 8), 8);
    assertEquals(k.view.getFloat64(at, true), 1_500_000.5);
    for (const bad of [-1, NaN, Infinity]) assertEquals(set(name, bad), -Errno.EINVAL);
    assertEquals(set(name, 1, 4), -Errno.EINVAL);
    assertEquals(k.call("so_getopt", so, Sol.SOCKET, name, at, 4), -Errno.EINVAL);
  }
  k.end(so);
});

Deno.test("options that can only be read, that have no meaning here, or do not exist", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  assertEquals(k.getopt(so, Sol.SOCKET, So.TYPE), Sock.DGRAM);
  assertEquals(k.getopt(so, Sol.SOCKET, So.ACCEPTCONN), 0);
  assertEquals(k.getopt(so, Sol.SOCKET, So.ERROR), 0);
  for (const name of [So.TYPE, So.ACCEPTCONN, So.ERROR, So.PEERID, So.USE_IFBUFS, 0, -1, 0x9999]) {
    assertEquals(k.setopt(so, Sol.SOCKET, name, 1), -Errno.ENOPROTOOPT, `set ${name}`);
  }
  const at = k.place();
  for (const name of [So.PEERID, So.USE_IFBUFS, 0, -1, 0x9999, So.REUSEADDR | So.DEBUG]) {
    const got = k.call("so_getopt", so, Sol.SOCKET, name, at, 8);
    assertEquals(got, -Errno.ENOPROTOOPT, `get ${name}`);
  }
  for (const level of [IpProto.TCP, IpProto.UDP, 99]) {
    assertEquals(k.setopt(so, level, TcpOpt.NODELAY, 1), -Errno.ENOPROTOOPT);
  }
  k.end(so);
});

Deno.test("a value of the wrong length is EINVAL", async () => {
  const k = await Kernel.boot();
  const so = k.socket(Sock.DGRAM);
  const at = k.place();
  for (const len of [0, 1, 3, 5, 8, -4]) {
    for (const name of [So.REUSEADDR, So.SNDBUF, So.RCVLOWAT]) {
      assertEquals(k.call("so_setopt", so, Sol.SOCKET, name, at, len), -Errno.EINVAL);
    }
    assertEquals(k.call("so_setopt", so, IpProto.IP, IpOpt.TTL, at, len), -Errno.EINVAL);
    if (len < 4) {
      assertEquals(k.call("so_getopt", so, Sol.SOCKET, So.TYPE, at, len), -Errno.EINVAL);
      assertEquals(k.call("so_getopt", so, IpProto.IP, IpOpt.TTL, at, len), -Errno.EINVAL);
    }
  }
  const stream = k.socket();
  assertEquals(k.call("so_getopt", stream, IpProto.TCP, TcpOpt.INFO, at, -1), -Errno.EINVAL);
  k.end(so, stream);
});

Deno.test("IP options: range and default of each", async () => {
  const k = await Kernel.boot();
  const cases: [number, number, number[], number[]][] = [
    [IpOpt.TTL, 64, [1, 255], [0, 256, -1]],
    [IpOpt.TOS, 0, [0, 0x10, 252], [256, -1]],
    [IpOpt.MULTICAST_TTL, 1, [0, 255], [256, -1]],
    [IpOpt.MULTICAST_LOOP, 1, [0, 1], [2, -1]],
    [IpOpt.RECVDSTADDR, 0, [1, 0], []],
    [IpOpt.MULTICAST_IF, 0, [1, 0], [-1, 70_000]],
    [IpOpt.MTU_DISCOVER, Pmtud.DONT, [1, 2, 3, 0], [-1, 4]],
  ];
  for (const type of [Sock.DGRAM, Sock.RAW, Sock.STREAM]) {
    const so = k.socket(type);
    for (const [name, initial, good, bad] of cases) {
      const tcp = name === IpOpt.MTU_DISCOVER && type === Sock.STREAM; // RFC 1191 6
      assertEquals(k.getopt(so, IpProto.IP, name), tcp ? Pmtud.WANT : initial);
      for (const value of good) {
        assertEquals(k.setopt(so, IpProto.IP, name, value), 0);
        assertEquals(k.getopt(so, IpProto.IP, name), value);
      }
      for (const value of bad) {
        assertEquals(k.setopt(so, IpProto.IP, name, value), -Errno.EINVAL, `${name} ${value}`);
      }
    }
    assertEquals(k.setopt(so, IpProto.IP, IpOpt.MULTICAST_IF, 9), -Errno.EADDRNOTAVAIL);
    assertEquals(k.setopt(so, IpProto.IP, IpOpt.OPTIONS, 0), -Errno.ENOPROTOOPT);
    assertEquals(k.setopt(so, IpProto.IP, 99, 0), -Errno.ENOPROTOOPT);
    k.call("so_close", so);
  }
  const udp = k.socket(Sock.DGRAM);
  assertEquals(k.setopt(udp, IpProto.IP, IpOpt.HDRINCL, 1), -Errno.ENOPROTOOPT);
  k.end(udp);
});

Deno.test("ioctl: FIONBIO lets a read take less than SO_RCVLOWAT", async () => {
  const k = await Kernel.boot();
  const { client, server, listener } = k.pair();
  k.setopt(server, Sol.SOCKET, So.RCVLOWAT, 100);
  k.send(client, "few");
  k.settle();
  assertEquals(k.recv(server, 50).n, -Errno.EAGAIN);
  const at = k.place();
  k.view.setInt32(at, 1, true);
  assertEquals(k.call("so_ioctl", server, Sioc.FIONBIO, at, 4), 0);
  assertEquals(k.text(server, 50, Msg.PEEK), "few");
  k.view.setInt32(at, 0, true);
  assertEquals(k.call("so_ioctl", server, Sioc.FIONBIO, at, 4), 0);
  assertEquals(k.recv(server, 50).n, -Errno.EAGAIN);
  assertEquals(k.call("so_ioctl", server, Sioc.FIONREAD, at, 2), -Errno.EINVAL);
  assertEquals(k.call("so_ioctl", server, 999, at, 4), -Errno.EINVAL);
  k.end(client, server, listener);
});
