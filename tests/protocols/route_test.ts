/** Routing sockets: every request, every error, what others hear, and messages that make no sense. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../assembly/abi/errno.ts";
import { Iff, Sioc } from "../../assembly/abi/ifnet.ts";
import { Rta, RtMsg } from "../../assembly/abi/route.ts";
import { Af, Shut, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import { NullDriver } from "../../drivers/null.ts";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type RouteMessage,
  type RouteRequestMessage,
  Rtf,
  Rtm,
} from "../../protocols/route/mod.ts";
import checkedEngine from "../engine_checked_module.js";

const SEED = 20261123;

/** A stack with two interfaces, eth0 on 192.0.2.0/24 and eth1 on 198.51.100.0/24. */
async function twoUplinks(): Promise<Stack> {
  return await createStack({
    engine: checkedEngine,
    memory: { bytes: 32 * 2 ** 20, routes: 64 },
    interfaces: [
      { driver: new NullDriver(), name: "eth0", addresses: ["192.0.2.2/24"] },
      { driver: new NullDriver(), name: "eth1", addresses: ["198.51.100.2/24"] },
    ],
  });
}

function socket({ sys }: Stack, protocol = 0): number {
  return sys.socket(Af.ROUTE, Sock.RAW, protocol);
}

/** What a call answers, or its negated error number. */
function result(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof SocketError) return -error.errno;
    throw error;
  }
}

/** All messages that wait at a socket. */
function heard({ sys }: Stack, fd: number): Message[] {
  const messages: Message[] = [];
  const buffer = new Uint8Array(2048);
  for (;;) {
    const length = result(() => sys.nb.recv(fd, buffer));
    if (length < 0) {
      assertEquals(length, -Errno.EAGAIN);
      return messages;
    }
    messages.push(decodeMessage(buffer.slice(0, length)));
  }
}

function heardRoutes(stack: Stack, fd: number): RouteMessage[] {
  return heard(stack, fd).filter((message) => message.kind === "route");
}

/** Sends a request; its error, 0 if there is none. */
function ask({ sys }: Stack, fd: number, request: RouteRequestMessage | Uint8Array): number {
  const bytes = request instanceof Uint8Array ? request : encodeMessage(request);
  const sent = result(() => sys.nb.send(fd, bytes));
  assertEquals(sent < 0 || sent === bytes.length, true);
  return Math.min(0, sent);
}

/** Asks, and answers with the one message that comes back. */
function answer(stack: Stack, fd: number, request: RouteRequestMessage): RouteMessage {
  const error = ask(stack, fd, request);
  const messages = heardRoutes(stack, fd);
  assertEquals(messages.length, 1);
  assertEquals(messages[0].errno, -error);
  assertEquals((messages[0].flags & Rtf.DONE) !== 0, error === 0);
  return messages[0];
}

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

/** Requests that are refused, each with its error. */
const REFUSED: readonly (readonly [name: string, request: RouteRequestMessage, errno: Errno])[] = [
  ["no way", { type: Rtm.ADD, destination: "10.0.0.0/8" }, Errno.EINVAL],
  [
    "a gateway on no network of ours",
    { type: Rtm.ADD, destination: "10.0.0.0/8", gateway: "203.0.113.1" },
    Errno.ENETUNREACH,
  ],
  [
    "a gateway that is ours",
    { type: Rtm.ADD, destination: "10.0.0.0/8", gateway: "192.0.2.2" },
    Errno.EINVAL,
  ],
  [
    "a gateway on another interface",
    { type: Rtm.ADD, destination: "10.0.0.0/8", gateway: "192.0.2.1", interface: "eth1" },
    Errno.ENETUNREACH,
  ],
  [
    "no such interface by name",
    { type: Rtm.ADD, destination: "10.0.0.0/8", interface: "eth7" },
    Errno.ENXIO,
  ],
  [
    "no such interface by index",
    { type: Rtm.ADD, destination: "10.0.0.0/8", interface: 60 },
    Errno.ENXIO,
  ],
  [
    "an MTU that cannot be",
    { type: Rtm.ADD, destination: "10.0.0.0/8", gateway: "192.0.2.1", mtu: 67 },
    Errno.EINVAL,
  ],
  [
    "one that is there",
    { type: Rtm.ADD, destination: "172.16.0.0/12", gateway: "192.0.2.1" },
    Errno.EEXIST,
  ],
  ["none to delete", { type: Rtm.DELETE, destination: "10.0.0.0/8" }, Errno.ESRCH],
  ["one of an interface", { type: Rtm.DELETE, destination: "192.0.2.0/24" }, Errno.ESRCH],
  [
    "another gateway",
    { type: Rtm.DELETE, destination: "172.16.0.0/12", gateway: "192.0.2.9" },
    Errno.ESRCH,
  ],
  ["none to change", { type: Rtm.CHANGE, destination: "10.0.0.0/8", mtu: 600 }, Errno.ESRCH],
  [
    "a change to a gateway that is not there",
    { type: Rtm.CHANGE, destination: "172.16.0.0/12", gateway: "203.0.113.1" },
    Errno.ENETUNREACH,
  ],
  ["none to get", { type: Rtm.GET, destination: "10.0.0.1" }, Errno.ESRCH],
  ["locks are not had", { type: Rtm.LOCK, destination: "172.16.0.0/12" }, Errno.EOPNOTSUPP],
  ["what only the stack says", { type: Rtm.MISS, destination: "10.0.0.1" }, Errno.EOPNOTSUPP],
  ["no such type", { type: 99 as Rtm, destination: "10.0.0.1" }, Errno.EOPNOTSUPP],
];

