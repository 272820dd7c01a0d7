import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type CapturedFrame,
  CaptureError,
  Linktype,
  openCapture,
  PcapngWriter,
  PcapWriter,
} from "../../../drivers/capture.ts";
import { CaptureWire } from "../../../drivers/capture_wire.ts";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { MemoryFile, udpFrame } from "./capture_files.ts";

function capture(times_us: number[], linktype: number = Linktype.ETHERNET): MemoryFile {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink, { linktype });
  times_us.forEach((timestamp_us, i) => {
    const data = udpFrame(i);
    writer.write({ timestamp_us, data: linktype === Linktype.ETHERNET ? data : data.slice(14) });
  });
  writer.close();
  return file;
}

/** Runs the wire as a stack does, a turn for each wake-up; when each frame came. */
function play(wire: CaptureWire, clock: VirtualClock, until_us: number): number[] {
  const ifp = new FakeIfnet("eth0", clock);
  wire.attach(ifp);
  const start_us = clock.now_us;
  const came: number[] = [];
  for (;;) {
    ifp.wakes = 0;
    const filled = wire.rx(ifp.freeBatch(8, 2048));
    for (let i = 0; i < filled; i++) came.push(clock.now_us - start_us);
    if (filled === 8 || ifp.wakes > 0) continue;
    const step_us = Math.min(clock.nextDue_us, start_us + until_us) - clock.now_us;
    if (step_us <= 0) return came;
    clock.advance(step_us);
  }
}

Deno.test("capture wire: frames come at the times of the file, scaled, or at once", async () => {
  const times_us = [9_000_000, 9_000_400, 9_000_400, 9_250_000, 9_100_000, 10_000_000];
  const after_us = [0, 400, 400, 250_000, 250_000, 1_000_000];
  const cases: ["none" | "original" | number, number[]][] = [
    ["original", after_us],
    [1, after_us],
    [4, after_us.map((t) => t / 4)],
    [0.5, after_us.map((t) => t * 2)],
    ["none", [0, 0, 0, 0, 0, 0]],
  ];
  for (const [pacing, expected] of cases) {
    const clock = new VirtualClock();
    const frames = openCapture(capture(times_us).bytes());
    const wire = new CaptureWire(frames, { pacing, schedule: clock.schedule });
    assertEquals(play(wire, clock, 10_000_000), expected, `pacing ${pacing}`);
    await wire.done;
    assertEquals(clock.pending, 0);
    wire.detach();
  }
});

Deno.test("capture wire: hands over one frame a call if asked, and tells which", () => {
  const clock = new VirtualClock();
  const seen: [number, number][] = [];
  const wire = new CaptureWire(openCapture(capture([1, 2, 3]).bytes()), {
    batch: 1,
    onFrame: (frame: CapturedFrame, index) => seen.push([index, frame.timestamp_us]),
  });
  const ifp = new FakeIfnet("eth0", clock);
  wire.attach(ifp);
  for (let i = 0; i < 3; i++) {
    assert(ifp.wakes > 0, `not woken for frame ${i}`);
    ifp.wakes = 0;
    assertEquals(wire.rx(ifp.freeBatch(8, 2048)), 1);
  }
  assertEquals(wire.rx(ifp.freeBatch(8, 2048)), 0);
  assertEquals(seen, [[0, 1], [1, 2], [2, 3]]);
});

Deno.test("capture wire: IP captures give bare packets, whatever their header", () => {
  const packet = [0x45, 1, 2, 3];
  const ip6 = [0x60, 9];
  const kinds: [number, number[], number[]][] = [
    [Linktype.RAW, packet, packet],
    [Linktype.IPV4, packet, packet],
    [Linktype.IPV6, ip6, ip6],
    [Linktype.NULL, [2, 0, 0, 0, ...packet], packet],
    [Linktype.LOOP, [0, 0, 0, 24, ...ip6], ip6],
    [Linktype.LINUX_SLL, [...new Array(14).fill(0), 8, 0, ...packet], packet],
    [Linktype.LINUX_SLL2, [0x86, 0xdd, ...new Array(18).fill(0), ...ip6], ip6],
  ];
  for (const [linktype, data, expected] of kinds) {
    const file = new MemoryFile();
    const writer = new PcapngWriter(file.sink);
    writer.addInterface({ linktype });
    writer.write({ timestamp_us: 0, data: Uint8Array.from(data) });
    // Neither an IP packet nor long enough for a header: skipped, and counted.
    writer.write({ timestamp_us: 0, data: Uint8Array.of(1) });
    writer.write({ timestamp_us: 0, data: new Uint8Array(40) });
    writer.close();
    const wire = new CaptureWire(openCapture(file.bytes()));
    assertEquals([wire.caps.medium, wire.caps.pointToPoint], ["ip", true]);
    const ifp = new FakeIfnet("tun0", new VirtualClock());
    wire.attach(ifp);
    const free = ifp.freeBatch(8, 2048);
    const frames = ifp.filled(free, wire.rx(free));
    assertEquals(frames.map((frame) => [...frame]), [expected], `link type ${linktype}`);
    assertEquals([wire.stats.rxFrames, wire.stats.rxDropped], [1, 2]);
  }
});

