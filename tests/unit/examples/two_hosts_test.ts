/** The main job, small: two hosts, a capture, and the capture played to a stack again. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname } from "node:path";
import { Linktype, openCapture, PcapngWriter } from "../../../drivers/capture.ts";
import { summarize } from "../../../examples/start/frame_summary.ts";
import { parseOptions, type StartOptions } from "../../../examples/start/options.ts";
import { runReplay } from "../../../examples/start/replay.ts";
import { type JobOutput, runTwoHosts } from "../../../examples/start/two_hosts.ts";

interface Collected extends JobOutput {
  readonly lines: string[];
  readonly shown: string[];
  readonly text: string;
}

function collect(terminal = false): Collected {
  const lines: string[] = [];
  const shown: string[] = [];
  let now_ms = 0;
  return {
    lines,
    shown,
    get text() {
      return lines.join("\n");
    },
    log: (line) => void lines.push(line),
    progress: { terminal, write: (text) => void shown.push(text), now_ms: () => now_ms += 10 },
  };
}

function options<Job extends StartOptions["job"]>(
  job: Job,
  ...args: string[]
): Extract<StartOptions, { job: Job }> {
  const parsed = parseOptions(args);
  assertEquals(parsed.job, job);
  return parsed as Extract<StartOptions, { job: Job }>;
}

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "start_" });
  try {
    await work(`${folder}/below/start.pcapng`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("start: a megabyte between two hosts, captured, and the capture replayed", () =>
  withFile(async (path) => {
    const output = collect();
    const args = ["--size", "1MiB", "--seed", "7", "--capture", path];
    assert(await runTwoHosts(options("two-hosts", ...args), output), output.text);
    assertStringIncludes(output.text, "the same");
    // on a busy machine a tail loss probe may come before the ACK
    assertStringIncludes(output.text, "sent again");
    assertStringIncludes(output.text, "ESTABLISHED");
    assertStringIncludes(output.text, path);
    assertEquals(output.shown.length, 4, "a log gets a line a quarter");

    const frames = [...openCapture(Deno.readFileSync(path))];
    const words = frames.map(({ data }) => summarize(data, "ethernet"));
    const having = (text: string) => words.filter((line) => line.includes(text)).length;
    assertEquals([having("[SYN]"), having("[SYN ACK]"), having("FIN")], [1, 1, 2]);
    const wire = frames.reduce((sum, frame) => sum + frame.originalLength, 0);
    const kept = frames.reduce((sum, frame) => sum + frame.data.length, 0);
    assert(wire > 1 << 20, `${wire} bytes on the wire`);
    assert(kept < 1 << 18, `${kept} bytes kept`);

    const replayed = collect();
    assert(await runReplay(options("replay", "--replay", path), replayed), replayed.text);
    assertStringIncludes(replayed.lines[0], "the stack is 10.9.0.1/24");
    const total = Number(/^([\d,]+) frames: /m.exec(replayed.text)![1].replaceAll(",", ""));
    assertEquals(total, frames.length);
    assertStringIncludes(replayed.text, "TCP_NO_CONNECTION");
    assertStringIncludes(replayed.text, "[RST]");
    assertStringIncludes(replayed.text, "ETHER_NOT_OURS");
  }));

Deno.test("start: sizes at the edges, odd MTUs, no capture", async () => {
  for (
    const [size, mtu] of [["0", "1500"], ["1", "576"], ["100000", "2032"], ["65537", "296"]]
  ) {
    const output = collect(true);
    const args = ["--size", size, "--mtu", mtu, "--no-capture"];
    assert(await runTwoHosts(options("two-hosts", ...args), output), output.text);
    assertStringIncludes(output.text, `MTU ${mtu}`);
  }
});

Deno.test("replay: sockets that were opened take what is for them", () =>
  withFile(async (path) => {
    const made = collect();
    const size = ["--size", "10", "--capture", path];
    assert(await runTwoHosts(options("two-hosts", ...size), made), made.text);
    const output = collect();
    const args = ["--replay", path, "--address", "10.9.0.2/24", "--listen", "tcp/80"];
    assert(await runReplay(options("replay", ...args), output), output.text);
    assertStringIncludes(output.text, "used: TCP_SYN_ACCEPTED");
    assertStringIncludes(output.text, "[SYN ACK]");
  }));

Deno.test("replay: a file without frames, and one of bare IP packets", () =>
  withFile(async (path) => {
    const made = collect();
    const size = ["--size", "1000", "--capture", path];
    assert(await runTwoHosts(options("two-hosts", ...size), made), made.text);
    const frames = [...openCapture(Deno.readFileSync(path))];
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    const empty = new PcapngWriter((bytes) => pieces.push(bytes));
    empty.close();
    Deno.writeFileSync(path, await new Blob(pieces).bytes());
    const nothing = collect();
    const args = ["--replay", path, "--address", "10.9.0.2"];
    assert(await runReplay(options("replay", ...args), nothing), nothing.text);
    assertStringIncludes(nothing.text, "0 frames: 0 used, 0 dropped");

    pieces.length = 0;
    const raw = new PcapngWriter((bytes) => pieces.push(bytes));
    raw.addInterface({ linktype: Linktype.RAW });
    for (const { timestamp_us, data } of frames) {
      if (data[12] === 8 && data[13] === 0) raw.write({ timestamp_us, data: data.subarray(14) });
    }
    raw.close();
    Deno.writeFileSync(path, await new Blob(pieces).bytes());
    const output = collect();
    const listening = ["--replay", path, "--address", "10.9.0.2", "--listen", "tcp/80"];
    assert(await runReplay(options("replay", ...listening), output), output.text);
    assertStringIncludes(output.text, "used: TCP_SYN_ACCEPTED");
  }));

Deno.test("replay: a file that is cut is played up to there", () =>
  withFile(async (path) => {
    const made = collect();
    const size = ["--size", "1000", "--capture", path];
    assert(await runTwoHosts(options("two-hosts", ...size), made), made.text);
    const bytes = Deno.readFileSync(path);
    Deno.writeFileSync(path, bytes.subarray(0, bytes.length - 10));
    const output = collect();
    const good = await runReplay(options("replay", "--replay", path, "--totals"), output);
    assertEquals(good, false);
    assertStringIncludes(output.text, "the file is bad after frame");
    assertStringIncludes(output.text, "offset");
  }));

Deno.test("start: commands reach the client until the end", () =>
  withFile(async (path) => {
    const control = `${dirname(dirname(path))}/control`;
    const output = collect();
    let sockets = 0;
    const log = (line: string) => {
      output.log(line);
      if (line.includes("GET ") && Deno.statSync(control).isSocket) sockets++;
    };
    const args = ["--size", "1000", "--no-capture", "--control", control];
    assert(await runTwoHosts(options("two-hosts", ...args), { ...output, log }), output.text);
    assertStringIncludes(output.text, `commands reach the stack by --control ${control}`);
    assertEquals(sockets, 1);
    assertEquals(await Array.fromAsync(Deno.readDir(dirname(control))), []);
  }));