for (const [name, request, errno] of REFUSED) {
  Deno.test(`route socket: refused with its error: ${name}`, async () => {
    await using stack = await twoUplinks();
    stack.route.add("172.16.0.0/12", { gateway: "192.0.2.1" });
    const before = [...stack.route].map(({ destination, gateway }) => [destination, gateway]);
    const [fd, other] = [socket(stack), socket(stack)];
    const reply = answer(stack, fd, { ...request, seq: 5 });
    assertEquals(reply.errno, errno);
    assertEquals([reply.type, reply.seq], [request.type, 5]);
    assertEquals(heardRoutes(stack, other)[0].errno, errno, "others hear of it");
    assertEquals(
      [...stack.route].map(({ destination, gateway }) => [destination, gateway]),
      before,
    );
  });
}

Deno.test("route socket: a full table is told", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const results = Array.from(
    { length: 64 },
    (_, i) =>
      ask(stack, fd, { type: Rtm.ADD, destination: `10.${i}.0.0/16`, gateway: "192.0.2.1" }),
  );
  assertEquals(results.at(-1), -Errno.ENOBUFS);
});

/** Bytes of a good request, changed, and what the send then answers. */
const SPOILED:
  readonly (readonly [name: string, errno: Errno, spoil: (b: Uint8Array) => Uint8Array])[] = [
    ["empty", Errno.EINVAL, () => new Uint8Array(0)],
    ["shorter than the header", Errno.EINVAL, (b) => b.slice(0, RtMsg.SIZE - 1)],
    ["a length that is not its own", Errno.EINVAL, (b) => b.with(RtMsg.LENGTH, b.length - 4)],
    ["longer than any message", Errno.EINVAL, () => new Uint8Array(3000)],
    ["another version", Errno.EPROTONOSUPPORT, (b) => b.with(RtMsg.VERSION, 2)],
    ["no destination", Errno.EINVAL, (b) => b.with(RtMsg.ADDRS, 0)],
    ["more kinds of addresses than there are", Errno.EINVAL, (b) => b.with(RtMsg.ADDRS + 1, 1)],
    ["an address beyond the end", Errno.EINVAL, (b) => b.with(RtMsg.ADDRS, 0xff)],
    ["a length beyond the end", Errno.EINVAL, (b) => b.with(b.length - 16, 17)],
    ["an address without a family", Errno.EINVAL, (b) => b.with(RtMsg.SIZE, 1)],
    ["an address cut short", Errno.EINVAL, (b) => b.with(RtMsg.SIZE, 7)],
    ["no address at all", Errno.EINVAL, (b) => b.with(RtMsg.SIZE, 0)],
    [
      "a destination of another family",
      Errno.EAFNOSUPPORT,
      (b) => b.with(RtMsg.SIZE + 1, Af.INET6),
    ],
    ["a gateway of another family", Errno.EAFNOSUPPORT, (b) => b.with(RtMsg.SIZE + 17, Af.UNIX)],
    ["a mask with holes", Errno.EINVAL, (b) => b.with(RtMsg.SIZE + 36, 0x55)],
  ];