Deno.test("capture wire: leaves the FCS out, whole or in part, and skips other link types", () => {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink);
  writer.write({ timestamp_us: 0, data: new Uint8Array(64) });
  writer.write({ timestamp_us: 0, data: new Uint8Array(62), originalLength: 64 });
  writer.write({ timestamp_us: 0, data: new Uint8Array(50), originalLength: 64 });
  writer.close();
  const bytes = file.bytes();
  new DataView(bytes.buffer).setUint32(20, 0x2400_0001, true);
  const other = openCapture(capture([0], Linktype.RAW).bytes());
  const wire = new CaptureWire([...openCapture(bytes), ...other]);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  wire.attach(ifp);
  const free = ifp.freeBatch(8, 2048);
  assertEquals(ifp.filled(free, wire.rx(free)).map((f) => f.length), [60, 60, 50]);
  assertEquals(wire.stats.rxDropped, 1);
});

Deno.test("capture wire: a bad file takes the interface down and rejects done", async () => {
  const bytes = capture([1, 2, 3]).bytes().slice(0, -1);
  const wire = new CaptureWire(openCapture(bytes));
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  wire.attach(ifp);
  assertEquals(wire.rx(ifp.freeBatch(8, 2048)), 2);
  const error = await assertRejects(() => wire.done, CaptureError);
  assertEquals(ifp.downs, [error.message]);
  assertEquals(wire.rx(ifp.freeBatch(8, 2048)), 0);
  wire.detach();
  assertEquals(ifp.downs.length, 1);
});

Deno.test("capture wire: refuses at once what it can never play", () => {
  assertThrows(() => new CaptureWire(openCapture(capture([1]).bytes().slice(0, 30))), CaptureError);
  const wifi = openCapture(capture([1], 105).bytes());
  assertThrows(() => new CaptureWire(wifi), RangeError, "link type 105");
  for (const pacing of [0, -1, NaN, Infinity]) {
    assertThrows(() => new CaptureWire([], { pacing }), RangeError, "pacing");
  }
  assertThrows(() => new CaptureWire([], { batch: 0 }), RangeError, "batch");
  assertThrows(() => new CaptureWire([], { mtu: 60 }), RangeError, "mtu");
});

Deno.test("capture wire: an empty or detached capture is done", async () => {
  const empty = new CaptureWire([]);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  empty.attach(ifp);
  assertEquals(empty.rx(ifp.freeBatch(8, 2048)), 0);
  await empty.done;
  const clock = new VirtualClock();
  const cut = new CaptureWire(openCapture(capture([1, 5_000_000]).bytes()), {
    pacing: "original",
    schedule: clock.schedule,
  });
  cut.attach(new FakeIfnet("eth0", clock));
  assertEquals(cut.rx(ifp.freeBatch(8, 2048)), 1);
  assertEquals(clock.pending, 1);
  cut.detach();
  assertEquals(clock.pending, 0);
  await cut.done;
});

Deno.test("capture wire: records what the stack sends on the clock of the capture", () => {
  const clock = new VirtualClock();
  const file = new MemoryFile();
  const record = new PcapngWriter(file.sink);
  const wire = new CaptureWire(openCapture(capture([7_000_000]).bytes()), { record });
  const ifp = new FakeIfnet("eth7", clock);
  wire.attach(ifp);
  clock.advance(250);
  assertEquals(wire.start(ifp.txBatch([udpFrame(1), new Uint8Array(0), udpFrame(2)])), 3);
  wire.detach();
  const reader = openCapture(file.bytes());
  const read = [...reader].map((f) => [f.timestamp_us, f.direction, new Uint8Array(f.data)]);
  assertEquals(read, [[7_000_250, "out", udpFrame(1)], [7_000_250, "out", udpFrame(2)]]);
  assertEquals(reader.interfaces[0].name, "eth7");
  assertEquals([wire.stats.txFrames, wire.stats.txDropped], [2, 1]);
});
