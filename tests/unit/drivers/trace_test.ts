import { assert, assertEquals, assertRejects } from "@std/assert";
import { openCapture, PcapngWriter, PcapWriter } from "../../../drivers/capture.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { TraceDriver } from "../../../drivers/trace.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { MemoryFile, udpFrame } from "./capture_files.ts";

Deno.test("trace: both directions of two interfaces in one file", async () => {
  const clock = new VirtualClock();
  const file = new MemoryFile();
  const writer = new PcapngWriter(file.sink);
  const [left, right] = pipe();
  const options = { writer, epoch_us: 1e15 };
  const ends = await Promise.all([left, right].map(async (end, i) => {
    const driver = new TraceDriver(end, options);
    const ifp = new FakeIfnet(`eth${i}`, clock, i + 1);
    await driver.attach(ifp);
    return new FarEnd(driver, ifp, 2048);
  }));
  ends[0].send([udpFrame(1), udpFrame(2)]);
  clock.advance(500);
  assertEquals(ends[1].receive().length, 2);
  ends[1].send([udpFrame(3)]);
  clock.advance(500);
  assertEquals(ends[0].receive().length, 1);
  assertEquals(ends.map((end) => (end.driver as TraceDriver).frames), [3, 3]);
  for (const end of ends) await end.driver.detach();

  const reader = openCapture(file.bytes());
  const start_us = 1e15 + 1_000_000;
  const seen = [...reader].map((f) => [f.timestamp_us - start_us, f.interface, f.direction]);
  assertEquals(seen, [
    [0, 0, "out"],
    [0, 0, "out"],
    [500, 1, "in"],
    [500, 1, "in"],
    [500, 1, "out"],
    [1000, 0, "in"],
  ]);
  const numbers = [...reader].map((f) => f.data[f.data.length - 1] - 48);
  assertEquals(numbers, [1, 2, 1, 2, 3, 3]);
  assertEquals(reader.interfaces.map((i) => [i.name, i.linktype]), [["eth0", 1], ["eth1", 1]]);
});

Deno.test("trace: only what the driver took is traced", async () => {
  const seen: string[] = [];
  const [left, right] = pipe({ queue: 2 });
  right.attach(new FakeIfnet("far", new VirtualClock(), 2));
  const driver = new TraceDriver(left, {
    onFrame: (direction, frame, time_us) => seen.push(`${direction} ${frame.length} ${time_us}`),
  });
  const ifp = new FakeIfnet("near", new VirtualClock());
  await driver.attach(ifp);
  assertEquals(driver.name, "trace(pipe)");
  const frames = [60, 61, 62, 63].map((length) => new Uint8Array(length));
  assertEquals(driver.start(ifp.txBatch(frames)), 2);
  assertEquals(seen, ["out 60 1000000", "out 61 1000000"]);
  await driver.detach();
});

Deno.test("trace: a trace that fails ends, and the network goes on", async () => {
  const full = new Error("no space left on device");
  const writer = new PcapngWriter(() => {
    throw full;
  });
  const driver = new TraceDriver(new NullDriver(), { writer });
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await driver.attach(ifp);
  const frames = Array.from({ length: 64 }, () => new Uint8Array(1500));
  for (let i = 0; i < 3; i++) assertEquals(driver.start(ifp.txBatch(frames)), 64);
  assertEquals(driver.failure, full);
  assert(driver.frames < 192);
  await driver.detach();
});

Deno.test("trace: a file that cannot hold the interface is refused", async () => {
  const [left] = pipe({ medium: "ip" });
  const writer = new PcapWriter(() => {});
  const ifp = new FakeIfnet("tun0", new VirtualClock());
  await assertRejects(async () => await new TraceDriver(left, { writer }).attach(ifp), RangeError);
  left.attach(ifp);
});

Deno.test("trace: has poll if the driver has it", () => {
  const plain = new TraceDriver(new NullDriver(), {});
  assertEquals(plain.poll, undefined);
  const asked: number[] = [];
  const inner = Object.assign(new NullDriver(), {
    poll: (timeout_us: number) => asked.push(timeout_us) === 1,
  });
  assertEquals(new TraceDriver(inner, {}).poll?.(70), true);
  assertEquals(asked, [70]);
});
