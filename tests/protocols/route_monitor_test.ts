/** Routing sockets: what others hear of requests, and of what happens. */
import { assertEquals, assertThrows } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { Iff, Sioc } from "../../assembly/abi/ifnet.ts";
import { Af, Shut, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import { NullDriver } from "../../drivers/null.ts";
import { createStack, SocketError } from "../../mod.ts";
import { Rtm } from "../../protocols/route/mod.ts";
import checkedEngine from "../engine_checked_module.js";
import { ask, heard, heardRoutes, result, socket, twoUplinks } from "./route_kit.ts";

Deno.test("monitor: without SO_USELOOPBACK a sender hears of others only", async () => {
  await using stack = await twoUplinks();
  const { sys } = stack;
  const [quiet, other] = [socket(stack), socket(stack)];
  assertEquals(sys.getsockopt(quiet, Sol.SOCKET, So.USELOOPBACK), 1);
  sys.setsockopt(quiet, Sol.SOCKET, So.USELOOPBACK, 0);
  assertEquals(ask(stack, quiet, { type: Rtm.GET, destination: "127.0.0.1" }), 0);
  assertEquals(ask(stack, quiet, { type: Rtm.GET, destination: "10.0.0.1" }), -Errno.ESRCH);
  assertEquals(heard(stack, quiet), []);
  assertEquals(heardRoutes(stack, other).map(({ errno }) => errno), [0, Errno.ESRCH]);
  stack.route.add("10.0.0.0/8", { gateway: "192.0.2.1" });
  assertEquals(heardRoutes(stack, quiet).map(({ type }) => type), [Rtm.ADD], "of others it hears");
});

Deno.test("monitor: what is done otherwise, and happens to interfaces and addresses", async () => {
  await using stack = await twoUplinks();
  const { sys } = stack;
  const fd = socket(stack);
  const next = () =>
    heard(stack, fd).map((it) => {
      if (it.kind === "route") return `${it.type} ${it.destination} ${it.pid}`;
      const what = it.kind === "address" ? it.address : (it.flags & Iff.UP ? "up" : "down");
      return `${it.interface?.name} ${it.type} ${what}`;
    });
  stack.route.add("10.0.0.0/8", { gateway: "192.0.2.1" });
  stack.route.change("10.0.0.0/8", { mtu: 600 });
  stack.route.change("10.0.0.0/8", { gateway: "198.51.100.1" });
  stack.route.del("10.0.0.0/8");
  assertEquals(next(), [1, 3, 3, 2].map((type) => `${type} 10.0.0.0/8 0`));
  stack.addAddress("eth0", "172.16.0.1/30");
  assertEquals(next(), [
    "1 172.16.0.1 0",
    "1 172.16.0.3 0",
    "1 172.16.0.0 0",
    "1 172.16.0.0/30 0",
    "eth0 12 172.16.0.1/30",
  ]);
  stack.removeAddress("eth0", "172.16.0.1/30");
  assertEquals(next().at(-1), "eth0 13 172.16.0.1/30");
  const other = sys.socket(Af.INET, Sock.DGRAM);
  sys.ioctl(other, Sioc.SIFFLAGS, { ifname: "eth1", flags: 0 });
  sys.ioctl(other, Sioc.SIFFLAGS, { ifname: "eth1", flags: Iff.UP });
  sys.ioctl(other, Sioc.SIFMTU, { ifname: "eth1", mtu: 1400 });
  assertEquals(next(), ["eth1 14 down", "eth1 14 up", "eth1 14 up"]);
  assertEquals(
    result(() => sys.nb.sendto(other, Uint8Array.of(1), 0, { address: "8.8.8.8", port: 9 })),
    -Errno.ENETUNREACH,
  );
  await stack.attach(new NullDriver(), { name: "eth2" });
  assertEquals(next().at(-1), "eth2 14 up");
  await stack.detach("eth2");
  assertEquals(next().at(-1), "eth2 14 down");
});

Deno.test("monitor: a packet that no route leads on is a miss", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const { sys } = stack;
  const other = sys.socket(Af.INET, Sock.DGRAM);
  sys.bind(other, { address: "192.0.2.2", port: 5 });
  const to = { address: "8.8.8.8", port: 9 };
  const sent = result(() => sys.nb.sendto(other, Uint8Array.of(1), 0, to));
  assertEquals(sent, -Errno.ENETUNREACH);
  const [miss] = heardRoutes(stack, fd);
  assertEquals([miss.type, miss.destination, miss.errno], [Rtm.MISS, "8.8.8.8", 0]);
});

