/** Calls that do not wait: descriptors, poll and select, messages with headers, options, names. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import {
  Af,
  IpOpt,
  Msg,
  Pmtud,
  Shut,
  So,
  Sock,
  Sol,
  TcpOpt,
} from "../../../assembly/abi/socket.ts";
import { Cc, TcpState } from "../../../assembly/abi/tcp.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "../../../runtime/socket/select.ts";
import { POLLPRI } from "../../../runtime/socket/select.ts";
import { createSim } from "../../sim_pair.ts";
import { code, manual, pair, settle } from "./manual_stack.ts";

Deno.test("descriptors: the lowest free one, 0 to 2 are taken, the limit holds", async () => {
  await using stack = await manual(7);
  const { sys } = stack;
  const open = () => sys.socket(Af.INET, Sock.DGRAM);
  assertEquals([open(), open(), open(), open()], [3, 4, 5, 6]);
  assertEquals(code(open), "EMFILE");
  sys.nb.close(4);
  await sys.close(3);
  assertEquals([open(), open()], [3, 4]);
  for (const fd of [0, 1, 2]) assertEquals(code(() => sys.getsockname(fd)), "ENOTSOCK");
  for (const fd of [-1, 7, 99, 1.5, NaN]) assertEquals(code(() => sys.getsockname(fd)), "EBADF");
  await assertRejects(() => manual(3), RangeError);
});

Deno.test("a connection stays in the queue while no descriptor is free", async () => {
  await using stack = await manual(5);
  const { sys } = stack;
  const listener = sys.socket(Af.INET, Sock.STREAM);
  sys.bind(listener, { port: 80 });
  sys.listen(listener);
  const client = sys.socket(Af.INET, Sock.STREAM);
  assertThrows(() => sys.nb.connect(client, { address: "127.0.0.1", port: 80 }));
  settle(stack);
  assertEquals(code(() => sys.nb.accept(listener)), "EMFILE");
  const error = await assertRejects(() => sys.accept(listener), SocketError);
  assertEquals(error.code, "EMFILE");
  sys.nb.close(client);
  const { fd } = sys.nb.accept(listener);
  settle(stack);
  assertEquals(sys.nb.recv(fd, new Uint8Array(1)), 0);
});

Deno.test("every call tells EBADF and ENOTSOCK with its own name", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const one = new Uint8Array(1);
  const to = { address: "127.0.0.1", port: 1 };
  const sync: [string, (fd: number) => unknown][] = [
    ["bind", (fd) => sys.bind(fd, to)],
    ["listen", (fd) => sys.listen(fd)],
    ["shutdown", (fd) => sys.shutdown(fd, Shut.RD)],
    ["getsockname", (fd) => sys.getsockname(fd)],
    ["getpeername", (fd) => sys.getpeername(fd)],
    ["getsockopt", (fd) => sys.getsockopt(fd, Sol.SOCKET, So.TYPE)],
    ["setsockopt", (fd) => sys.setsockopt(fd, Sol.SOCKET, So.DEBUG, 1)],
    ["ioctl", (fd) => sys.ioctl(fd, Sioc.FIONREAD)],
    ["fcntl", (fd) => sys.fcntl(fd, 3)],
    ["accept", (fd) => sys.nb.accept(fd)],
    ["connect", (fd) => sys.nb.connect(fd, to)],
    ["send", (fd) => sys.nb.send(fd, one)],
    ["sendto", (fd) => sys.nb.sendto(fd, one, 0, to)],
    ["sendmsg", (fd) => sys.nb.sendmsg(fd, { iov: [one] })],
    ["recv", (fd) => sys.nb.recv(fd, one)],
    ["recvfrom", (fd) => sys.nb.recvfrom(fd, one)],
    ["recvmsg", (fd) => sys.nb.recvmsg(fd, { iov: [one] })],
    ["close", (fd) => sys.nb.close(fd)],
    ["select", (fd) => sys.nb.select({ read: [fd] })],
  ];
  const waiting: [string, (fd: number) => Promise<unknown>][] = [
    ["accept", (fd) => sys.accept(fd)],
    ["connect", (fd) => sys.connect(fd, to)],
    ["send", (fd) => sys.send(fd, one)],
    ["sendto", (fd) => sys.sendto(fd, one, 0, to)],
    ["sendmsg", (fd) => sys.sendmsg(fd, { iov: [one] })],
    ["recv", (fd) => sys.recv(fd, one)],
    ["recvfrom", (fd) => sys.recvfrom(fd, one)],
    ["recvmsg", (fd) => sys.recvmsg(fd, { iov: [one] })],
    ["close", (fd) => sys.close(fd)],
    ["select", (fd) => sys.select({ write: [fd] })],
    ["send", (fd) => sys.send_file(fd, { header: one })],
  ];
  for (const [fd, expected] of [[77, "EBADF"], [1, "ENOTSOCK"]] as const) {
    for (const [name, call] of sync) {
      const error = assertThrows(() => call(fd), SocketError);
      assertEquals([error.code, error.syscall], [expected, name]);
    }
    for (const [name, call] of waiting) {
      const error = await assertRejects(() => call(fd), SocketError);
      assertEquals([error.code, error.syscall], [expected, name]);
    }
  }
});

Deno.test("addresses that are none, or of another family, are refused", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const bad = [
    { address: "localhost", port: 1 },
    { address: "1.2.3", port: 1 },
    { port: -1 },
    { port: 65536 },
    { port: 1.5 },
    { port: NaN },
  ];
  for (const name of bad) assertEquals(code(() => sys.bind(fd, name)), "EINVAL");
  assertEquals(code(() => sys.bind(fd, { address: "::1", port: 1 })), "EAFNOSUPPORT");
  assertEquals(code(() => sys.bind(fd, { address: "10.1.1.1", port: 1 })), "EADDRNOTAVAIL");
  sys.bind(fd, { address: "", port: 0 });
  const { address, port } = sys.getsockname(fd);
  assert(address === "0.0.0.0" && port > 0);
});

Deno.test("poll tells readable, writable, urgent, hung up, failed and no socket", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const [client, server, listener] = pair(stack);
  const look = (fd: number, events = POLLIN | POLLOUT | POLLPRI) => {
    const entry = { fd, events, revents: 0 };
    const count = sys.nb.poll([entry]);
    assertEquals(count, entry.revents === 0 ? 0 : 1);
    return entry.revents;
  };
  assertEquals(look(client), POLLOUT);
  assertEquals(look(client, POLLIN), 0);
  assertEquals(look(-1), 0);
  assertEquals([look(1), look(55)], [POLLNVAL, POLLNVAL]);
  sys.nb.send(client, new Uint8Array(3));
  settle(stack);
  assertEquals(look(server), POLLIN | POLLOUT);
  sys.nb.send(client, new Uint8Array(1), Msg.OOB);
  settle(stack);
  assertEquals(look(server), POLLIN | POLLOUT | POLLPRI);
  assertEquals(look(listener), 0);
  const second = sys.socket(Af.INET, Sock.STREAM);
  assertThrows(() => sys.nb.connect(second, { address: "127.0.0.1", port: 80 }));
  assertEquals(look(second), 0);
  settle(stack);
  assertEquals([look(second), look(listener)], [POLLOUT, POLLIN]);
  sys.shutdown(client, Shut.WR);
  sys.shutdown(server, Shut.WR);
  settle(stack);
  assertEquals(look(client), POLLIN | POLLOUT | POLLHUP);
  const refused = sys.socket(Af.INET, Sock.STREAM);
  assertThrows(() => sys.nb.connect(refused, { address: "127.0.0.1", port: 81 }));
  settle(stack);
  assertEquals(look(refused) & POLLERR, POLLERR);
});

Deno.test("poll and select wait for any of their descriptors, or the time", async () => {
  await using sim = await createSim();
  const { sys } = sim.stacks[0];
  const [first, second] = [sys.socket(Af.INET, Sock.DGRAM), sys.socket(Af.INET, Sock.DGRAM)];
  sys.bind(first, { port: 1 });
  sys.bind(second, { port: 2 });
  const fds = [{ fd: first, events: POLLIN }, { fd: second, events: POLLIN, revents: -1 }];
  const begin_us = sim.clock.now_us();
  assertEquals(await sim.run(sys.poll(fds, 20)), 0);
  assertEquals(sim.clock.now_us() - begin_us, 20_000);
  assertEquals(await sys.poll(fds, 0), 0);
  const none = await sim.run(sys.select({ read: [first, second], except: [first] }, 500));
  assertEquals(none, { read: [], write: [], except: [], count: 0 });
  const polling = sys.poll(fds);
  const selecting = sys.select({ read: [first, second] });
  await sys.sendto(first, new Uint8Array(5), 0, { address: "127.0.0.1", port: 2 });
  assertEquals(await sim.run(polling), 1);
  assertEquals(fds.map(({ revents }) => revents), [0, POLLIN]);
  assertEquals(await sim.run(selecting), { read: [second], write: [], except: [], count: 1 });
  const all = await sys.select({ read: [first, second], write: [first, second] });
  assertEquals(all, { read: [second], write: [first, second], except: [], count: 3 });
  assertEquals(sys.nb.select({ write: [first] }).write, [first]);
  const watched = sys.poll([{ fd: first, events: POLLIN }]);
  await sys.close(first);
  assertEquals(await sim.run(watched), 1, "the closed descriptor is reported");
});

Deno.test("poll and select refuse times that are none", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const calls: [string, Promise<unknown>][] = [
    ["poll", sys.poll([], NaN)],
    ["select", sys.select({}, NaN)],
    ["select", sys.select({}, -1)],
  ];
  for (const [syscall, call] of calls) {
    const error = await assertRejects(() => call, SocketError);
    assertEquals([error.code, error.syscall], ["EINVAL", syscall]);
  }
  assertEquals(await sys.poll([], 0), 0);
  assertEquals((await sys.select({}, 0)).count, 0);
});

Deno.test("options keep what they are given, and refuse what they cannot be", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const [client] = pair(stack);
  const values: [number, number, number][] = [
    [Sol.SOCKET, So.KEEPALIVE, 1],
    [Sol.SOCKET, So.RCVBUF, 70_000],
    [Sol.SOCKET, So.SNDBUF, 70_000],
    [Sol.SOCKET, So.RCVLOWAT, 5],
    [Sol.SOCKET, So.SNDTIMEO, 1_500_000],
    [IpProto.TCP, TcpOpt.NODELAY, 1],
    [IpProto.TCP, TcpOpt.KEEPIDLE, 77],
    [IpProto.TCP, TcpOpt.NOTSENT_LOWAT, 2 ** 32 - 1],
    [IpProto.TCP, TcpOpt.NOTSENT_LOWAT, 65_536],
    [IpProto.TCP, TcpOpt.LINGER2, -1],
    [IpProto.IP, IpOpt.MTU_DISCOVER, Pmtud.DO],
    [IpProto.IP, IpOpt.TTL, 33],
  ];
  for (const [level, name, value] of values) {
    sys.setsockopt(client, level, name, value);
    assertEquals(sys.getsockopt(client, level, name), value, `${level} ${name}`);
  }
  sys.setsockopt(client, IpProto.TCP, TcpOpt.NODELAY, false);
  assertEquals(sys.getsockopt(client, IpProto.TCP, TcpOpt.NODELAY), 0);
  sys.setsockopt(client, Sol.SOCKET, So.RCVLOWAT, Uint8Array.of(9, 0, 0, 0));
  assertEquals([...sys.getsockoptBytes(client, Sol.SOCKET, So.RCVLOWAT, 4)], [9, 0, 0, 0]);
  assertEquals(sys.getsockopt(client, Sol.SOCKET, So.TYPE), Sock.STREAM);
  assertEquals(sys.getsockopt(client, Sol.SOCKET, So.LINGER), { onoff: false, linger: 0 });
  assertEquals(sys.getsockopt(client, IpProto.TCP, TcpOpt.CONGESTION), "cubic");
  for (const [value, name] of [["newreno", "reno"], ["cubic", "cubic"], [Cc.NEWRENO, "reno"]]) {
    sys.setsockopt(client, IpProto.TCP, TcpOpt.CONGESTION, value);
    assertEquals(sys.getsockopt(client, IpProto.TCP, TcpOpt.CONGESTION), name);
  }
  const rates = [1, 3_000_000_000, 2 ** 32 - 1, 2 ** 40, 0];
  const kept = rates.map((rate) => {
    sys.setsockopt(client, Sol.SOCKET, So.MAX_PACING_RATE, rate);
    return sys.getsockopt(client, Sol.SOCKET, So.MAX_PACING_RATE);
  });
  assertEquals(kept, [1, 3_000_000_000, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], "no limit");
  const info = sys.getsockopt(client, IpProto.TCP, TcpOpt.INFO);
  assertEquals([info.state, info.rexmt_segments], [TcpState.ESTABLISHED, 0]);
  const refused: [number, number, number | string | Uint8Array, string][] = [
    [IpProto.TCP, TcpOpt.CONGESTION, "vegas", "ENOENT"],
    [IpProto.TCP, TcpOpt.CONGESTION, Cc.COUNT, "EINVAL"],
    [Sol.SOCKET, So.MAX_PACING_RATE, -1, "EINVAL"],
    [Sol.SOCKET, So.MAX_PACING_RATE, 0.5, "EINVAL"],
    [Sol.SOCKET, So.MAX_PACING_RATE, new Uint8Array(3), "EINVAL"],
    [Sol.SOCKET, So.SNDTIMEO, -1, "EINVAL"],
    [Sol.SOCKET, So.SNDTIMEO, NaN, "EINVAL"],
    [Sol.SOCKET, So.KEEPALIVE, 1.5, "EINVAL"],
    [Sol.SOCKET, So.KEEPALIVE, 2 ** 31, "EINVAL"],
    [Sol.SOCKET, So.KEEPALIVE, new Uint8Array(5), "EINVAL"],
    [Sol.SOCKET, So.KEEPALIVE, new Uint8Array(5000), "EINVAL"],
    [Sol.SOCKET, So.ACCEPTCONN, 1, "ENOPROTOOPT"],
    [Sol.SOCKET, 0x1fff, 1, "ENOPROTOOPT"],
    [IpProto.TCP, 0x999, 1, "ENOPROTOOPT"],
    [99, 1, 1, "ENOPROTOOPT"],
  ];
  for (const [level, name, value, expected] of refused) {
    assertEquals(code(() => sys.setsockopt(client, level, name, value)), expected);
  }
  assertEquals(code(() => sys.getsockopt(client, Sol.SOCKET, 0x1fff)), "ENOPROTOOPT");
});

Deno.test("FIONREAD counts, FIONBIO makes calls non-blocking", async () => {
  await using stack = await manual();
  const { sys } = stack;
  const [client, server] = pair(stack);
  sys.nb.send(client, new Uint8Array(1234));
  settle(stack);
  assertEquals(sys.ioctl(server, Sioc.FIONREAD), 1234);
  sys.ioctl(client, Sioc.FIONBIO, 1);
  const error = await assertRejects(() => sys.recv(client, new Uint8Array(1)), SocketError);
  assertEquals(error.code, "EAGAIN");
  assertEquals(sys.fcntl(client, 3), 6);
  assertEquals(code(() => sys.fcntl(client, 77 as 3)), "EINVAL");
  assertEquals(code(() => sys.ioctl(client, 98 as Sioc.FIONREAD, 1)), "EINVAL");
});

Deno.test("the host has names and a number", async () => {
  await using stack = await manual();
  const { sys } = stack;
  assertEquals([sys.gethostname(), sys.getdomainname()], ["godwit", ""]);
  sys.sethostname("limosa");
  sys.setdomainname("example.org");
  sys.sethostid(0xffffffff);
  assertEquals(sys.gethostname(), "limosa");
  assertEquals(sys.getdomainname(), "example.org");
  assertEquals(sys.gethostid(), 0xffffffff);
  assertEquals(code(() => sys.sethostname("x".repeat(256))), "EINVAL");
  assertEquals(code(() => sys.setdomainname("é".repeat(128))), "EINVAL");
  for (const id of [-1, 2 ** 32, 0.5]) assertEquals(code(() => sys.sethostid(id)), "EINVAL");
});
