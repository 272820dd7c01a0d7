/** Routing sockets: routes are asked for, added, changed and deleted by messages. */
import { assertEquals, assertMatch } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { RtMsg } from "../../assembly/abi/route.ts";
import { encodeMessage, Rtf, Rtm } from "../../protocols/route/mod.ts";
import { answer, ask, heardRoutes, socket, twoUplinks } from "./route_kit.ts";

Deno.test("route socket: it asks which way packets go, and for a network's own route", async () => {
  await using stack = await twoUplinks();
  stack.route.add("10.0.0.0/8", { gateway: "192.0.2.1", metric: 7, mtu: 1280 });
  const fd = socket(stack);
  const found = answer(stack, fd, {
    type: Rtm.GET,
    destination: "10.1.2.3",
    verbose: true,
    pid: 42,
    seq: 9,
  });
  const { kind, type, pid, seq, destination, gateway, source, metric, mtu, flags } = found;
  assertEquals({ kind, type, pid, seq }, { kind: "route", type: Rtm.GET, pid: 42, seq: 9 });
  assertEquals([destination, gateway, source], ["10.0.0.0/8", "192.0.2.1", "192.0.2.2"]);
  assertEquals([metric, mtu], [7, 1280]);
  assertEquals(flags, Rtf.UP | Rtf.GATEWAY | Rtf.STATIC | Rtf.DONE);
  assertEquals(found.interface?.name, "eth0");
  assertEquals(found.interface?.index, found.index);
  assertMatch(found.interface?.hwaddr ?? "", /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  const link = answer(stack, fd, { type: Rtm.GET, destination: "198.51.100.0/24" });
  assertEquals([link.destination, (link.gateway as { name: string }).name], [
    "198.51.100.0/24",
    "eth1",
  ]);
  assertEquals(link.interface, undefined, "not asked for");
  const host = answer(stack, fd, { type: Rtm.GET, destination: "192.0.2.2" });
  assertEquals([host.destination, (host.flags & Rtf.HOST) !== 0], ["192.0.2.2", true]);
  assertEquals(answer(stack, fd, { type: Rtm.GET, destination: "10.0.0.0/9" }).errno, Errno.ESRCH);
  assertEquals(answer(stack, fd, { type: Rtm.GET, destination: "8.8.8.8" }).errno, Errno.ESRCH);
});

Deno.test("route socket: routes are added, changed and deleted", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const table = () =>
    [...stack.route].filter(({ flags }) => flags & Rtf.STATIC)
      .map((it) => `${it.destination} ${it.gateway} ${it.interface} ${it.metric} ${it.mtu}`);
  const added = answer(stack, fd, {
    type: Rtm.ADD,
    destination: "10.0.0.0/8",
    gateway: "192.0.2.1",
    mtu: 1000,
    metric: 3,
  });
  assertEquals([added.destination, added.gateway, added.index], ["10.0.0.0/8", "192.0.2.1", 2]);
  assertEquals(
    ask(stack, fd, { type: Rtm.ADD, destination: "default", gateway: "198.51.100.1" }),
    0,
  );
  assertEquals(
    ask(stack, fd, { type: Rtm.ADD, destination: "172.16.0.0/12", interface: "eth1" }),
    0,
  );
  assertEquals(ask(stack, fd, { type: Rtm.ADD, destination: "172.16.0.1", interface: 2 }), 0);
  assertEquals(table(), [
    "172.16.0.1/32  eth0 0 1500",
    "172.16.0.0/12  eth1 0 1500",
    "10.0.0.0/8 192.0.2.1 eth0 3 1000",
    "0.0.0.0/0 198.51.100.1 eth1 0 1500",
  ]);
  const change = { type: Rtm.CHANGE, destination: "10.0.0.0/8", gateway: "198.51.100.9" };
  assertEquals(ask(stack, fd, change), 0);
  assertEquals(table()[2], "10.0.0.0/8 198.51.100.9 eth1 3 1000");
  assertEquals(heardRoutes(stack, fd).at(-1)?.gateway, "198.51.100.9");
  const gone = answer(stack, fd, { type: Rtm.DELETE, destination: "10.0.0.0/8" });
  assertEquals([gone.gateway, gone.metric], ["198.51.100.9", 3], "as it was");
  for (const destination of ["172.16.0.1", "172.16.0.0/12", "default"]) {
    assertEquals(ask(stack, fd, { type: Rtm.DELETE, destination }), 0);
  }
  assertEquals(table(), []);
});

Deno.test("route socket: a gateway without RTF_GATEWAY is an interface, as in 4.4BSD", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const given = (gateway: string) => {
    const bytes = encodeMessage({ type: Rtm.ADD, destination: "10.0.0.0/8", gateway });
    bytes[RtMsg.FLAGS] &= ~Rtf.GATEWAY;
    return ask(stack, fd, bytes);
  };
  assertEquals(given("192.0.2.1"), -Errno.ENETUNREACH, "nobody's address");
  assertEquals(given("198.51.100.2"), 0);
  assertEquals(stack.route.get("10.1.1.1").interface, "eth1");
  assertEquals(stack.route.get("10.1.1.1").gateway, "");
});

Deno.test("route socket: routes that refuse need no gateway", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  for (const flag of [Rtf.REJECT, Rtf.BLACKHOLE]) {
    const destination = `10.${flag >> 3 & 255}.0.0/16`;
    assertEquals(ask(stack, fd, { type: Rtm.ADD, destination, flags: flag }), 0);
    const found = stack.route.get(destination.split("/")[0]);
    assertEquals(found.flags & (Rtf.REJECT | Rtf.BLACKHOLE), flag);
  }
  const usual = { type: Rtm.ADD, destination: "10.9.0.0/16", gateway: "127.0.0.1" };
  assertEquals(ask(stack, fd, { ...usual, flags: Rtf.REJECT }), 0, "as route(8) writes it");
});