Deno.test("route socket: who does not read is told that messages were lost", async () => {
  await using stack = await twoUplinks();
  const { sys } = stack;
  const [slow, fd] = [socket(stack), socket(stack)];
  for (let i = 0; i < 2000; i++) {
    ask(stack, fd, { type: Rtm.GET, destination: "127.0.0.1", seq: i });
    assertEquals(heardRoutes(stack, fd).length, 1);
  }
  const buffer = new Uint8Array(2048);
  let kept = 0;
  let error = 0;
  while ((error = Math.min(0, result(() => sys.nb.recv(slow, buffer)))) === 0) kept++;
  assertEquals(error, -Errno.ENOBUFS);
  assertEquals(kept > 100 && kept < 2000, true, String(kept));
  const { counters } = stack.protocols.list()[0];
  assertEquals(counters?.lost, 2000 - kept);
  assertEquals(counters?.requests, 2000);
  ask(stack, fd, { type: Rtm.GET, destination: "127.0.0.1", seq: 7 });
  assertEquals(heardRoutes(stack, slow).map(({ seq }) => seq), [7], "and hears again");
});

Deno.test("route socket: what sockets of other kinds can, these refuse", async () => {
  await using stack = await twoUplinks();
  const { sys } = stack;
  const fd = socket(stack, Af.INET);
  const code = (call: () => unknown) => assertThrows(call, SocketError).code;
  assertEquals(code(() => socket(stack, Af.INET6)), "EPROTONOSUPPORT");
  assertEquals(code(() => sys.socket(Af.ROUTE, Sock.DGRAM)), "ESOCKTNOSUPPORT");
  assertEquals(code(() => sys.bind(fd, { port: 1 })), "EOPNOTSUPP");
  assertEquals(code(() => sys.listen(fd, 1)), "EOPNOTSUPP");
  assertEquals(code(() => sys.getpeername(fd)), "ENOTCONN");
  assertEquals(sys.getsockname(fd).family, Af.ROUTE);
  sys.shutdown(fd, Shut.WR);
  assertEquals(result(() => sys.nb.send(fd, new Uint8Array(76))), -Errno.ESHUTDOWN);
  await sys.close(fd);
});

Deno.test("route socket: they are in a snapshot, and hear afterwards", async () => {
  let snapshot: Uint8Array;
  let fd: number;
  {
    await using stack = await twoUplinks();
    fd = socket(stack);
    stack.route.add("10.0.0.0/8", { gateway: "192.0.2.1" });
    snapshot = stack.snapshot();
  }
  await using stack = await createStack({
    engine: checkedEngine,
    snapshot,
    interfaces: ["eth0", "eth1"].map((name) => ({ driver: new NullDriver(), name })),
  });
  assertEquals(heardRoutes(stack, fd).map(({ type }) => type), [Rtm.ADD]);
  stack.route.del("10.0.0.0/8");
  assertEquals(heardRoutes(stack, fd).map(({ type }) => type), [Rtm.DELETE]);
});

Deno.test("route socket: unloaded, nobody hears; the next socket loads it again", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  assertEquals(stack.protocols.list().map(({ name }) => name), ["route"]);
  await stack.sys.close(fd);
  await stack.protocols.unload("route");
  stack.route.add("10.0.0.0/8", { gateway: "192.0.2.1" });
  const again = socket(stack);
  stack.route.del("10.0.0.0/8");
  assertEquals(heardRoutes(stack, again).map(({ type }) => type), [Rtm.DELETE]);
});
