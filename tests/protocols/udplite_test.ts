/** UDP-Lite (RFC 3828), loaded as a side module: on the wire, for programs, and when it goes. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../assembly/abi/errno.ts";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../../mod.ts";
import udplite, {
  IPPROTO_UDPLITE,
  UDPLITE_RECV_CSCOV,
  UDPLITE_SEND_CSCOV,
} from "../../protocols/udplite/mod.ts";
import { holdings, host, Net } from "../unit/protocol/net.ts";

const HEADER = 8;
const A = { address: "10.0.0.1", port: 7 };
const B = { address: "10.0.0.2", port: 9 };
const data = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7 + 3);

function socket(stack: Stack, port: number): number {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, IPPROTO_UDPLITE);
  stack.sys.bind(fd, { port });
  return fd;
}

/** The checksum of RFC 3828 3.1, by the book: one's complement sum of 16-bit words. */
function checksum(datagram: Uint8Array, coverage: number, from = 1, to = 2): number {
  const covered = [...datagram.subarray(0, coverage || datagram.length)];
  covered[6] = covered[7] = 0;
  if (covered.length % 2 === 1) covered.push(0);
  const length = [datagram.length >> 8, datagram.length & 255];
  const words = [10, 0, 0, from, 10, 0, 0, to, 0, IPPROTO_UDPLITE, ...length, ...covered];
  let sum = 0;
  for (let i = 0; i < words.length; i += 2) sum += words[i] * 256 + words[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return (~sum & 0xffff) || 0xffff;
}

/** A datagram from 10.0.0.2 port 9 to 10.0.0.1 port 7. */
function datagram(payload: Uint8Array, coverage: number): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, B.port);
  view.setUint16(2, A.port);
  view.setUint16(4, coverage);
  bytes.set(payload, HEADER);
  view.setUint16(6, checksum(bytes, coverage, 2, 1));
  return bytes;
}

/** Whether RFC 3828 3.1 lets a receiver take it. */
function isGood(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const coverage = view.getUint16(4);
  if (coverage !== 0 && (coverage < HEADER || coverage > bytes.length)) return false;
  const sum = view.getUint16(6);
  return sum !== 0 && sum === checksum(bytes, coverage, 2, 1);
}

function counters(stack: Stack): Readonly<Record<string, number>> {
  return stack.protocols.list()[0].counters ?? {};
}

/** a has UDP-Lite; b has a raw socket for its packets. */
async function withRaw(): Promise<{ net: Net; raw: number }> {
  const net = await Net.create();
  await net.a.protocols.load(udplite);
  return { net, raw: net.b.sys.socket(Af.INET, Sock.RAW, IPPROTO_UDPLITE) };
}

Deno.test("udplite: what is sent says its coverage, and has the checksum of RFC 3828", async () => {
  const { net, raw } = await withRaw();
  await using _net = net;
  const fd = socket(net.a, 7);
  const cases: [asked: number, length: number, written: number][] = [
    [0, 20, 0],
    [8, 20, 8],
    [12, 20, 12],
    [3, 20, 8],
    [28, 20, 0],
    [1000, 20, 0],
    [70000, 20, 0],
    [9, 0, 0],
    [13, 101, 13],
  ];
  const buffer = new Uint8Array(2000);
  for (const [asked, length, written] of cases) {
    net.a.sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, asked);
    await net.a.sys.sendto(fd, data(length), 0, B);
    const got = await net.b.sys.recvfrom(raw, buffer);
    const sent = buffer.slice(20, got.length);
    const view = new DataView(sent.buffer);
    assertEquals([view.getUint16(0), view.getUint16(2), view.getUint16(4)], [7, 9, written]);
    assertEquals(view.getUint16(6), checksum(sent, written), `coverage ${asked}`);
    assertEquals(sent.subarray(HEADER), data(length));
  }
  assertEquals(counters(net.a).out, cases.length);
});

