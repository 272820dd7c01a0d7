/** Protocols in TypeScript: loaded, used by sockets like any other, unloaded without a trace. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../../../mod.ts";
import type { Kernel, Packet, ProtocolModule } from "../../../runtime/protocol/public.ts";
import { RDP, rdp } from "./rdp.ts";
import { holdings, host, Net } from "./net.ts";

const text = (words: string) => new TextEncoder().encode(words);

function open(stack: Stack, port: number): number {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, RDP);
  stack.sys.bind(fd, { port });
  return fd;
}

async function errno(call: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => call, SocketError)).errno;
}

Deno.test("protocol: sockets of a loaded one send, wait, are polled and closed", async () => {
  await using net = await Net.create();
  for (const stack of [net.a, net.b]) await stack.protocols.load(rdp());
  const [a, b] = [open(net.a, 7), open(net.b, 9)];
  const buffer = new Uint8Array(100);
  const waiting = net.b.sys.recvfrom(b, buffer);
  const polled = net.b.sys.poll([{ fd: b, events: 1 }]);
  await net.a.sys.sendto(a, text("hello"), 0, { address: "10.0.0.2", port: 9 });
  const got = await waiting;
  assertEquals([got.length, got.from?.address, got.from?.port], [5, "10.0.0.1", 7]);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 5)), "hello");
  await net.a.sys.sendto(a, text("again"), 0, { address: "10.0.0.2", port: 9 });
  await polled;
  net.b.sys.shutdown(b, 0);
  assertEquals((await net.b.sys.recvfrom(b, buffer)).length, 0);
  assertEquals(net.a.sys.getsockname(a).port, 7);
  await net.a.sys.connect(a, { address: "10.0.0.2", port: 9 });
  assertEquals(net.a.sys.getpeername(a).address, "10.0.0.2");
  assertThrows(() => open(net.a, 7), SocketError, "EADDRINUSE");
  assertEquals(net.b.protocols.list()[0].packets, 2);
});

Deno.test("protocol: EBUSY while sockets are open, then nothing is left", async () => {
  await using net = await Net.create();
  const before = holdings(net.a);
  for (let round = 0; round < 3; round++) {
    await net.a.protocols.load(rdp({ row: { fasttimo() {}, slowtimo() {}, drain() {} } }));
    const fd = open(net.a, 7);
    assertEquals(await errno(net.a.protocols.unload("rdp")), Errno.EBUSY);
    await net.a.sys.close(fd);
    await net.a.protocols.unload("rdp");
    assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets });
    assertThrows(() => net.a.sys.socket(Af.INET, Sock.DGRAM, RDP), SocketError, "EPROTONOSUPPORT");
  }
  assertEquals(await errno(net.a.protocols.unload("rdp")), Errno.ENOENT);
});

Deno.test("protocol: what cannot be loaded is refused by name and leaves nothing", async () => {
  await using net = await Net.create();
  const { protocols } = net.a;
  const before = holdings(net.a);
  const cases: [number, string, unknown][] = [
    [Errno.EINVAL, "has no name", {}],
    [Errno.EINVAL, "relative", "./protocol.ts"],
    [Errno.EINVAL, "cannot be imported", "data:text/typescript,throw 1"],
    [Errno.EINVAL, "1 to 32 letters", rdp({ name: "a b" })],
    [Errno.EINVAL, "no usrreq", rdp({ row: { usrreq: undefined } })],
    [Errno.EINVAL, "from 1 to 255", rdp({ row: { protocol: 256 } })],
    [Errno.EINVAL, "not a function", rdp({ row: { input: 1 as never } })],
    [Errno.EEXIST, "rdp: another protocol", rdp({ row: { protocol: 17 } })],
    [Errno.EEXIST, "takes packets", rdp({ row: { protocol: 6, type: 0, usrreq: undefined } })],
    [
      Errno.EIO,
      "rdp, load: Error: no",
      rdp({
        module: {
          load: (kernel) => {
            kernel.addInputType(0x88b5, () => {});
            kernel.addUdpPort(4789, () => {});
            kernel.after(1000, () => {});
            throw new Error("no");
          },
        },
      }),
    ],
  ];
  for (const [code, words, module] of cases) {
    const error = await assertRejects(() => protocols.load(module as never), SocketError, words);
    assertEquals(error.errno, code, words);
    assertEquals(protocols.list(), []);
  }
  assertEquals(holdings(net.a), { ...before, sockets: holdings(net.a).sockets });
  await protocols.load(rdp());
  assertEquals(await errno(protocols.load(rdp())), Errno.EEXIST);
  assertEquals(await errno(protocols.load(rdp({ name: "other" }))), Errno.EEXIST);
});

Deno.test("protocol: one whose hook throws is stopped; the stack lives on", async () => {
  await using net = await Net.create();
  await net.b.protocols.load(rdp({
    row: {
      input() {
        throw new TypeError("a fault");
      },
    },
  }));
  await net.a.protocols.load(rdp());
  const [a, b] = [open(net.a, 7), open(net.b, 9)];
  const waiting = net.b.sys.recvfrom(b, new Uint8Array(10));
  await net.a.sys.sendto(a, text("x"), 0, { address: "10.0.0.2", port: 9 });
  assertEquals(await errno(waiting), Errno.EIO);
  const [info] = net.b.protocols.list();
  assertEquals([info.state, info.error], ["failed", "protocol rdp, input: TypeError: a fault"]);
  assertEquals(await errno(net.b.sys.sendto(b, text("x"), 0, { address: "10.0.0.1", port: 7 })), 5);
  assertThrows(() => net.b.sys.socket(Af.INET, Sock.DGRAM, RDP), SocketError, "EIO");
  await net.b.sys.close(b);
  await net.b.protocols.unload("rdp");
  using listener = net.b.listen({ port: 80 });
  using client = await net.a.connect({ hostname: "10.0.0.2", port: 80 });
  using server = await listener.accept();
  await client.write(text("alive"));
  assertEquals(await server.read(new Uint8Array(10)), 5);
});

Deno.test("protocol: a hook that answers a promise is a fault of its own", async () => {
  await using net = await Net.create();
  const later = () => Promise.reject(new Error("later")) as never;
  await net.a.protocols.load(rdp({ row: { setOption: later, getOption: () => 1000 } }));
  const fd = open(net.a, 7);
  assertEquals(net.a.sys.getsockopt(fd, RDP, 1), 0);
  assertThrows(() => net.a.sys.setsockopt(fd, RDP, 1, 1), SocketError, "EIO");
  assertStringIncludes(net.a.protocols.list()[0].error ?? "", "ctloutput: TypeError: it answered");
});

Deno.test("protocol: input by ethertype and UDP port, and timers", async () => {
  await using net = await Net.create();
  const seen: string[] = [];
  const fired = Promise.withResolvers<void>();
  await net.b.protocols.load({
    name: "listener",
    load(kernel) {
      kernel.addInputType(0x88b5, (frames) => {
        for (const frame of frames) seen.push(`frame ${frame.key.toString(16)} ${frame.length}`);
      });
      const port = kernel.addUdpPort(4789, (packets) => {
        for (const packet of packets) {
          seen.push(`udp ${new TextDecoder().decode(packet.bytes())} ${packet.sourcePort}`);
          const to = { address: "10.0.0.1", port: packet.sourcePort };
          port.send(kernel.packet(text("answer")), to);
        }
      });
      kernel.after(1000, fired.resolve);
      assertThrows(() => kernel.addInputType(0x88b5, () => {}), SocketError, "88b5");
      assertThrows(() => kernel.addUdpPort(4789, () => {}), SocketError, "EADDRINUSE");
    },
  });
  await net.a.protocols.load({
    name: "speaker",
    load(kernel) {
      const frame = new Uint8Array(60);
      frame.set(net.b.interfaces[0].hwaddr, 0);
      frame.set(net.a.interfaces[0].hwaddr, 6);
      frame.set([0x88, 0xb5], 12);
      kernel.sendFrame(kernel.packet(frame), net.a.interfaces[0].index);
    },
  });
  using udp = net.a.listenDatagram({ port: 5000 });
  await udp.send(text("question"), { hostname: "10.0.0.2", port: 4789 });
  const [answer] = await udp.receive();
  assertEquals(new TextDecoder().decode(answer), "answer");
  await fired.promise;
  assertEquals(seen, ["frame 88b5 46", "udp question 5000"]);
  await net.b.protocols.unload("listener");
});

Deno.test("protocol: packets that it keeps are bounded, and freed in the end", async () => {
  await using net = await Net.create();
  const kept: Packet[] = [];
  let full = 0;
  await net.b.protocols.load({
    name: "hoarder",
    load: (kernel) => {
      kernel.addInputType(0x88b5, (frames) => kept.push(kernel.keep(frames[0])));
      try {
        for (;;) kept.push(kernel.packet(100));
      } catch (error) {
        full = (error as SocketError).errno;
      }
      kept.pop()?.free();
    },
  });
  assertEquals(full, Errno.ENOBUFS);
  const held = kept.length;
  await net.a.protocols.load({
    name: "speaker",
    load(kernel) {
      const frame = new Uint8Array(60);
      frame.set(net.b.interfaces[0].hwaddr, 0);
      frame.set(net.a.interfaces[0].hwaddr, 6);
      frame.set([0x88, 0xb5], 12);
      kernel.sendFrame(kernel.packet(frame), net.a.interfaces[0].index);
    },
  });
  while (kept.length === held) await new Promise((resolve) => setTimeout(resolve, 1));
  const before = holdings(net.b).mbufs;
  assertEquals(kept.at(-1)?.length, 46);
  assertEquals(await net.b.protocols.unload("hoarder"), kept.length + 1);
  assertEquals(before - holdings(net.b).mbufs, kept.length);
  assertEquals(kept[0].length, 0);
});

Deno.test("protocol: it goes on from a snapshot, with its ports and sockets", async () => {
  await using net = await Net.create();
  const without = rdp();
  await net.a.protocols.load(without);
  assertThrows(() => net.a.snapshot(), SocketError, "rdp cannot be part");
  await net.a.protocols.unload("rdp");

  const port = (kernel: Kernel) => void kernel.addUdpPort(4789, () => {});
  const mover = (): ProtocolModule => ({
    ...rdp({ row: { fasttimo() {} } }),
    name: "mover",
    load: port,
    snapshot: () => ({ seen: 41 }),
    restore(kernel, state) {
      port(kernel);
      kernel.addInputType(0x88b5, () => {});
      assertEquals(state, { seen: 41 });
    },
  });
  await net.a.protocols.load(mover());
  const fd = net.a.sys.socket(Af.INET, Sock.DGRAM, RDP);
  const snapshot = net.a.snapshot();
  await net.a.close();
  const options = (protocols: ProtocolModule[]) => ({
    snapshot,
    protocols,
    interfaces: [{ name: "eth0", driver: net.bridge.port() }],
  });
  const refused: [number, string, ProtocolModule[]][] = [
    [Errno.ENODEV, "needs protocol mover", []],
    [Errno.EINVAL, "mover: it has other rows", [{ ...mover(), rows: [] }]],
    [Errno.EINVAL, "mover: it has no restore", [{ ...mover(), restore: undefined }]],
  ];
  for (const [code, words, given] of refused) {
    const made = () => host(net.bridge, "", options(given));
    assertEquals((await assertRejects(made, SocketError, words)).errno, code);
  }
  await using again = await host(net.bridge, "", options([mover()]));
  assertEquals(again.protocols.list()[0].sockets, 1);
  assertEquals(await errno(again.protocols.unload("mover")), Errno.EBUSY);
  await again.sys.close(fd);
  await again.protocols.unload("mover");
  using udp = again.listenDatagram({ port: 4789 });
  assertEquals(udp.addr.port, 4789);
});

Deno.test("protocol: a stack that is closed ends its protocols", async () => {
  const net = await Net.create();
  const ended: string[] = [];
  for (const name of ["first", "second"]) {
    await net.a.protocols.load({
      name,
      load: (kernel) => void kernel.after(1e9, () => {}),
      unload: () => {
        ended.push(name);
        throw new Error("never mind");
      },
    });
  }
  await net[Symbol.asyncDispose]();
  assertEquals(ended, ["first", "second"]);
  assertEquals(net.a.protocols.list(), []);
});
