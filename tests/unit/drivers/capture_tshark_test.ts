import { assertEquals } from "@std/assert";
import { Linktype, PcapngWriter, PcapWriter } from "../../../drivers/capture.ts";
import { requirements } from "../../interop/require.ts";
import { MemoryFile, udpFrame } from "./capture_files.ts";

const { ignore, reason } = requirements({ tools: ["tshark"] });
const suffix = ignore ? ` (skipped: ${reason})` : "";

/** What tshark prints of a file, one line of tab-separated fields a frame. */
async function tshark(bytes: Uint8Array, fields: string[]): Promise<string[][]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(file, bytes);
    const args = ["-n", "-r", file, "-T", "fields", "-o", "ip.check_checksum:TRUE"];
    args.push("-o", "udp.check_checksum:TRUE");
    for (const field of fields) args.push("-e", field);
    const { success, stdout, stderr } = await new Deno.Command("tshark", {
      args,
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(text.decode(stderr));
    return text.decode(stdout).replace(/\n$/, "").split("\n").map((line) => line.split("\t"));
  } finally {
    await Deno.remove(file);
  }
}

const TIMES_NS = [0n, 1_700_000_000_123_456_789n, 1_700_000_001_999_999_999n];

for (const littleEndian of [true, false]) {
  for (const nanosecond of [true, false]) {
    const how = `${littleEndian ? "little" : "big"}-endian, ${nanosecond ? "ns" : "µs"}`;
    const shown = TIMES_NS.map((t) => nanosecond ? t : t - t % 1000n)
      .map((t) => `${t / 10n ** 9n}.${String(t % 10n ** 9n).padStart(9, "0")}`);
    const fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "udp.srcport"];
    fields.push("ip.checksum.status", "udp.checksum.status", "_ws.malformed");

    Deno.test({
      name: `pcap: tshark reads what is written, ${how}${suffix}`,
      ignore,
      fn: async () => {
        const file = new MemoryFile();
        const writer = new PcapWriter(file.sink, { littleEndian, nanosecond });
        TIMES_NS.forEach((timestamp_ns, i) =>
          writer.write({ timestamp_us: 0, timestamp_ns, data: udpFrame(i) })
        );
        writer.close();
        const length = String(udpFrame(0).length);
        const expected = shown.map((time) => [time, length, length, "5000", "1", "1", ""]);
        assertEquals(await tshark(file.bytes(), fields), expected);
      },
    });

    Deno.test({
      name: `pcapng: tshark reads what is written, ${how}${suffix}`,
      ignore,
      fn: async () => {
        const file = new MemoryFile();
        const writer = new PcapngWriter(file.sink, { littleEndian, nanosecond });
        writer.addInterface({ name: "eth0" });
        writer.addInterface({ name: "raw1", linktype: Linktype.RAW, snaplen: 28 });
        TIMES_NS.forEach((timestamp_ns, i) => {
          const direction = i === 2 ? "out" : "in";
          const frame = udpFrame(i);
          writer.write({ timestamp_us: 0, timestamp_ns, data: frame, direction });
          const data = frame.subarray(14);
          writer.write({ timestamp_us: 0, timestamp_ns, data, direction, interface: 1 });
        });
        writer.close();
        const more = ["frame.interface_name", "frame.packet_flags_direction"];
        const lines = await tshark(file.bytes(), [...fields.slice(0, 5), ...more]);
        const length = udpFrame(0).length;
        const number = (text: string) => Number(text);
        assertEquals(
          lines.map((line) => [...line.slice(0, 6), number(line[6])]),
          shown.flatMap((time, i) => [
            [time, String(length), String(length), "5000", "1", "eth0", i === 2 ? 2 : 1],
            [time, String(length - 14), "28", "5000", "1", "raw1", i === 2 ? 2 : 1],
          ]),
        );
      },
    });
  }
}
