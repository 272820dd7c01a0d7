/** Routing sockets: every error, and messages that make no sense. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../assembly/abi/errno.ts";
import { Rta, RtMsg } from "../../assembly/abi/route.ts";
import { Af } from "../../assembly/abi/socket.ts";
import { SocketError } from "../../mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type RouteRequestMessage,
  Rtm,
} from "../../protocols/route/mod.ts";
import { answer, ask, heard, heardRoutes, socket, twoUplinks } from "./route_kit.ts";

const SEED = 20261123;

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