Deno.test("udplite: a receiver takes what RFC 3828 allows and nothing else", async () => {
  const { net, raw } = await withRaw();
  await using _net = net;
  const fd = socket(net.a, 7);
  const datagrams = fc.record({
    payload: fc.uint8Array({ maxLength: 60 }),
    coverage: fc.oneof(fc.constant(0), fc.nat(80)),
    damage: fc.option(fc.record({ at: fc.nat(79), bit: fc.nat(7) })),
    cut: fc.oneof(fc.constant(0), fc.nat(10)),
  });
  await fc.assert(
    fc.asyncProperty(datagrams, async ({ payload, coverage, damage, cut }) => {
      const bytes = datagram(payload, coverage);
      if (damage && damage.at < bytes.length && (damage.at < 2 || damage.at > 3)) {
        bytes[damage.at] ^= 1 << damage.bit;
      }
      const wire = bytes.subarray(0, Math.max(0, bytes.length - cut));
      const before = counters(net.a);
      await net.b.sys.sendto(raw, wire, 0, { address: A.address });
      const dropped = (c: Readonly<Record<string, number>>) => c.short + c.coverage + c.checksum;
      while (counters(net.a).in + dropped(counters(net.a)) === before.in + dropped(before)) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      const good = isGood(wire);
      assertEquals(counters(net.a).in - before.in, good ? 1 : 0);
      if (!good) return;
      const buffer = new Uint8Array(100);
      const got = await net.a.sys.recvfrom(fd, buffer);
      assertEquals(buffer.subarray(0, got.length), wire.subarray(HEADER));
    }),
    { seed: 3828, numRuns: 300 },
  );
});

Deno.test("udplite: a receiver may ask for a least coverage", async () => {
  const { net, raw } = await withRaw();
  await using _net = net;
  const fd = socket(net.a, 7);
  const option = (value: number) =>
    net.a.sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, value);
  const buffer = new Uint8Array(100);
  const cases: [least: number | undefined, coverage: number, taken: boolean][] = [
    [undefined, 8, true],
    [12, 8, false],
    [12, 12, true],
    [12, 20, true],
    [12, 0, true],
    [2, 8, true],
    [0, 20, false],
    [0, 28, true],
    [0, 0, true],
  ];
  for (const [least, coverage, taken] of cases) {
    if (least !== undefined) option(least);
    const before = counters(net.a);
    await net.b.sys.sendto(raw, datagram(data(20), coverage), 0, { address: A.address });
    await net.b.sys.sendto(raw, datagram(data(1), 0), 0, { address: A.address });
    const first = await net.a.sys.recvfrom(fd, buffer);
    assertEquals(first.length, taken ? 20 : 1, `least ${least}, coverage ${coverage}`);
    if (taken) await net.a.sys.recvfrom(fd, buffer);
    assertEquals(counters(net.a).below - before.below, taken ? 0 : 1);
  }
  const level = (name: number) => net.a.sys.getsockopt(fd, IPPROTO_UDPLITE, name);
  assertEquals([level(UDPLITE_SEND_CSCOV), level(UDPLITE_RECV_CSCOV)], [0, 0]);
  assertThrows(() => level(12), SocketError, "ENOPROTOOPT");
  assertThrows(() => option(-1), SocketError, "EINVAL");
});

Deno.test("udplite: sockets have peers, errors, groups and ports of their own", async () => {
  await using net = await Net.create();
  for (const stack of [net.a, net.b]) await stack.protocols.load(udplite);
  const [a, b] = [socket(net.a, 7), socket(net.b, 9)];
  using _udp = net.a.listenDatagram({ port: 7 });
  assertThrows(() => socket(net.a, 7), SocketError, "EADDRINUSE");
  await net.a.sys.connect(a, B);
  await net.a.sys.send(a, data(1400));
  const buffer = new Uint8Array(2000);
  const got = await net.b.sys.recvfrom(b, buffer);
  assertEquals([got.length, got.from?.address, got.from?.port], [1400, A.address, 7]);
  await net.a.sys.send(a, data(5000)); // in fragments
  assertEquals((await net.b.sys.recvfrom(b, new Uint8Array(9000))).length, 5000);
  await net.b.sys.close(b);
  await net.a.sys.send(a, data(1));
  const refused = await assertRejects(() => net.a.sys.recvfrom(a, buffer), SocketError);
  assertEquals(refused.errno, Errno.ECONNREFUSED);
  assertEquals(counters(net.b).no_port, 1);
});

Deno.test("udplite: it goes on from a snapshot, and leaves nothing behind", async () => {
  await using net = await Net.create();
  const before = holdings(net.a);
  await net.a.protocols.load(udplite);
  const fd = socket(net.a, 7);
  net.a.sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 20);
  await assertRejects(() => net.a.protocols.unload("udplite"), SocketError, "EBUSY");
  const snapshot = net.a.snapshot();
  await net.a.sys.close(fd);
  await net.a.protocols.unload("udplite");
  assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets });
  await net.a.close();
  await using again = await host(net.bridge, "", {
    snapshot,
    protocols: [udplite],
    interfaces: [{ name: "eth0", driver: net.bridge.port() }],
  });
  const { sys } = again;
  assertEquals(sys.getsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV), 20);
  await net.b.protocols.load(udplite);
  const b = socket(net.b, 9);
  await net.b.sys.sendto(b, data(3), 0, A);
  assertEquals((await sys.recvfrom(fd, new Uint8Array(10))).length, 3);
});
