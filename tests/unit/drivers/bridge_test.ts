import { assertEquals, assertThrows } from "@std/assert";
import { Bridge, type BridgeOptions } from "../../../drivers/bridge.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";

const BROADCAST = [255, 255, 255, 255, 255, 255];

function host(number: number): number[] {
  return [2, 0, 0, 0, number >> 8, number & 255];
}

function frame(to: number[], from: number[], mark = 0): Uint8Array {
  const bytes = new Uint8Array(60);
  bytes.set([...to, ...from, 0x88, 0xb5, mark]);
  return bytes;
}

function network(ports: number, options: BridgeOptions = {}) {
  const clock = new VirtualClock();
  const bridge = new Bridge(options);
  const ends = Array.from({ length: ports }, (_, i) => {
    const ifp = new FakeIfnet(`eth${i}`, clock, i);
    const port = bridge.port();
    port.attach(ifp);
    return new FarEnd(port, ifp, 2048);
  });
  /** Marks of the frames that arrived at each port. */
  const arrived = () => ends.map((end) => end.receive().map((bytes) => bytes[14]));
  return { clock, bridge, ends, arrived };
}

Deno.test("bridge: floods what it does not know, forwards what it has learnt", () => {
  const { bridge, ends, arrived } = network(3);
  ends[0].send([frame(host(2), host(1), 1)]);
  assertEquals(arrived(), [[], [1], [1]]);
  ends[1].send([frame(host(1), host(2), 2)]);
  assertEquals(arrived(), [[2], [], []]);
  ends[0].send([frame(host(2), host(1), 3), frame(host(3), host(1), 4)]);
  assertEquals(arrived(), [[], [3, 4], [4]]);
  assertEquals(bridge.addresses, 2);
  assertEquals([bridge.stats.forwarded, bridge.stats.flooded], [2, 2]);
});

Deno.test("bridge: broadcast and multicast go everywhere but back", () => {
  const { ends, arrived } = network(4);
  ends[2].send([frame(BROADCAST, host(3), 1), frame([1, 0, 0x5e, 0, 0, 1], host(3), 2)]);
  assertEquals(arrived(), [[1, 2], [1, 2], [], [1, 2]]);
});

Deno.test("bridge: an address that moves is followed", () => {
  const { ends, arrived } = network(3);
  ends[0].send([frame(BROADCAST, host(1), 1)]);
  ends[2].send([frame(BROADCAST, host(1), 2)]);
  arrived();
  ends[1].send([frame(host(1), host(2), 3)]);
  assertEquals(arrived(), [[], [], [3]]);
});

Deno.test("bridge: a frame for its own side is filtered", () => {
  const { bridge, ends, arrived } = network(2);
  ends[0].send([frame(BROADCAST, host(1)), frame(BROADCAST, host(2))]);
  arrived();
  ends[0].send([frame(host(2), host(1))]);
  assertEquals(arrived(), [[], []]);
  assertEquals(bridge.stats.filtered, 1);
});

Deno.test("bridge: group sources, reserved groups and short frames are discarded", () => {
  const { bridge, ends, arrived } = network(2);
  ends[0].send([
    frame(host(2), [1, 0, 0, 0, 0, 1], 1),
    frame([1, 0x80, 0xc2, 0, 0, 0], host(1), 2),
    frame([1, 0x80, 0xc2, 0, 0, 15], host(1), 3),
    new Uint8Array(13),
    new Uint8Array(1515),
    frame([1, 0x80, 0xc2, 0, 0, 16], host(1), 4),
  ]);
  assertEquals(arrived(), [[], [4]]);
  assertEquals(bridge.stats.invalid, 5);
  assertEquals(bridge.addresses, 1);
});

Deno.test("bridge: addresses age", () => {
  const { clock, ends, arrived } = network(3, { age_s: 10 });
  ends[0].send([frame(BROADCAST, host(1))]);
  arrived();
  clock.advance(10e6);
  ends[1].send([frame(host(1), host(2), 1)]);
  assertEquals(arrived(), [[1], [], []]);
  clock.advance(1);
  ends[1].send([frame(host(1), host(2), 2)]);
  assertEquals(arrived(), [[2], [], [2]]);
});

Deno.test("bridge: a full table learns no more until addresses have aged, and goes on", () => {
  const { clock, bridge, ends, arrived } = network(3, { addresses: 2, age_s: 10 });
  ends[0].send([frame(BROADCAST, host(1)), frame(BROADCAST, host(2)), frame(BROADCAST, host(3))]);
  arrived();
  assertEquals([bridge.addresses, bridge.stats.tableFull], [2, 1]);
  ends[1].send([frame(host(3), host(9), 1), frame(host(1), host(9), 2)]);
  assertEquals(arrived(), [[1, 2], [], [1]]);
  clock.advance(11e6);
  ends[0].send([frame(BROADCAST, host(3))]);
  arrived();
  assertEquals([bridge.addresses, bridge.stats.tableFull], [1, 3]);
});

Deno.test("bridge: a full port loses frames, is counted, and holds up nobody", () => {
  const { bridge, ends, arrived } = network(3, { queue: 2 });
  ends[2].send([frame(BROADCAST, host(3), 9)]);
  arrived();
  ends[0].send([1, 2, 3].map((mark) => frame(BROADCAST, host(1), mark)));
  ends[1].receive();
  ends[0].send([frame(BROADCAST, host(1), 4)]);
  assertEquals(arrived(), [[], [4], [1, 2]]);
  assertEquals(bridge.stats.queueFull, 3);
});

Deno.test("bridge: a port that is gone gets nothing, and its addresses are forgotten", () => {
  const { bridge, ends, arrived } = network(3);
  ends[1].send([frame(BROADCAST, host(2))]);
  arrived();
  ends[1].driver.detach();
  assertEquals(bridge.addresses, 0);
  ends[0].send([frame(host(2), host(1), 1)]);
  assertEquals(arrived(), [[], [], [1]]);
  ends[0].driver.detach();
  assertEquals(bridge.addresses, 0);
});

Deno.test("bridge: wakes each port with frames once a batch, no others", () => {
  const { ends, arrived } = network(3);
  ends[1].send([frame(BROADCAST, host(2))]);
  arrived();
  for (const end of ends) end.ifp.wakes = 0;
  ends[0].send([1, 2, 3].map((mark) => frame(host(2), host(1), mark)));
  assertEquals(ends.map((end) => end.ifp.wakes), [0, 1, 0]);
});

Deno.test("bridge: refuses options out of range", () => {
  const wrong: BridgeOptions[] = [{ mtu: 1 }, { queue: 0 }, { addresses: 0 }, { age_s: 0 }];
  for (const options of wrong) assertThrows(() => new Bridge(options), RangeError);
});
