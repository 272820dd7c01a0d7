import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CaptureError, openCapture, PcapReader, PcapWriter } from "../../../drivers/capture.ts";
import { MemoryFile, readAll, SEED, testFrames, toWrite } from "./capture_files.ts";

/** A file header and one record of 4 bytes, little-endian, microseconds, for tests to damage. */
function smallFile(): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink);
  writer.write({ timestamp_us: 1_500_000, data: Uint8Array.of(1, 2, 3, 4) });
  writer.close();
  const bytes = file.bytes();
  return { bytes, view: new DataView(bytes.buffer) };
}

Deno.test("pcap: what is written is read back, in both byte orders and resolutions", () => {
  fc.assert(
    fc.property(testFrames, fc.boolean(), fc.boolean(), (frames, nanosecond, littleEndian) => {
      const file = new MemoryFile();
      const writer = new PcapWriter(file.sink, { nanosecond, littleEndian, linktype: 101 });
      for (const frame of frames) writer.write(toWrite(frame));
      writer.close();
      const reader = openCapture(file.bytes());
      assert(reader instanceof PcapReader);
      assertEquals(reader.littleEndian, littleEndian);
      assertEquals(reader.nanosecond, nanosecond);
      const read = [...reader];
      assertEquals(read.length, frames.length);
      read.forEach((got, i) => {
        const { time_ns, data, more } = frames[i];
        const expected_ns = nanosecond ? time_ns : time_ns - time_ns % 1000n;
        assertEquals(got.timestamp_ns, expected_ns);
        assert(Math.abs(got.timestamp_us - Number(expected_ns) / 1000) <= 1);
        assertEquals(new Uint8Array(got.data), data);
        assertEquals(got.originalLength, data.length + more);
        assertEquals([got.linktype, got.interface, got.fcsLength], [101, 0, 0]);
      });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("pcap: a file cut anywhere gives the whole frames and names the place", () => {
  for (const littleEndian of [true, false]) {
    const file = new MemoryFile();
    const writer = new PcapWriter(file.sink, { littleEndian });
    const ends = [24];
    for (const length of [0, 1, 60, 3]) {
      writer.write({ timestamp_us: 1, data: new Uint8Array(length) });
      ends.push(ends[ends.length - 1] + 16 + length);
    }
    writer.close();
    const bytes = file.bytes();
    assertEquals(bytes.length, ends[ends.length - 1]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { frames, error } = readAll(bytes.slice(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      assertEquals(frames.length, Math.max(0, whole - 1), `cut at ${cut}`);
      if (ends.includes(cut)) {
        assertEquals(error, undefined, `cut at ${cut}`);
      } else {
        assert(error, `no error for a cut at ${cut}`);
        assert(error.offset <= cut && error.message.includes(`offset ${error.offset}`));
        assert(error.message.includes("cut after"), error.message);
      }
    }
  }
});

Deno.test("pcap: impossible headers and lengths name the offset and the reason", () => {
  const damage: [string, number, (view: DataView) => void, RegExp][] = [
    ["magic", 0, (v) => v.setUint32(0, 0xdeadbeef), /neither a pcap nor a pcapng.*de ad be ef/],
    ["version", 4, (v) => v.setUint16(4, 3, true), /version 3\.4/],
    ["captured length", 32, (v) => v.setUint32(32, 0x7fffffff, true), /2147483647 bytes is not pl/],
    ["longer than it was", 32, (v) => v.setUint32(36, 3, true), /4 bytes for a frame of 3/],
    ["beyond the end", 40, (v) => {
      v.setUint32(32, 5, true);
      v.setUint32(36, 5, true);
    }, /frame of 5 bytes is cut after 4/],
  ];
  for (const [what, offset, spoil, reason] of damage) {
    const { bytes, view } = smallFile();
    spoil(view);
    const error = assertThrows(() => [...openCapture(bytes)], CaptureError);
    assertEquals(error.offset, offset, what);
    assert(reason.test(error.reason), error.reason);
  }
});

Deno.test("pcap: a damaged file gives frames or a CaptureError, nothing else", () => {
  const { bytes } = smallFile();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(bytes.length),
      (changes, cut) => {
        const bad = bytes.slice(0, cut);
        for (const [at, value] of changes) bad[at] = value;
        for (const frame of readAll(bad).frames) {
          assert(frame.data.length <= frame.originalLength);
          assert(frame.offset + 16 + frame.data.length <= bad.length);
        }
      },
    ),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test("pcap: reads the FCS length, and the numbers for raw IP of other systems", () => {
  const { bytes, view } = smallFile();
  view.setUint32(20, 0x2400_0001, true);
  assertEquals([...openCapture(bytes)][0].fcsLength, 4);
  for (const linktype of [12, 14]) {
    view.setUint32(20, linktype, true);
    assertEquals([...openCapture(bytes)][0].linktype, 101);
  }
});

Deno.test("pcap: reads a file that is a part of a larger buffer", () => {
  const { bytes } = smallFile();
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 7);
  const [frame] = [...openCapture(larger.subarray(7, 7 + bytes.length))];
  assertEquals([...frame.data], [1, 2, 3, 4]);
  assertEquals(frame.timestamp_us, 1_500_000);
});

Deno.test("pcap: the writer keeps snaplen bytes, and refuses what the file cannot say", () => {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink, { snaplen: 10 });
  assertEquals(writer.addInterface({ name: "eth0" }), 0);
  assertThrows(() => writer.addInterface({ linktype: 101 }), RangeError, "one link type");
  const data = new Uint8Array(30);
  const refused = [
    { timestamp_us: -1, data },
    { timestamp_us: NaN, data },
    { timestamp_us: 2 ** 32 * 1e6, data },
    { timestamp_us: 0, timestamp_ns: -1n, data },
    { timestamp_us: 0, data, originalLength: 29 },
    { timestamp_us: 0, data, interface: 1 },
  ];
  for (const frame of refused) assertThrows(() => writer.write(frame), RangeError);
  writer.write({ timestamp_us: 0, data });
  writer.flush();
  assertEquals(file.pieces.length, 1);
  writer.close();
  writer.close();
  assertThrows(() => writer.write({ timestamp_us: 0, data }), TypeError, "closed");
  const [frame] = readAll(file.bytes()).frames;
  assertEquals([frame.data.length, frame.originalLength], [10, 30]);
  assertThrows(() => new PcapWriter(file.sink, { snaplen: 0 }), RangeError);
  assertThrows(() => new PcapWriter(file.sink, { linktype: -1 }), RangeError);
});

Deno.test("pcap: the writer hands over whole records, and frames larger than its buffer", () => {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink);
  const large = new Uint8Array(200_000).map((_, i) => i);
  const frames = [...Array.from({ length: 100 }, () => new Uint8Array(1500).fill(7)), large];
  for (const data of frames) writer.write({ timestamp_us: 3, data });
  writer.write({ timestamp_us: 3, data: frames[0] });
  writer.close();
  assert(file.pieces.length >= 3);
  for (let n = 1; n <= file.pieces.length; n++) {
    const part = new MemoryFile();
    file.pieces.slice(0, n).forEach((piece) => part.sink(piece));
    assertEquals(readAll(part.bytes()).error, undefined, `after ${n} pieces`);
  }
  const read = readAll(file.bytes()).frames;
  assertEquals(read.map((f) => f.data.length), [...frames.map((f) => f.length), 1500]);
  assertEquals(new Uint8Array(read[100].data), large);
});

Deno.test("pcap: a broken time is rounded down, not carried wrongly", () => {
  const file = new MemoryFile();
  const writer = new PcapWriter(file.sink, { nanosecond: true });
  writer.write({ timestamp_us: 1_700_000_000_999_999.75, data: new Uint8Array(1) });
  writer.close();
  assertEquals(readAll(file.bytes()).frames[0].timestamp_ns, 1_700_000_000_999_999_750n);
});
