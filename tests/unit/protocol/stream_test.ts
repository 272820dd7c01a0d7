/** A loaded domain with connections: its sockets behave as those of TCP do. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Pr, Prc } from "../../../assembly/abi/proto.ts";
import { Shut, Sock } from "../../../assembly/abi/socket.ts";
import { createStack, ManualClock, SocketError, type Stack } from "../../../mod.ts";
import type { ControlQuote, Kernel } from "../../../runtime/protocol/public.ts";
import checkedEngine from "../../engine_checked_module.js";
import { holdings, Net } from "./net.ts";
import { LOCAL, local } from "./local.ts";
import { RDP, rdp } from "./rdp.ts";

async function stack(): Promise<Stack> {
  return await createStack({ engine: checkedEngine, memory: { bytes: 16 * 2 ** 20 } });
}

async function errno(call: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => call, SocketError)).errno;
}

/** Makes packets and keeps them. */
function hoard(kernel: Kernel, count: number): void {
  for (let i = 0; i < count; i++) kernel.packet(40_000);
}

/** A connection to port 5: both ends. */
async function connected({ sys }: Stack): Promise<{ listener: number; a: number; b: number }> {
  const listener = sys.socket(LOCAL, Sock.STREAM);
  sys.bind(listener, { family: LOCAL, port: 5 });
  sys.listen(listener, 2);
  const a = sys.socket(LOCAL, Sock.STREAM);
  await sys.connect(a, { family: LOCAL, port: 5 });
  const { fd } = await sys.accept(listener);
  return { listener, a, b: fd };
}

Deno.test("domain: connections are made, carry bytes both ways and end", async () => {
  await using one = await stack();
  const { sys } = one;
  const before = holdings(one);
  await one.protocols.load(local());
  assertEquals(holdings(one).domains, before.domains + 1);
  const { listener, a, b } = await connected(one);
  const buffer = new Uint8Array(100);
  const waiting = sys.recv(b, buffer);
  await sys.send(a, Uint8Array.of(1, 2, 3));
  assertEquals(await waiting, 3);
  await sys.send(b, Uint8Array.of(4));
  assertEquals(await sys.recv(a, buffer), 1);
  sys.shutdown(a, Shut.WR);
  assertEquals(await sys.recv(b, buffer), 0);
  assertEquals(await errno(sys.send(a, Uint8Array.of(1))), Errno.EPIPE);
  assertEquals(sys.getpeername(a).port, 5);
  await sys.close(b);
  assertEquals(await errno(one.protocols.unload("local")), Errno.EBUSY);
  await sys.close(a);
  await sys.close(listener);
  assertEquals(await one.protocols.unload("local"), 1); // the domain
  assertEquals(holdings(one), { ...before, sockets: holdings(one).sockets });
  assertThrows(() => sys.socket(LOCAL, Sock.STREAM), SocketError, "EPFNOSUPPORT");
});

Deno.test("domain: backlog, refusal and addresses in use", async () => {
  await using one = await stack();
  const { sys } = one;
  await one.protocols.load(local());
  const listener = sys.socket(LOCAL, Sock.STREAM);
  sys.bind(listener, { family: LOCAL, port: 5 });
  const clients = Array.from({ length: 6 }, () => sys.socket(LOCAL, Sock.STREAM));
  const connect = (fd: number) => sys.connect(fd, { family: LOCAL, port: 5 });
  assertEquals(await errno(connect(clients[0])), Errno.ECONNREFUSED);
  sys.listen(listener, 2);
  let refused = 0;
  for (const fd of clients) {
    await connect(fd).catch((error) => refused += error.errno === 79 ? 1 : 0);
  }
  assertEquals(refused > 0 && refused < 6, true);
  const second = sys.socket(LOCAL, Sock.STREAM);
  const bind = () => sys.bind(second, { family: LOCAL, port: 5 });
  assertThrows(bind, SocketError, "EADDRINUSE");
  // what nobody accepted ends with the listener
  await sys.close(listener);
  const [first] = clients;
  assertEquals(await sys.recv(first, new Uint8Array(1)), 0);
});

Deno.test("domain: a sender waits for who does not read, and nothing is lost", async () => {
  await using one = await stack();
  const { sys } = one;
  await one.protocols.load(local());
  const { a, b } = await connected(one);
  const all = 1_000_000;
  const bytes = Uint8Array.from({ length: all }, (_, i) => (i * 31) >> 3);
  const sending = (async () => {
    for (let at = 0; at < all; at += 10_000) await sys.send(a, bytes.subarray(at, at + 10_000));
    sys.shutdown(a, Shut.WR);
  })();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertThrows(() => sys.nb.send(a, new Uint8Array(1)), SocketError, "EWOULDBLOCK");
  const got: number[] = [];
  const buffer = new Uint8Array(7777);
  for (let n = 1; n > 0;) {
    n = await sys.recv(b, buffer);
    got.push(...buffer.subarray(0, n));
  }
  await sending;
  assertEquals(got.length, all);
  assertEquals(got.every((byte, i) => byte === bytes[i]), true);
});

Deno.test("protocol: timeouts, drain and control input reach it on a virtual clock", async () => {
  const clock = new ManualClock();
  await using one = await createStack({
    engine: checkedEngine,
    clock,
    memory: { bytes: 4 * 2 ** 20, mbufs_small: 64, mbufs_cluster: 64 },
  });
  const calls = { fast: 0, slow: 0, drain: 0 };
  let kernel: Kernel | undefined;
  await one.protocols.load(rdp({
    module: {
      load: (given) => void (kernel = given),
    },
    row: {
      fasttimo: () => void calls.fast++,
      slowtimo: () => void calls.slow++,
      drain: () => void calls.drain++,
    },
  }));
  for (let i = 0; i < 100; i++) {
    clock.advance(100_000);
    one.turn();
  }
  assertEquals([calls.fast, calls.slow], [50, 20]);
  assertThrows(() => hoard(kernel!, 100), SocketError, "ENOBUFS");
  assertEquals(calls.drain > 0, true);
  assert(await one.protocols.unload("rdp") > 0); // the packets
  assertEquals(one.netstat().mbufs.cluster.used, 0);
  clock.advance(1_000_000);
  one.turn();
  assertEquals([calls.fast, calls.slow], [50, 20]);
});

Deno.test("protocol: ICMP errors about its packets reach it, quoted", async () => {
  await using net = await Net.create();
  const heard: [number, ControlQuote | undefined][] = [];
  await net.a.protocols.load(rdp({
    row: {
      flags: Pr.ATOMIC | Pr.ADDR,
      ctlinput: (command, quote) => void heard.push([command, quote]),
    },
  }));
  const fd = net.a.sys.socket(2, Sock.DGRAM, RDP);
  net.a.sys.bind(fd, { port: 7 });
  await net.a.sys.sendto(fd, new Uint8Array(20), 0, { address: "10.0.0.2", port: 9 });
  while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve));
  const [command, quote] = heard[0];
  assertEquals(command, Prc.UNREACH_PROTOCOL);
  assertEquals([quote?.protocol, quote?.local.address, quote?.peer.address], [
    RDP,
    "10.0.0.1",
    "10.0.0.2",
  ]);
});
