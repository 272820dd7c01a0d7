/** The tcpdump command as a process: standard input and output, and a reader that goes away. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openCapture, PcapWriter } from "../../../drivers/capture.ts";
import { allFrames } from "./frames.ts";

const MAIN = new URL("../../../commands/tcpdump/main.ts", import.meta.url).pathname;

/** A capture of all frames, many times over. */
function capture(rounds: number): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const writer = new PcapWriter((bytes) => pieces.push(bytes));
  for (let round = 0; round < rounds; round++) {
    for (const [, frame] of allFrames()) {
      writer.write({ timestamp_us: round, data: Uint8Array.from(frame) });
    }
  }
  writer.close();
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MAIN, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(input: Uint8Array<ArrayBuffer>, ...args: string[]) {
  const child = start(...args);
  const fed = new Blob([input]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  await fed;
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("tcpdump process: standard input to lines and to standard output", async () => {
  const input = capture(1);
  const lines = await run(input, "-r", "-", "-t", "rarp");
  assertEquals([lines.code, lines.stderr], [0, ""]);
  assertStringIncludes(new TextDecoder().decode(lines.stdout), "ARP, Reverse Request who-is ");

  const copy = await run(input, "-r", "-", "-w", "-", "udp");
  assertEquals([copy.code, copy.stderr], [0, ""]);
  const frames = [...openCapture(Uint8Array.from(copy.stdout))];
  assertEquals(frames.length, [...openCapture(input, { filter: "udp" })].length);
});

Deno.test("tcpdump process: a file that is not there is told, with status 1", async () => {
  const child = start("-r", "/nowhere/at/all.pcap");
  await child.stdin.close();
  const { code, stdout, stderr } = await child.output();
  assertEquals([code, stdout.length], [1, 0]);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "tcpdump: /nowhere/at/all.pcap: No such file",
  );
});

Deno.test("tcpdump process: ends without a word when its reader goes away", async () => {
  const child = start("-r", "-", "-XX");
  const fed = new Blob([capture(20)]).stream().pipeTo(child.stdin);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert(value && value.length > 0);
  await reader.cancel();
  const [{ code }, complaint] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
    fed,
  ]);
  assertEquals([code, complaint], [0, ""]);
});
