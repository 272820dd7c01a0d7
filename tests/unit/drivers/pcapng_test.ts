import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  CaptureError,
  Linktype,
  openCapture,
  PcapngReader,
  PcapngWriter,
} from "../../../drivers/capture.ts";
import { MemoryFile, readAll, SEED, testFrames, toWrite } from "./capture_files.ts";

/** Builds pcapng blocks word by word, for files that the writer does not write. */
class Blocks {
  readonly #parts: number[] = [];
  constructor(readonly littleEndian = true) {}

  u16(value: number): number[] {
    const bytes = [value >>> 8 & 255, value & 255];
    return this.littleEndian ? bytes.reverse() : bytes;
  }

  u32(value: number): number[] {
    const bytes = [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
    return this.littleEndian ? bytes.reverse() : bytes;
  }

  option(code: number, value: number[]): number[] {
    const padding = new Array((4 - value.length % 4) % 4).fill(0);
    return [...this.u16(code), ...this.u16(value.length), ...value, ...padding];
  }

  add(type: number, body: number[], length = body.length + 12): this {
    this.#parts.push(...this.u32(type), ...this.u32(length), ...body, ...this.u32(length));
    return this;
  }

  section(): this {
    const version = [...this.u16(1), ...this.u16(0)];
    const unknown = [...this.u32(0xffffffff), ...this.u32(0xffffffff)];
    return this.add(0x0a0d0d0a, [...this.u32(0x1a2b3c4d), ...version, ...unknown]);
  }

  iface(linktype: number, snaplen: number, options: number[] = []): this {
    return this.add(1, [...this.u16(linktype), 0, 0, ...this.u32(snaplen), ...options]);
  }

  packet(iface: number, ticks: bigint, data: number[], options: number[] = []): this {
    const padding = new Array((4 - data.length % 4) % 4).fill(0);
    const high = this.u32(Number(ticks >> 32n));
    const low = this.u32(Number(ticks & 0xffffffffn));
    const lengths = [...this.u32(data.length), ...this.u32(data.length)];
    const body = [...this.u32(iface), ...high, ...low, ...lengths, ...data, ...padding];
    return this.add(6, [...body, ...options]);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#parts);
  }
}

function sampleFile(littleEndian: boolean): { bytes: Uint8Array<ArrayBuffer>; ends: number[] } {
  const file = new MemoryFile();
  const writer = new PcapngWriter(file.sink, { littleEndian });
  const ends: number[] = [];
  const mark = () => {
    writer.flush();
    ends.push(file.bytes().length);
  };
  mark();
  writer.addInterface({ name: "eth0" });
  mark();
  for (const [length, direction] of [[60, "in"], [0, undefined], [61, "out"], [2, "in"]] as const) {
    writer.write({ timestamp_us: 7, data: new Uint8Array(length), direction });
    mark();
  }
  return { bytes: file.bytes(), ends };
}

Deno.test("pcapng: what is written is read back, in both byte orders and resolutions", () => {
  fc.assert(
    fc.property(testFrames, fc.boolean(), fc.boolean(), (frames, nanosecond, littleEndian) => {
      const file = new MemoryFile();
      const writer = new PcapngWriter(file.sink, { nanosecond, littleEndian });
      assertEquals(writer.addInterface({ name: "eth0", snaplen: 4096 }), 0);
      assertEquals(writer.addInterface({ name: "tünnel", linktype: Linktype.RAW }), 1);
      frames.forEach((frame, i) => writer.write({ ...toWrite(frame), interface: i % 2 }));
      writer.close();
      const reader = openCapture(file.bytes());
      assert(reader instanceof PcapngReader);
      assertEquals(reader.littleEndian, littleEndian);
      const read = [...reader];
      assertEquals(
        reader.interfaces.map(({ name, linktype, snaplen }) => [name, linktype, snaplen]),
        [
          ["eth0", 1, 4096],
          ["tünnel", 101, 262144],
        ],
      );
      assertEquals(read.length, frames.length);
      read.forEach((got, i) => {
        const { time_ns, data, more, direction } = frames[i];
        assertEquals(got.timestamp_ns, nanosecond ? time_ns : time_ns - time_ns % 1000n);
        assertEquals(new Uint8Array(got.data), data);
        assertEquals(got.originalLength, data.length + more);
        assertEquals([got.interface, got.direction], [i % 2, direction]);
        assertEquals(got.linktype, i % 2 === 0 ? 1 : 101);
      });
      assertEquals([...reader].length, frames.length, "a second reading differs");
      assertEquals(reader.interfaces.length, 2);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("pcapng: a file cut anywhere gives the whole frames and names the place", () => {
  for (const littleEndian of [true, false]) {
    const { bytes, ends } = sampleFile(littleEndian);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { frames, error } = readAll(bytes.slice(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      assertEquals(frames.length, Math.max(0, whole - 2), `cut at ${cut}`);
      if (ends.includes(cut)) {
        assertEquals(error, undefined, `cut at ${cut}`);
      } else {
        assert(error, `no error for a cut at ${cut}`);
        assert(error.offset <= cut && error.message.includes("cut after"), error.message);
      }
    }
  }
});

Deno.test("pcapng: impossible blocks name the offset and the reason", () => {
  const good = () => new Blocks().section().iface(1, 0);
  const at = good().bytes().length;
  const b = new Blocks();
  const cases: [string, Blocks, number, RegExp][] = [
    ["length not a multiple of 4", good().add(5, [0, 0], 14), at + 4, /length of 14 for a block/],
    ["length too small", good().add(5, [], 8), at + 4, /length of 8 for a block of type 5/],
    ["packet too small", good().add(6, b.u32(0)), at + 4, /length of 16 .* type 6: at least 32/],
    ["interface too small", good().add(1, b.u32(0)), at + 4, /at least 20/],
    ["unknown interface", good().packet(1, 0n, [1]), at + 8, /interface 1, which was not desc/],
    ["no interface", new Blocks().section().packet(0, 0n, []), 28 + 8, /interface 0/],
    ["simple packet without interface", new Blocks().section().add(3, b.u32(0)), 28, /interface 0/],
    ["simple packet too long", good().add(3, b.u32(5)), at + 12, /frame of 5 bytes .* room for 0/],
    [
      "option beyond its block",
      good().packet(0, 0n, [], [...b.u16(2), ...b.u16(5), 0, 0, 0, 0]),
      at + 28,
      /option 2 of 5 bytes with 4 left/,
    ],
  ];
  for (const [what, blocks, offset, reason] of cases) {
    const error = assertThrows(
      () => [...openCapture(blocks.bytes())],
      CaptureError,
      undefined,
      what,
    );
    assertEquals(error.offset, offset, `${what}: ${error.message}`);
    assert(reason.test(error.reason), `${what}: ${error.reason}`);
  }
});

Deno.test("pcapng: both lengths of a block, the byte order and the version are checked", () => {
  const good = new Blocks().section().iface(1, 0).packet(0, 5n, [1, 2, 3, 4]).bytes();
  const spoil: [number, number, number, RegExp][] = [
    [24, 32, 24, /begins with length 28 and ends with 32/],
    [8, 0, 8, /byte-order magic/],
    [12, 9, 12, /version 9\.0/],
    [48 + 20, 5, 48 + 28, /frame of 5 bytes in a block with room for 4/],
    [48 + 24, 3, 48 + 20, /captured length of 4 bytes for a frame of 3/],
  ];
  for (const [at, value, offset, reason] of spoil) {
    const bad = good.slice();
    bad[at] = value;
    const error = assertThrows(() => [...openCapture(bad)], CaptureError);
    assertEquals(error.offset, offset, error.message);
    assert(reason.test(error.reason), error.reason);
  }
});

Deno.test("pcapng: a damaged file gives frames or a CaptureError, nothing else", () => {
  const { bytes } = sampleFile(true);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bad = bytes.slice();
        for (const [at, value] of changes) bad[at] = value;
        for (const frame of readAll(bad).frames) {
          assert(frame.data.length <= frame.originalLength);
          assert(frame.data.byteOffset + frame.data.length <= bad.length);
        }
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});

Deno.test("pcapng: times in any unit, with an offset, in both byte orders", () => {
  for (const littleEndian of [true, false]) {
    const b = new Blocks(littleEndian);
    const offset = littleEndian ? [...b.u32(100), ...b.u32(0)] : [...b.u32(0), ...b.u32(100)];
    b.section();
    b.iface(1, 0);
    b.iface(1, 0, b.option(9, [9]));
    b.iface(1, 0, b.option(9, [3]));
    b.iface(1, 0, b.option(9, [0x80 | 10]));
    b.iface(1, 0, [...b.option(9, [0]), ...b.option(14, offset)]);
    for (let i = 0; i < 5; i++) b.packet(i, 2048n, [i]);
    const times = readAll(b.bytes()).frames.map((frame) => frame.timestamp_ns);
    assertEquals(times, [2_048_000n, 2048n, 2_048_000_000n, 2_000_000_000n, 2148n * 10n ** 9n]);
  }
});

Deno.test("pcapng: reads several sections, old and simple packets; skips the rest", () => {
  const one = new Blocks(true).section().iface(1, 3, new Blocks(true).option(2, [0x61, 0, 0]));
  one.add(0x0bad, new Array(40).fill(9)).add(3, [...one.u32(60), 1, 2, 3, 0]);
  const lengths = [...one.u32(2), ...one.u32(90)];
  const old = [...one.u16(0), ...one.u16(7), ...one.u32(0), ...one.u32(8), ...lengths, 7, 8, 0, 0];
  one.add(2, [...old, ...one.option(2, one.u32(2))]);
  const two = new Blocks(false).section().add(5, []).iface(101, 0, [])
    .packet(0, 1n, [5], new Blocks(false).option(2, [0, 0, 0, 0x21 | 4 << 5]));
  const file = new MemoryFile();
  file.sink(one.bytes());
  file.sink(two.bytes());
  const reader = openCapture(file.bytes());
  const seen = [...reader].map((f) => ({
    data: [...f.data],
    whole: f.originalLength,
    time: f.timestamp_us,
    iface: f.interface,
    linktype: f.linktype,
    direction: f.direction,
    fcs: f.fcsLength,
  }));
  const first = { iface: 0, linktype: 1, fcs: 0 };
  assertEquals(seen, [
    { ...first, data: [1, 2, 3], whole: 60, time: 0, direction: undefined },
    { ...first, data: [7, 8], whole: 90, time: 8, direction: "out" },
    { data: [5], whole: 1, time: 1, iface: 1, linktype: 101, direction: "in", fcs: 5 },
  ]);
  assertEquals(reader.interfaces.map((i) => i.name.replaceAll("\0", "")), ["a", ""]);
});

Deno.test("pcapng: the writer adds an interface if there is none, and checks numbers", () => {
  const file = new MemoryFile();
  const writer = new PcapngWriter(file.sink, { application: "a test" });
  const data = new Uint8Array(20);
  writer.write({ timestamp_us: 1, data });
  assertThrows(() => writer.write({ timestamp_us: 1, data, interface: 1 }), RangeError);
  assertThrows(() => writer.write({ timestamp_us: -1, data }), RangeError);
  assertThrows(() => writer.write({ timestamp_us: 1, timestamp_ns: 1n << 80n, data }), RangeError);
  assertThrows(() => writer.addInterface({ name: "x".repeat(256) }), RangeError, "255 bytes");
  assertEquals(writer.addInterface({ snaplen: 8 }), 1);
  writer.write({ timestamp_us: 1, data, interface: 1 });
  writer.close();
  assertThrows(() => writer.addInterface(), TypeError, "closed");
  const { frames } = readAll(file.bytes());
  assertEquals(frames.map((f) => [f.data.length, f.originalLength]), [[20, 20], [8, 20]]);
});