for (const [name, errno, spoil] of SPOILED) {
  Deno.test(`route socket: a message that makes no sense: ${name}`, async () => {
    await using stack = await twoUplinks();
    const fd = socket(stack);
    const good = encodeMessage({
      type: Rtm.ADD,
      destination: "10.0.0.0/8",
      gateway: "192.0.2.1",
    });
    assertEquals(ask(stack, fd, Uint8Array.from(spoil(good))), -errno);
    assertEquals(ask(stack, fd, good), 0);
  });
}

Deno.test("route socket: masks may be short, and destinations have host bits", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const bytes = encodeMessage({ type: Rtm.ADD, destination: "10.1.2.3/8", gateway: "192.0.2.1" });
  const cut = new Uint8Array(bytes.length - 8);
  cut.set(bytes.subarray(0, cut.length));
  cut[RtMsg.LENGTH] = cut.length;
  cut[RtMsg.SIZE + 32] = 5;
  cut[RtMsg.SIZE + 33] = 0;
  assertEquals(ask(stack, fd, cut), 0);
  assertEquals(stack.route.get("10.200.0.1").destination, "10.0.0.0/8");
});

Deno.test("route socket: bytes at random are refused or done, and nothing else", async () => {
  await using stack = await twoUplinks();
  const fd = socket(stack);
  const good = encodeMessage({
    type: Rtm.ADD,
    destination: "10.0.0.0/8",
    gateway: "192.0.2.1",
    interface: "eth0",
    verbose: true,
  });
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  const property = fc.property(
    fc.array(change, { maxLength: 6 }),
    fc.constantFrom(Rtm.ADD, Rtm.DELETE, Rtm.CHANGE, Rtm.GET),
    fc.integer({ min: 0, max: good.length }),
    (changes, type, cut) => {
      const bytes = good.slice(0, changes.length > 3 ? cut : good.length);
      for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
      if (bytes.length > 4) {
        bytes[RtMsg.LENGTH] = bytes.length;
        bytes[RtMsg.LENGTH + 1] = 0;
        bytes[RtMsg.TYPE] = type;
      }
      ask(stack, fd, bytes);
      for (const message of heard(stack, fd)) assertEquals(message.kind, "route");
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 3000 });
  assertEquals(stack.engine.panic, undefined);
});

Deno.test("route socket: without SO_USELOOPBACK others hear of a request, and its sender not", async () => {
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

Deno.test("monitor: what is done otherwise, and what happens to interfaces and addresses", async () => {
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

Deno.test("route messages: what makes no sense is refused by the codec", () => {
  const good = encodeMessage({ type: Rtm.GET, destination: "10.0.0.0/8", verbose: true });
  const refused = (call: () => unknown) =>
    assertEquals(assertThrows(call, SocketError).code, "EINVAL");
  for (const destination of ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/x", "256.0.0.1", "1.2.3.04x"]) {
    refused(() => encodeMessage({ type: Rtm.GET, destination }));
  }
  refused(() => encodeMessage({ type: Rtm.GET, destination: "10.0.0.1", gateway: "gw" }));
  refused(() =>
    encodeMessage({ type: Rtm.GET, destination: "10.0.0.1", interface: "a-name-too-long-0" })
  );
  for (let length = 0; length < good.length; length++) {
    const cut = good.slice(0, length);
    refused(() => decodeMessage(cut));
    if (length < 4) continue;
    cut[RtMsg.LENGTH] = length;
    refused(() => decodeMessage(cut));
  }
  refused(() => decodeMessage(Uint8Array.from(good.with(RtMsg.VERSION, 5))));
  const message = decodeMessage(good);
  assertEquals(message.kind === "route" && message.destination, "10.0.0.0/8");
  const property = fc.property(fc.nat(good.length - 1), fc.nat(255), (at, to) => {
    const bytes = Uint8Array.from(good.with(at, to));
    try {
      decodeMessage(bytes);
    } catch (error) {
      assertEquals((error as SocketError).code, "EINVAL");
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 2000 });
  assertEquals(Rta.DST, 1);
});
