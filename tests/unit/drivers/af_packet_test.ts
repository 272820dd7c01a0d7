/** The parts of the AF_PACKET driver that need no kernel: options, rings, work on frames. */

import { assertEquals, assertThrows } from "@std/assert";
import { AfPacketDriver, type AfPacketOptions } from "../../../drivers/af_packet.ts";
import { finishChecksum, takeFrame } from "../../../drivers/af_packet_frames.ts";
import { fanoutWord } from "../../../drivers/af_packet_options.ts";
import { BlockRing, type ReceiveRing, SlotRing } from "../../../drivers/af_packet_ring.ts";
import { FaultDriver } from "../../../drivers/fault.ts";
import { TraceDriver } from "../../../drivers/trace.ts";
import type { FrameBatch, NetDriver } from "../../../runtime/device/driver.ts";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";

Deno.test("af_packet: refuses options that nothing can have", () => {
  const wrong: [Partial<AfPacketOptions>, string][] = [
    [{ interface: "" }, "an interface name has 1 to 15 bytes"],
    [{ interface: "a/b" }, 'unlike "a/b"'],
    [{ interface: "sixteenbytesname" }, "1 to 15 bytes"],
    [{ mtu: 67 }, "mtu must be a whole number from 68"],
    [{ ringBytes: 100 }, "ringBytes must be a whole number from 262144"],
    [{ ringBytes: 300_000 }, "a multiple of 262144"],
    [{ hwaddr: Uint8Array.of(1, 0, 0, 0, 0, 1) }, "no group address"],
    [{ hwaddr: new Uint8Array(5) }, "6 bytes"],
    [{ hwaddr: "mine" as "own" }, 'must be "interface", "own" or 6 bytes'],
    [{ fanout: { group: 65536 } }, "fanout.group"],
    [{ fanout: { group: 1, mode: "fair" as "hash" } }, "one of hash, balance, cpu, queue"],
  ];
  for (const [options, words] of wrong) {
    assertThrows(() => new AfPacketDriver({ interface: "eth1", ...options }), RangeError, words);
  }
});

Deno.test("af_packet: the word of a fan-out group has its number, mode and flags", () => {
  assertEquals(fanoutWord({ group: 7 }) >>> 0, 0x80000007);
  assertEquals(fanoutWord({ group: 65535, mode: "queue", defragment: false }), 0x0005ffff);
});

/** Everything that a ring has, with the frame number that is the first byte of each. */
function drain(ring: ReceiveRing): number[][] {
  const seen: number[][] = [];
  while (ring.next()) {
    assertEquals([ring.next(), ring.ready], [true, true]);
    seen.push([ring.bytes[ring.at], ring.length, ring.wireLength, ring.tag]);
    ring.release();
  }
  assertEquals(ring.ready, false);
  return seen;
}

Deno.test("af_packet: walks blocks in turn, frame by frame, and gives each back when done", () => {
  const buffer = new ArrayBuffer(3 * 4096);
  const view = new DataView(buffer);
  /** What the kernel does: hands block `i` over with frames. */
  const fill = (i: number, numbers: number[]) => {
    numbers.forEach((number, n) => {
      const at = i * 4096 + 48 + 256 * n;
      view.setUint32(at, n + 1 < numbers.length ? 256 : 0, true);
      [60 + n, 70 + n, number % 3 ? 1 : 0x51].forEach((v, w) =>
        view.setUint32(at + 12 + 4 * w, v, true)
      );
      view.setUint16(at + 24, 98, true);
      view.setUint32(at + 32, 0x6005, true);
      view.setUint16(at + 36, 0x88a8, true);
      view.setUint8(at + 98, number);
    });
    view.setUint32(i * 4096 + 12, numbers.length, true);
    view.setUint32(i * 4096 + 16, 48, true);
    view.setUint32(i * 4096 + 8, 1, true);
  };
  const ring = new BlockRing(buffer, 4096);
  assertEquals(drain(ring), []);
  fill(0, [1, 2]);
  fill(1, [3]);
  assertEquals(drain(ring), [[1, 60, 70, 0], [2, 61, 71, 0], [3, 60, 70, 0x88a86005]]);
  assertEquals([view.getUint32(8, true), view.getUint32(4096 + 8, true)], [0, 0]);
  fill(1, [9]);
  assertEquals(drain(ring), [], "a block out of turn");
  fill(2, []);
  fill(0, [4]);
  assertEquals(drain(ring).map(([number]) => number), [4, 9]);
});

