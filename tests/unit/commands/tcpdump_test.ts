/** The tcpdump command: arguments, files in and out, filters, objects, errors. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type FrameSource,
  type LiveWish,
  type SourceFrame,
  tcpdump,
  type TcpdumpHost,
} from "../../../commands/tcpdump/run.ts";
import { openCapture, PcapWriter } from "../../../drivers/capture.ts";
import { compileFilter, formatDecimal } from "../../../filter/mod.ts";
import { allFrames } from "./frames.ts";

/** Bytes of a capture file in one array. */
function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function capture(): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const writer = new PcapWriter((bytes) => pieces.push(bytes));
  allFrames().forEach(([, frame], i) => {
    writer.write({ timestamp_us: 1e9 * i, data: Uint8Array.from(frame) });
  });
  writer.close();
  return joined(pieces);
}

/** Runs the command with files of its own. */
async function run(
  args: string,
  files: Record<string, Uint8Array<ArrayBuffer>> = {},
  live: Pick<TcpdumpHost, "live" | "flush"> = {},
) {
  const written: Record<string, Uint8Array<ArrayBuffer>[]> = {};
  let [out, err] = ["", ""];
  const status = await tcpdump(args.split(" ").filter((arg) => arg !== ""), {
    read: (path) => {
      const bytes: Uint8Array<ArrayBuffer> | undefined = { "a.pcap": capture(), ...files }[path];
      return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no file ${path}`));
    },
    create: (path) => Promise.resolve((bytes) => void (written[path] ??= []).push(bytes)),
    out: (text) => out += text,
    err: (text) => err += text,
    ...live,
  });
  const file = (path: string) => joined(written[path] ?? []);
  return { status, out, err, lines: out.split("\n").slice(0, -1), file };
}

const frames = allFrames().length;

Deno.test("tcpdump: a line for each frame, and a count", async () => {
  assertEquals((await run("-r a.pcap --count")).out, `${frames} packets\n`);
  assertEquals(
    (await run("-r a.pcap -t -q tcp")).lines[0],
    "IP 10.0.0.1.40000 > 10.0.0.2.5001: tcp 0",
  );
  assertEquals((await run("-r a.pcap -c 3")).lines.length, 3);
  assertEquals((await run("-r a.pcap -c 1 --count")).out, "1 packet\n");
});

Deno.test("tcpdump: switches in one word, with their value", async () => {
  const { lines } = await run("-nnvvtc1 -ra.pcap");
  assertStringIncludes(lines[0], "IP (tos 0x0, ttl 64");
  assertStringIncludes(lines[1], "cksum 0x835f (correct)");
  const { lines: dumped } = await run("-r a.pcap -c 1 -ttttt -XX -# -e");
  assertStringIncludes(dumped[0], "    1   00:00:00.000000 02:00:00:00:00:01 > ");
  assertStringIncludes(dumped[1], "\t0x0000:  0200 0000 0002 0200");
});

Deno.test("tcpdump: filters, from the arguments and from a file", async () => {
  const { lines } = await run("-r a.pcap -t arp and ether broadcast or rarp");
  assertEquals(lines.every((line) => line.startsWith("ARP")), true);
  const expression = new TextEncoder().encode("icmp[0] == 11\n");
  const asked = await run("-r a.pcap -F f -t", { f: expression });
  assertEquals(asked.lines.every((line) => line.includes("exceeded")), true);
  assert(asked.lines.length > 2);
});

Deno.test("tcpdump: programs of filters", async () => {
  const expression = "tcp port 80";
  assertEquals((await run(`-ddd ${expression}`)).out, formatDecimal(compileFilter(expression)));
  assertStringIncludes((await run(`-d ${expression}`)).lines[0], "(000) ldh");
  assertStringIncludes((await run(`-dd -r a.pcap ${expression}`)).lines[0], "{ 0x28");
});

Deno.test("tcpdump: copies in both formats keep frames, times and lengths", async () => {
  for (const path of ["b.pcap", "b.pcapng"]) {
    const { file, out } = await run(`-r a.pcap -w ${path} -s 60 udp`);
    assertEquals(out, "");
    const [before, after] = [
      [...openCapture(capture(), { filter: "udp" })],
      openCapture(file(path)),
    ];
    assertEquals(after.format, path.slice(2));
    const copied = [...after];
    assertEquals(copied.length, before.length);
    copied.forEach((frame, i) => {
      assertEquals(frame.timestamp_ns, before[i].timestamp_ns);
      assertEquals(frame.originalLength, before[i].originalLength);
      assertEquals(frame.data, before[i].data.slice(0, 60));
    });
  }
});

Deno.test("tcpdump: objects", async () => {
  const { lines } = await run("-r a.pcap -c 2 -t --json");
  const [first, second] = lines.map((line) => JSON.parse(line));
  assertEquals(first.number, 1);
  assertEquals(second.timestamp_ns, "1000000000000");
  assertEquals(second.length, second.captured);
  assertStringIncludes(first.text, "Flags [S]");
});

Deno.test("tcpdump: what is wrong is told on the error output", async () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "a capture file is wanted"],
    ["-r missing", "no file missing"],
    ["-r a.pcap -c many", "A whole number is wanted"],
    ["-r a.pcap --wrong", "unknown option '--wrong'"],
    ["-r a.pcap -tttttt", "at most five -t"],
    ["-r a.pcap port nothing", "nothing"],
    ["-r text", "neither a pcap nor a pcapng file"],
  ];
  for (const [args, complaint] of cases) {
    const { status, out, err } = await run(args, { text: new TextEncoder().encode("hello") });
    assertEquals([status, out], [1, ""], args);
    assertStringIncludes(err, complaint, args);
  }
});

Deno.test("tcpdump: of a file that is cut the frames before are printed", async () => {
  const whole = capture();
  const { status, lines, err } = await run("-r cut", { cut: whole.slice(0, 24 + 16 + 74 + 20) });
  assertEquals([status, lines.length], [1, 1]);
  assertStringIncludes(err, "bad capture file at offset");
});

/** A stack's interface on which all frames of the tests come, and what became of it. */
function liveSource() {
  const told = { wish: {} as LiveWish, given: 0, ended: false, flushed: 0 };
  async function* frames(): AsyncGenerator<SourceFrame> {
    try {
      for (const [, frame] of allFrames()) {
        await Promise.resolve();
        told.given++;
        yield {
          timestamp_us: told.given,
          timestamp_ns: BigInt(told.given) * 1000n,
          linktype: 1,
          interface: 0,
          data: Uint8Array.from(frame),
          originalLength: frame.length,
          fcsLength: 0,
          direction: "in",
        };
      }
    } finally {
      told.ended = true;
    }
  }
  const live = (wish: LiveWish): FrameSource => {
    told.wish = wish;
    return { interfaces: [{ name: "eth0", linktype: 1, snaplen: 0 }], frames: frames() };
  };
  return { told, live, flush: () => void told.flushed++ };
}

Deno.test("tcpdump: frames as they come, up to a count, each seen at once", async () => {
  const { told, ...host } = liveSource();
  const { lines, status } = await run("-i eth0 -p -s 96 -t -c 3 tcp port 80", {}, host);
  assertEquals([status, lines.length], [0, 3]);
  assertEquals(told, {
    wish: { interface: "eth0", filter: "tcp port 80", snaplen: 96, onlyOurs: true },
    given: 3,
    ended: true,
    flushed: 3,
  });
});

Deno.test("tcpdump: frames as they come, into a file", async () => {
  const { told, ...host } = liveSource();
  const { file } = await run("-w live.pcapng", {}, host);
  const reader = openCapture(file("live.pcapng"));
  const copied = [...reader];
  assertEquals(copied.length, allFrames().length);
  assertEquals(reader.interfaces[0].name, "eth0");
  assertEquals(copied[7].direction, "in");
  assertEquals([told.ended, told.wish.interface, told.wish.onlyOurs], [true, undefined, false]);
});

Deno.test("tcpdump: help with examples", async () => {
  const { status, out, err } = await run("--help");
  assertEquals([status, err], [0, ""]);
  assertStringIncludes(out, "tcpdump -r trace.pcap -X 'icmp or arp'");
});
