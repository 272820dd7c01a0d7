/** Frames as lines: what is printed of each kind, and of bytes that are no frames at all. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type DecodeOptions, FramePrinter } from "../../../commands/decode/mod.ts";
import { allFrames } from "./frames.ts";
import { ether, ip4, tcp, udp } from "./packets.ts";

const SEED = 0x6c696e65;
/** Characters of a line for each byte of the frame, and for what every line has. */
const CHARACTERS_A_BYTE = 40, CHARACTERS = 2000;

function linesOf(
  frames: readonly (readonly number[])[],
  options: DecodeOptions = {},
  linktype = 1,
): string[] {
  const printer = new FramePrinter({ time: "none", ...options });
  return frames.map((bytes, i) =>
    printer.format({
      timestamp_ns: BigInt(i) * 1_500_000_000n,
      linktype,
      data: Uint8Array.from(bytes),
      originalLength: bytes.length,
    })
  );
}

const byName = new Map(allFrames());

/** The line of a named frame by itself. */
function lineOf(name: string, options?: DecodeOptions): string {
  const frame = byName.get(name);
  assert(frame, name);
  return linesOf([frame], options)[0];
}

const V: DecodeOptions = { verbose: 1 };
/** Name of a frame, options, and the line; the interop tests hold all frames against tcpdump. */
const LINES: readonly (readonly [name: string, options: DecodeOptions, line: string])[] = [
  [
    "syn",
    {},
    "IP 10.0.0.1.40000 > 10.0.0.2.5001: Flags [S], seq 4294967000, win 501, " +
    "options [mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0",
  ],
  ["syn", { quiet: true }, "IP 10.0.0.1.40000 > 10.0.0.2.5001: tcp 0"],
  [
    "syn",
    { link: true, quiet: true },
    "02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4, length 74: " +
    "10.0.0.1.40000 > 10.0.0.2.5001: tcp 0",
  ],
  [
    "bad sum",
    V,
    "IP (tos 0x0, ttl 64, id 4711, offset 0, flags [DF], proto TCP (6), length 40)\n" +
    "    10.0.0.1.10 > 10.0.0.2.9: Flags [.], cksum 0x94dc (incorrect -> 0x95dd), ack 5, " +
    "win 501, length 0",
  ],
  ["arp 1", {}, "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28"],
  ["arp 2", {}, "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28"],
  [
    "icmp echo",
    {},
    "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 77, seq 3, length 16",
  ],
  [
    "unreachable 4",
    {},
    "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - need to frag (mtu 1400), length 36",
  ],
  ["igmp report v3", {}, "IP 10.0.0.1 > 224.0.0.22: igmp v3 report, 1 group record(s)"],
  ["middle fragment", {}, "IP 10.0.0.1 > 10.0.0.2: ip-proto-17"],
  // RFC 5482: the first bit is the granularity, minutes if set (tcpdump looks at the last one)
  [
    "option uto minutes",
    {},
    "IP 10.0.0.1.105 > 10.0.0.2.5001: Flags [S], seq 1000, win 501, " +
    "options [uto 0x8014 1200,eol], length 0",
  ],
  ["dns answer", {}, "IP 10.0.0.1.53 > 10.0.0.2.4000: 4660 1/0/0 A 93.184.216.34 (49)"],
  [
    "vxlan arp",
    {},
    "IP 10.0.0.1.50000 > 10.0.0.2.4789: VXLAN, flags [I] (0x08), vni 5\n" +
    "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
  ],
  [
    "vlan in vlan",
    { link: true },
    "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q-QinQ (0x88a8), length 50: " +
    "vlan 9, p 0, ethertype 802.1Q (0x8100), vlan 5, p 0, ethertype ARP (0x0806), " +
    "Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
  ],
  ["lldp", {}, "LLDP, length 26: host"],
];

for (const [name, options, line] of LINES) {
  Deno.test(`decode: ${name} ${JSON.stringify(options)}`, () => {
    assertEquals(lineOf(name, options), line);
  });
}

Deno.test("decode: sequence numbers count from the first seen, both ways and over 2^32", () => {
  const sequence = (line: string) => /\bseq [\d:]+|\back \d+/g[Symbol.match](line)?.join(" ");
  const names = ["syn", "syn ack", "ack", "data", "sack", "back"];
  const frames = names.map((name) => byName.get(name)!);
  assertEquals(linesOf(frames).map(sequence), [
    "seq 4294967000",
    "seq 77777 ack 4294967001",
    "ack 1",
    "seq 1:401 ack 1",
    "ack 401",
    "seq 1:6 ack 401",
  ]);
  assertEquals(
    linesOf(frames, { absoluteSequence: true }).map(sequence)[3],
    "seq 4294967001:105 ack 77778",
  );
});