Deno.test("af_packet: walks slots in turn, past what is left of a block", () => {
  const buffer = new ArrayBuffer(2 * 1024);
  const view = new DataView(buffer);
  const ring = new SlotRing(buffer, 1024, 400);
  const slots = [0, 400, 1024, 1424];
  for (let number = 0; number < 10; number++) {
    assertEquals(ring.next(), false);
    const at = slots[number % 4];
    [0x11, 90, 80].forEach((value, word) => view.setUint32(at + 4 * word, value, true));
    view.setUint16(at + 12, 96, true);
    view.setUint16(at + 24, number, true);
    view.setUint8(at + 96, number);
    assertEquals(drain(ring), [[number, 80, 90, (0x8100 << 16 | number) >>> 0]]);
    assertEquals(view.getUint32(at, true), 0);
  }
});

/** A frame in a ring, after a virtio header. */
function inRing(header: number[], frame: number[], tag = 0): ReceiveRing {
  const bytes = Uint8Array.from([...header, ...frame]);
  const { length } = frame;
  const rest = { ready: true, next: () => true, release: () => {} };
  return { bytes, at: 10, length, wireLength: length, tag, ...rest };
}

const NEEDS_CSUM = [1, 0, 54, 0, 0, 0, 34, 0, 16, 0];

Deno.test("af_packet: a VLAN tag moves what the virtio header points to", () => {
  const frame = Array.from({ length: 300 }, (_, i) => i & 255);
  const tagged = [...frame.slice(0, 12), 0x81, 0, 0x20, 5, ...frame.slice(12)];
  const to = new Uint8Array(400);
  takeFrame(inRing(NEEDS_CSUM, frame, 0x81002005), to, 3, true);
  assertEquals([...to.subarray(3, 13)], [1, 0, 58, 0, 0, 0, 38, 0, 16, 0]);
  assertEquals([...to.subarray(13, 317)], tagged);
  takeFrame(inRing(new Array(10).fill(0), frame, 0x81002005), to, 3, true);
  assertEquals([...to.subarray(3, 13)], new Array(10).fill(0));
  to.fill(0);
  takeFrame(inRing(NEEDS_CSUM, frame, 0x81002005), to, 0, false);
  assertEquals([...to.subarray(0, 305)], [...tagged, 0]);
});

Deno.test("af_packet: a checksum is computed where it was left, and nowhere else", () => {
  const zeros = new Array(60).fill(0);
  const left = inRing(NEEDS_CSUM, [...zeros.slice(0, 34), 0x12, 0x34, ...zeros.slice(36)]);
  finishChecksum(left);
  assertEquals([...left.bytes.subarray(60, 62)], [0xed, 0xcb]);
  // RFC 768: a sum of zero is sent as its other form.
  const full = inRing(NEEDS_CSUM, [...zeros.slice(0, 34), 0xff, 0xff, ...zeros.slice(36)]);
  finishChecksum(full);
  assertEquals([...full.bytes.subarray(60, 62)], [0xff, 0xff]);
  for (const header of [new Array(10).fill(0), [1, 0, 0, 0, 0, 0, 50, 0, 9, 0]]) {
    const other = inRing(header, zeros);
    finishChecksum(other);
    assertEquals([...other.bytes], [...header, ...zeros]);
  }
});

/** A driver with virtio headers that takes all and gives one frame. */
class Headed implements NetDriver {
  readonly name = "headed";
  readonly caps = { mtu: 1500, medium: "ethernet", vnetHeader: true } as const;
  attach(): void {}
  detach(): void {}
  start(tx: FrameBatch): number {
    return tx.count;
  }
  rx(free: FrameBatch): number {
    if (free.count === 0) return 0;
    free.view(0).set(Uint8Array.from({ length: 80 }, (_, i) => i));
    free.setLength(0, 80);
    return 1;
  }
}

Deno.test("trace: leaves virtio headers out", async () => {
  const seen: number[][] = [];
  const trace = new TraceDriver(new Headed(), { onFrame: (_, frame) => seen.push([...frame]) });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await trace.attach(ifp);
  assertEquals(trace.start(ifp.txBatch([new Uint8Array(70).fill(7), new Uint8Array(10)])), 2);
  assertEquals(trace.rx(ifp.freeBatch(2, 100)), 1);
  assertEquals(seen, [new Array(60).fill(7), Array.from({ length: 70 }, (_, i) => 10 + i)]);
  await trace.detach();
});

Deno.test("fault: refuses a driver with virtio headers", () => {
  const words = "give the headed driver offload: false";
  assertThrows(() => new FaultDriver(new Headed()), RangeError, words);
});
