/** The `filter` option of what reads, writes and traces captures. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  openCapture,
  PcapngWriter,
  type PcapngWriterOptions,
  PcapWriter,
} from "../../../drivers/capture.ts";
import { CaptureWire } from "../../../drivers/capture_wire.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { TraceDriver } from "../../../drivers/trace.ts";
import {
  compileFilter,
  FilterError,
  FilterLinktype,
  parseProgram,
  ProgramError,
} from "../../../filter/mod.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { packetsOf } from "../filter/packets.ts";
import { MemoryFile } from "./capture_files.ts";

const FORMATS = {
  pcap: (file: MemoryFile, options: PcapngWriterOptions & { linktype?: number }) =>
    new PcapWriter(file.sink, options),
  pcapng: (file: MemoryFile, options: PcapngWriterOptions & { linktype?: number }) => {
    const writer = new PcapngWriter(file.sink, options);
    writer.addInterface({ linktype: options.linktype });
    return writer;
  },
};

/** Packets of a link type in a file; times are their numbers. */
function fileOf(
  format: keyof typeof FORMATS,
  linktype: number,
  options: PcapngWriterOptions = {},
): Uint8Array<ArrayBuffer> {
  const file = new MemoryFile();
  const writer = FORMATS[format](file, { ...options, linktype });
  packetsOf(linktype).forEach(({ data, wireLength }, i) =>
    writer.write({ timestamp_us: i, data, originalLength: wireLength })
  );
  writer.close();
  return file.bytes();
}

/** Names of the packets that a file has. */
function names(linktype: number, bytes: Uint8Array<ArrayBuffer>, filter?: string): string[] {
  const packets = packetsOf(linktype);
  return [...openCapture(bytes, { filter })].map((frame) => packets[frame.timestamp_us].name);
}

for (const format of ["pcap", "pcapng"] as const) {
  for (const [link, linktype] of Object.entries(FilterLinktype)) {
    if (linktype === FilterLinktype.RAW_BSD) continue; // no file that is written has it
    Deno.test(`capture filter: ${format}, ${link}: reading and writing keep the same`, () => {
      for (const littleEndian of [true, false]) {
        const filter = "tcp port 80 and not ip6";
        const all = fileOf(format, linktype, { littleEndian });
        const read = names(linktype, all, filter);
        const written = names(linktype, fileOf(format, linktype, { littleEndian, filter }));
        assertEquals(read, written);
        // the family before BSD packets is in the order of a little-endian machine
        const foreign = linktype === FilterLinktype.NULL && !littleEndian;
        assertEquals(read.includes("syn"), !foreign);
        assertEquals(read.includes("syn 6") || read.includes("query"), false);
      }
    });
  }

  Deno.test(`capture filter: ${format}: a program cuts frames`, () => {
    const filter = compileFilter("arp", { snaplen: 20 });
    const file = new MemoryFile();
    const writer = FORMATS[format](file, { filter });
    const packets = packetsOf(FilterLinktype.ETHERNET);
    for (const { data } of packets) writer.write({ timestamp_us: 1, data });
    writer.close();
    const whole = [...openCapture(fileOf(format, FilterLinktype.ETHERNET), { filter: "arp" })];
    const lengths = whole.map(({ data }) => Math.min(20, data.length));
    const written = [...openCapture(file.bytes())];
    assertEquals(written.map(({ data }) => data.length), lengths);
    const again = [...openCapture(fileOf(format, FilterLinktype.ETHERNET), { filter })];
    assertEquals(again.map(({ data }) => data.length), lengths);
    assertEquals(again.map((f) => f.originalLength), whole.map((f) => f.originalLength));
    assertEquals(whole.length > 5, true);
  });

  Deno.test(`capture filter: ${format}: what is wrong is told at once`, () => {
    const file = new MemoryFile();
    assertThrows(() => FORMATS[format](file, { filter: "tcp prot 80" }), FilterError, "prot");
    assertThrows(() => FORMATS[format](file, { filter: [] }), ProgramError);
    assertThrows(() => FORMATS[format](file, { filter: "ip", linktype: 113 }), RangeError, "113");
    const bytes = fileOf(format, FilterLinktype.RAW);
    assertThrows(() => openCapture(bytes, { filter: "tcp prot 80" }), FilterError);
    const reader = openCapture(bytes, { filter: "vlan 5" });
    assertThrows(() => [...reader], FilterError, "this link has no VLANs");
  });
}

Deno.test("capture filter: a wire plays what a filter keeps", async () => {
  const capture = openCapture(fileOf("pcap", FilterLinktype.ETHERNET), { filter: "rarp" });
  const expected = [...capture].map(({ data }) => data.length);
  const wire = new CaptureWire(capture);
  const end = new FarEnd(wire, new FakeIfnet("eth0", new VirtualClock()), 2048);
  await wire.attach(end.ifp);
  assertEquals(end.receive().map(({ length }) => length), expected);
  await wire.done;
  wire.detach();
});

Deno.test("capture filter: a trace keeps what the filter keeps, both ways", async () => {
  const clock = new VirtualClock();
  const frames = packetsOf(FilterLinktype.ETHERNET).map(({ data }) => data)
    .filter(({ length }) => length >= 14).slice(0, 40);
  const program = parseProgram("4\n40 0 0 12\n21 0 1 2048\n6 0 0 30\n6 0 0 0\n");
  const ip = frames.filter((frame) => frame[12] === 8 && frame[13] === 0);
  const file = new MemoryFile();
  const [left, right] = pipe();
  const sent = new TraceDriver(left, { filter: "ip", writer: new PcapngWriter(file.sink) });
  const lengths: number[] = [];
  const received = new TraceDriver(right, {
    filter: program,
    onFrame: (_, frame) => lengths.push(frame.length),
  });
  const ends = await Promise.all([sent, received].map(async (driver, i) => {
    const ifp = new FakeIfnet(`eth${i}`, clock, i + 1);
    await driver.attach(ifp);
    return new FarEnd(driver, ifp, 2048);
  }));
  ends[0].send(frames);
  const arrived = ends[1].receive().length;
  assertEquals(arrived, frames.length, "all frames pass");
  for (const end of ends) await end.driver.detach();
  assertEquals([...openCapture(file.bytes())].map(({ data }) => data), ip);
  assertEquals(lengths, ip.map(({ length }) => Math.min(30, length)));
  assertEquals([sent.frames, received.frames], [ip.length, ip.length]);
  assertEquals([sent.failure, received.failure], [undefined, undefined]);
});

Deno.test("capture filter: a trace with a bad filter is refused", async () => {
  const inner = new NullDriver({ medium: "ip" });
  assertThrows(() => new TraceDriver(inner, { filter: "tcp or" }), FilterError);
  const driver = new TraceDriver(inner, { filter: "ether host 2:0:0:0:0:1" });
  const attached = () => driver.attach(new FakeIfnet("tun0", new VirtualClock()));
  await assertRejects(attached, FilterError, "this link has no hardware addresses");
});