Deno.test("decode: times in every style", () => {
  const frame = byName.get("arp 1")!;
  const times = (options: DecodeOptions) =>
    linesOf([frame, frame], { utcOffset_min: 90, ...options }).map((l) => l.split("ARP")[0]);
  assertEquals(times({ time: "day" }), ["01:30:00.000000 ", "01:30:01.500000 "]);
  assertEquals(times({ time: "epoch", precision: "nano" }), ["0.000000000 ", "1.500000000 "]);
  assertEquals(times({ time: "since-last" }), [" 00:00:00.000000 ", " 00:00:01.500000 "]);
  assertEquals(times({ time: "date" })[1], "1970-01-01 01:30:01.500000 ");
  assertEquals(times({ time: "since-first" })[1], " 00:00:01.500000 ");
  assertEquals(times({ time: "none", numbered: true }), ["    1  ", "    2  "]);
});

Deno.test("decode: bytes in every style", () => {
  const frame = ether(0x0800, udp(7, 8, [...ip4("65.66.67.10"), 13, 10, 0xe4]));
  const rows = (options: DecodeOptions) => linesOf([frame], options)[0].split("\n").slice(1);
  assertEquals(rows({ dump: "hex" })[1], "\t0x0010:  0a00 0002 0007 0008 000f 7667 4142 430a");
  assertEquals(rows({ dump: "hex-and-text" })[2], `\t0x0020:  ${"0d0a e4".padEnd(41)}...`);
  assertEquals(rows({ dump: "hex", dumpLink: true })[0].slice(1, 19), "0x0000:  0200 0000");
  // the carriage return before a line's end goes
  assertEquals(rows({ dump: "text" }).at(-3)?.endsWith("vgABC"), true);
  assertEquals(rows({ dump: "text" }).slice(-2), ["", "."]);
});

Deno.test("decode: packets within packets within packets come to an end", () => {
  let packet: readonly number[] = udp(1, 2, []);
  for (let i = 0; i < 200; i++) {
    const total = packet.length + 20;
    packet = [0x45, 0, total >> 8, total & 255, 0, 0, 0, 0, 64, 4, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
      .concat(packet);
  }
  const [line] = linesOf([ether(0x0800, packet)]);
  assert(line.endsWith("[too many packets within packets]"), line.slice(-80));
  const tags = Array.from({ length: 400 }, (_, i) => [0x81, 0, 0, 5][i % 4]);
  const [tagged] = linesOf([ether(0x0800, packet, tags)], { link: true });
  assertEquals(tagged.match(/vlan 5/g)?.length, 16);
});

Deno.test("decode: connections without end do not fill the memory", () => {
  const printer = new FramePrinter({ time: "none" });
  const format = (sport: number, window: number) =>
    printer.format({
      timestamp_ns: 0n,
      linktype: 101,
      data: Uint8Array.from(tcp({ flags: 16, sport, dport: window, seq: 7, ack: 9 })),
      originalLength: 40,
    });
  assert(format(1, 1).includes("ack 9,"));
  assert(format(1, 1).includes("ack 1,"));
  for (let i = 0; i < 65_536; i++) format(2 + i % 300, 2000 + Math.floor(i / 300));
  // the oldest was forgotten
  assert(format(1, 1).includes("ack 9,"));
});

const anyOptions: fc.Arbitrary<DecodeOptions> = fc.record({
  verbose: fc.nat(3),
  quiet: fc.boolean(),
  link: fc.boolean(),
  absoluteSequence: fc.boolean(),
  uncheckedSums: fc.boolean(),
  dump: fc.constantFrom("none", "hex", "hex-and-text", "text"),
  dumpLink: fc.boolean(),
});
const linktypes = fc.constantFrom(0, 1, 101, 108, 113, 228, 229, 276, 147);

/** Prints bytes with a limit on what may come of them. */
function printsBounded(bytes: readonly number[], options: DecodeOptions, linktype: number): void {
  const [line] = linesOf([bytes], options, linktype);
  assert(line.length <= CHARACTERS + CHARACTERS_A_BYTE * bytes.length, `${line.length}`);
}

Deno.test("decode: any bytes make a line of bounded length", () => {
  const bytes = fc.array(fc.nat(255), { maxLength: 200 });
  fc.assert(
    fc.property(bytes, anyOptions, linktypes, printsBounded),
    { seed: SEED, numRuns: 3000 },
  );
});

Deno.test("decode: frames changed or cut make a line of bounded length", () => {
  const frames = [...byName.values()];
  const spoiled = fc.tuple(
    fc.constantFrom(...frames),
    fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 }),
    fc.nat(200),
  ).map(([frame, changes, length]) => {
    const bytes = [...frame];
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return length % 3 === 0 ? bytes.slice(0, length) : bytes;
  });
  fc.assert(
    fc.property(spoiled, anyOptions, (bytes, options) => printsBounded(bytes, options, 1)),
    { seed: SEED, numRuns: 6000 },
  );
});
