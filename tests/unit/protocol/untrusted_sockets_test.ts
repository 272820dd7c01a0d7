/** Sockets of an untrusted protocol: that of the template, between two stacks. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Prc } from "../../../assembly/abi/proto.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../../../mod.ts";
import { Net } from "./net.ts";
import { compile, module, puppet } from "./puppet.ts";

const PROTOCOL = 253;
const SOURCE = new URL(
  "../../../templates/protocol_untrusted/assembly/index.ts",
  import.meta.url,
);
const wasm = module(
  { name: "ports", ethertypes: [], protocols: [PROTOCOL], sockets: true },
  await compile(await Deno.readTextFile(SOURCE)),
);
const protocol = { name: "ports", wasm, slice_ms: 20_000 };

async function both(): Promise<Net> {
  const net = await Net.create();
  for (const stack of [net.a, net.b]) await stack.protocols.load(protocol);
  return net;
}

function open(stack: Stack, port?: number): number {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, PROTOCOL);
  if (port !== undefined) stack.sys.bind(fd, { port });
  return fd;
}

const text = (words: string) => new TextEncoder().encode(words);

Deno.test("untrusted sockets: messages of all sizes go there and back", async () => {
  await using net = await both();
  const [a, b] = [open(net.a), open(net.b, 9)];
  const buffer = new Uint8Array(60_000);
  for (const length of [0, 1, 1000, 1476, 1477, 50_000]) {
    const message = Uint8Array.from({ length }, (_, i) => i * 7 & 255);
    await net.a.sys.sendto(a, message, 0, { address: "10.0.0.2", port: 9 });
    const got = await net.b.sys.recvfrom(b, buffer);
    assertEquals([got.length, got.from?.address, got.from?.port], [length, "10.0.0.1", 49153]);
    await net.b.sys.sendto(b, buffer.subarray(0, length), 0, got.from);
    const back = await net.a.sys.recvfrom(a, buffer);
    assertEquals(buffer.subarray(0, back.length), message);
  }
  assertEquals(net.a.sys.getsockname(a).port, 49153);
});

Deno.test("untrusted sockets: they wait, are polled, and hear their peer alone", async () => {
  await using net = await both();
  const [peer, stranger, b] = [open(net.a, 1), open(net.a, 2), open(net.b, 9)];
  const to = { address: "10.0.0.2", port: 9 };
  await net.b.sys.connect(b, { address: "10.0.0.1", port: 1 });
  assertEquals(net.b.sys.getpeername(b), { family: Af.INET, address: "10.0.0.1", port: 1 });
  const polled = net.b.sys.poll([{ fd: b, events: 1 }]);
  const waiting = net.b.sys.recv(b, new Uint8Array(10));
  await net.a.sys.sendto(stranger, text("no"), 0, to);
  await net.a.sys.sendto(peer, text("yes"), 0, to);
  await net.a.sys.sendto(peer, text("again"), 0, { ...to, port: 10 });
  await net.a.protocols.settled("ports");
  assertEquals(await waiting, 3);
  await net.a.sys.sendto(peer, text("polled"), 0, to);
  await polled;
  assertEquals(net.b.protocols.list()[0].counters?.undelivered, 2);
  await net.b.sys.send(b, text("back"));
  assertEquals(await net.a.sys.recv(peer, new Uint8Array(10)), 4);
});

Deno.test("untrusted sockets: what they refuse", async () => {
  await using net = await both();
  const { sys, protocols } = net.a;
  const a = open(net.a, 7);
  assertThrows(() => open(net.a, 7), SocketError, "EADDRINUSE");
  assertThrows(() => sys.bind(a, { port: 8 }), SocketError, "EINVAL");
  await assertRejects(() => sys.send(a, text("x")), SocketError, "EDESTADDRREQ");
  assertThrows(() => sys.getsockopt(a, PROTOCOL, 1), SocketError, "ENOPROTOOPT");
  assertThrows(() => sys.listen(a), SocketError, "EOPNOTSUPP");
  const busy = await assertRejects(() => protocols.unload("ports"), SocketError);
  assertEquals(busy.errno, Errno.EBUSY);
});

Deno.test("untrusted sockets: more than the module can take is ENOBUFS", async () => {
  await using net = await both();
  const { sys } = net.a;
  const a = open(net.a, 7);
  const message = new Uint8Array(60_000);
  const send = () => sys.nb.sendto(a, message, 0, { address: "10.0.0.2", port: 9 });
  const error = assertThrows(() => {
    for (let i = 0; i < 100; i++) send();
  }, SocketError);
  assertEquals(error.errno, Errno.ENOBUFS);
  await net.a.protocols.settled("ports");
  assertEquals(send(), message.length);
});

Deno.test("untrusted sockets: an ICMP error reaches the socket by way of the module", async () => {
  await using net = await Net.create();
  const one = puppet({ sockets: true });
  await net.a.protocols.load(one);
  const a = open(net.a, 7);
  await net.a.sys.sendto(a, text("x"), 0, { address: "10.0.0.2", port: 9 });
  const refused = await assertRejects(() => net.a.sys.recv(a, new Uint8Array(1)), SocketError);
  assertEquals(refused.code, "ECONNREFUSED");
  assertEquals(one.said, [`C${Prc.UNREACH_PROTOCOL}`]);
});

Deno.test("untrusted: datagrams of its UDP ports, and answers from these alone", async () => {
  await using net = await Net.create();
  await net.b.protocols.load(puppet({ ports: [4789] }));
  using udp = net.a.listenDatagram({ port: 5000 });
  await udp.send(text("question"), { hostname: "10.0.0.2", port: 4789 });
  const [answer, from] = await udp.receive();
  assertEquals(new TextDecoder().decode(answer), "question");
  assertEquals(from, { transport: "udp", hostname: "10.0.0.2", port: 4789 });
});
