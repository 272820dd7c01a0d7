/** Many stacks behind one device: who gets which frame, and Workers that serve one address. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ANYONE, EVERYONE, FlowHash } from "../../../drivers/flow_hash.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { Rss, RssPort, shards } from "../../../drivers/shards.ts";
import { createStack, type Stack } from "../../../mod.ts";

const SEED = 0x727373;
const CHILD = new URL("./shard_child.ts", import.meta.url);

/** An Ethernet frame with an IPv4 packet. */
function frame(from: number, to: number, protocol: number, body: number[], fragment = 0) {
  const bytes = new Uint8Array(34 + body.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 2;
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(20, fragment);
  view.setUint8(23, protocol);
  view.setUint32(26, from);
  view.setUint32(30, to);
  bytes.set(body, 34);
  return view;
}

const ports = (from: number, to: number) => [from >> 8, from & 255, to >> 8, to & 255];

function hashOf(view: DataView, seed = 5, link = 14): number {
  const flow = new FlowHash(seed, link);
  flow.read(view, 0, view.byteLength);
  return flow.hash;
}

Deno.test("flow hash: the same in both directions, and for errors about the flow", () => {
  const address = fc.integer({ min: 1, max: 0xdfffffff });
  const port = fc.nat(65535);
  fc.assert(
    fc.property(address, address, port, port, fc.constantFrom(6, 17), (a, b, p, q, protocol) => {
      const there = frame(a, b, protocol, [...ports(p, q), ...new Array(16).fill(0)]);
      const hash = hashOf(there);
      assert(hash >= 0);
      const back = frame(b, a, protocol, [...ports(q, p), ...new Array(16).fill(0)]);
      assertEquals(hashOf(back), hash);
      const quoted = new Uint8Array(there.buffer).subarray(14, 14 + 28);
      const error = frame(0x01020304, a, 1, [3, 4, 0, 0, 0, 0, 0, 0, ...quoted]);
      assertEquals(hashOf(error), hash);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("flow hash: flows spread over stacks, by a secret", () => {
  const counts = [0, 0, 0, 0];
  let moved = 0;
  for (let port = 1024; port < 9216; port++) {
    const view = frame(0x0a000001, 0x0a000002, 6, [...ports(port, 80), ...new Array(16).fill(0)]);
    counts[hashOf(view) % 4]++;
    if (hashOf(view) % 4 !== hashOf(view, 6) % 4) moved++;
  }
  for (const count of counts) assert(count > 1848 && count < 2248, String(counts));
  assert(moved > 5000, `${moved} go elsewhere with another seed`);
});

Deno.test("flow hash: fragments go by addresses, groups to all, what is cut short to one", () => {
  const one = frame(1, 2, 17, ports(5, 6), 0x2000);
  assertEquals(hashOf(one), hashOf(frame(2, 1, 17, ports(7, 8), 0x0010)));
  assertEquals(hashOf(frame(1, 0xe0000001, 2, [])), EVERYONE);
  assertEquals(hashOf(frame(1, 0xffffffff, 17, ports(67, 68))), EVERYONE);
  const whole = new Uint8Array(frame(1, 2, 1, [3, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 0]).buffer);
  for (let length = 0; length < whole.length; length++) {
    const view = new DataView(whole.buffer, 0, length);
    assertEquals(hashOf(view) === ANYONE, length < 34, String(length));
  }
  const arp = (operation: number) => {
    const view = new DataView(new ArrayBuffer(42));
    view.setUint16(12, 0x0806);
    view.setUint16(20, operation);
    return view;
  };
  assertEquals([hashOf(arp(1)), hashOf(arp(2))], [ANYONE, EVERYONE]);
});

Deno.test("rss: flows that a stack opens come back to it, whatever their hash", async () => {
  const [device, end] = pipe();
  const rss = await Rss.open(device, { shards: 3, seed: 9 });
  const stacks: Stack[] = [];
  for (let i = 0; i < 3; i++) {
    const driver = new RssPort(rss.handle(i));
    const addresses = ["10.1.0.2/24"];
    stacks.push(await createStack({ seed: i, interfaces: [{ driver, name: "eth0", addresses }] }));
  }
  const peer = await createStack({
    seed: "peer",
    interfaces: [{ driver: end, name: "eth0", addresses: ["10.1.0.1/24"] }],
  });
  const listener = peer.listen({ port: 80 });
  for (let round = 0; round < 4; round++) {
    for (const stack of stacks) {
      const [conn, other] = await Promise.all([
        stack.connect({ hostname: "10.1.0.1", port: 80 }),
        listener.accept(),
      ]);
      await conn.write(Uint8Array.of(1, 2, 3));
      const buffer = new Uint8Array(10);
      assertEquals(await other.read(buffer), 3);
      conn.close();
      other.close();
    }
  }
  for (const stack of [...stacks, peer]) await stack.close();
  await rss.close();
  await rss.close();
  assertEquals(rss.stats.rxDropped, 0);
});

Deno.test("shards: Workers serve one address and port together", async () => {
  const [device, end] = pipe();
  await using _all = await shards(device, { count: 2, module: CHILD });
  await using peer = await createStack({
    interfaces: [{ driver: end, name: "eth0", addresses: ["10.1.0.1/24"] }],
  });
  const served = [0, 0];
  for (let i = 0; i < 40; i++) {
    const conn = await peer.connect({ hostname: "10.1.0.2", port: 80 });
    const buffer = new Uint8Array(4);
    assertEquals(await conn.read(buffer), 1);
    served[buffer[0]]++;
    assertEquals(await conn.read(buffer), null);
    conn.close();
  }
  assert(served[0] > 0 && served[1] > 0, `served by ${served}`);
  assertEquals(served[0] + served[1], 40);
});

Deno.test("shards: a Worker that fails ends all", async () => {
  const options = { count: 2, module: CHILD, data: "fail" };
  await assertRejects(() => shards(new NullDriver(), options), Error, "as asked for");
});

Deno.test("rss: impossible options are refused", async () => {
  for (const options of [{ shards: 0 }, { shards: 65 }, { shards: 1, queue: 0 }]) {
    await assertRejects(() => Rss.open(new NullDriver(), options), RangeError);
  }
  const rss = await Rss.open(new NullDriver(), { shards: 2 });
  assertThrows(() => rss.handle(2), RangeError);
  await rss.close();
});
