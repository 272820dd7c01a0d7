/**
 * The way of a frame allocates nothing in JavaScript: the heap's growth is measured over a million
 * of them, in a program whose young generation is large enough that nothing is collected meanwhile.
 */

import { assert } from "@std/assert";

const ROOT = new URL("../../../", import.meta.url).href;
/**
 * Readings of the clock are numbers on the heap, a few a turn, and a batch of messages is taken
 * apart; an object a frame would be more.
 */
const BYTES_A_TURN_MAX: Readonly<Record<string, number>> = {
  datagrams: 64,
  batches: 128,
  stream: 64,
};
/** What stays when all is collected: code that was compiled meanwhile. */
const KEPT_BYTES_MAX = 1_000_000;

const PROGRAM = `
import process from "node:process";
import { pipe } from "${ROOT}drivers/pipe.ts";
import { Af, createStack, IpProto, MessageBatch, Sock, TcpOpt } from "${ROOT}mod.ts";

const memory = { bytes: 32 * 2 ** 20 };
const [one, two] = pipe();
const left = await createStack({
  memory, interfaces: [{ driver: one, name: "e0", addresses: ["10.0.0.1/24"] }],
});
const right = await createStack({
  memory, interfaces: [{ driver: two, name: "e0", addresses: ["10.0.0.2/24"] }],
});
const [a, b] = [left.sys, right.sys];
const address = "10.0.0.2";

const listener = b.socket(Af.INET, Sock.STREAM);
b.bind(listener, { port: 7 });
b.listen(listener);
const client = a.socket(Af.INET, Sock.STREAM);
const accepting = b.accept(listener);
await a.connect(client, { address, port: 7 });
const server = (await accepting).fd;
a.setsockopt(client, IpProto.TCP, TcpOpt.NODELAY, true);

const to = b.socket(Af.INET, Sock.DGRAM);
b.bind(to, { port: 8 });
const from = a.socket(Af.INET, Sock.DGRAM);
await a.connect(from, { address, port: 8 });

const small = new Uint8Array(64), large = new Uint8Array(14480), room = new Uint8Array(65536);
const [out, got] = [new MessageBatch(32), new MessageBatch(32)];
for (let i = 0; i < 32; i++) out.push(small);

const bursts = {
  datagrams() {
    for (let i = 0; i < 32; i++) a.nb.send(from, small);
    left.turn();
    right.turn();
    for (let i = 0; i < 32; i++) b.nb.recv(to, room);
  },
  batches() {
    a.nb.sendmmsg(from, out);
    left.turn();
    right.turn();
    b.nb.recvmmsg(to, got);
  },
  stream() {
    a.nb.send(client, large);
    left.turn();
    right.turn();
    b.nb.recv(server, room);
    right.turn();
    left.turn();
  },
};

const frames = () => left.netstat().interfaces.find((one) => one.name === "e0").opackets;
const heap = () => process.memoryUsage().heapUsed;
for (const [name, burst] of Object.entries(bursts)) {
  for (let i = 0; i < 3000; i++) burst();
  const begin = frames();
  gc();
  const before = heap();
  const turns = 34_000 * (name === "stream" ? 4 : 2);
  for (let i = 0; i < 34_000; i++) burst();
  const after = heap();
  gc();
  console.log(JSON.stringify({
    name, frames: frames() - begin, grown: after - before, kept: heap() - before, turns,
  }));
}
await left.close();
await right.close();
`;

Deno.test("a million frames leave the heap of JavaScript flat", async () => {
  const flags = "--expose-gc,--min-semi-space-size=64,--max-semi-space-size=64";
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--v8-flags=${flags}`, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PROGRAM));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  assert(lines.length === 3, "three kinds of bursts were measured");
  let frames = 0;
  for (const line of lines) {
    frames += line.frames;
    const words = JSON.stringify(line);
    assert(line.grown < BYTES_A_TURN_MAX[line.name] * line.turns, words);
    assert(line.kept < KEPT_BYTES_MAX, words);
  }
  assert(frames >= 1_000_000, `${frames} frames`);
});
