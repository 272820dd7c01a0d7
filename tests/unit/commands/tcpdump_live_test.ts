/** The tcpdump command on stacks that run. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openCapture } from "../../../drivers/capture.ts";
import { ping } from "../../../commands/cli/ping.ts";
import { LocalTarget, RequestError } from "../../../commands/mod.ts";
import { liveFrames } from "../../../commands/tcpdump/live.ts";
import { tcpdump } from "../../../commands/tcpdump/run.ts";
import { createSim } from "../../sim_pair.ts";
import { run } from "./kit.ts";

/** Runs tcpdump on the first of two hosts while it pings the other. */
async function listen(args: readonly string[], hosts = ["10.0.0.2"]) {
  await using sim = await createSim({ delay_us: 10_000 });
  const [a] = sim.stacks;
  const told = { status: 0, out: "", err: "", file: new Uint8Array() };
  const { signal } = new AbortController();
  const tell = (words: string) => told.err += words;
  const done = tcpdump(args, {
    read: () => Promise.reject(new Error("nothing is read")),
    create: () =>
      Promise.resolve((bytes: Uint8Array) => {
        told.file = Uint8Array.of(...told.file, ...bytes);
      }),
    out: (text) => void (told.out += text),
    err: (text) => void tell(text),
    live: (wish) => liveFrames(new LocalTarget(a), wish, signal, tell),
  });
  await sim.sleep(0);
  for (const host of hosts) await sim.run(run(ping, ["-c", "1", host], a));
  told.status = await sim.run(done);
  assertEquals(a.netstat().sockets, [], "its packet socket is gone");
  return told;
}

Deno.test("tcpdump: an interface of a stack, both ways, with a filter", async () => {
  const { status, out, err } = await listen(["-tn", "-i", "eth0", "-c", "2", "icmp"]);
  assertEquals(status, 0, err);
  assertEquals(out.replaceAll(/id \d+/g, "id N").split("\n"), [
    "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id N, seq 0, length 64",
    "IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id N, seq 0, length 64",
    "",
  ]);
  assertEquals(err, "listening on eth0, link-type 1\n2 packets captured\n");
});

Deno.test("tcpdump: the first interface unless told; a file of what went by", async () => {
  const { file, err } = await listen(["-w", "some.pcapng", "-c", "2", "-s", "60", "icmp"]);
  const frames = [...openCapture(file)];
  assertEquals(frames.map((one) => one.direction), ["out", "in"], err);
  assertEquals(frames.map((one) => [one.data.length, one.originalLength]).at(-1), [60, 98]);
});

Deno.test("tcpdump: all interfaces at once, and where each frame passed", async () => {
  const hosts = ["127.0.0.1", "10.0.0.2"];
  const { out, err } = await listen(["-tn", "-i", "any", "-c", "4", "icmp"], hosts);
  assertEquals(out.replaceAll(/id \d+/g, "id N").split("\n"), [
    "lo0   In  IP 127.0.0.1 > 127.0.0.1: ICMP echo request, id N, seq 0, length 64",
    "lo0   In  IP 127.0.0.1 > 127.0.0.1: ICMP echo reply, id N, seq 0, length 64",
    "eth0  Out IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id N, seq 0, length 64",
    "eth0  In  IP 10.0.0.2 > 10.0.0.1: ICMP echo reply, id N, seq 0, length 64",
    "",
  ]);
  assertMatch(err, /^listening on lo0, .*\nlistening on eth0, .*\n4 packets captured\n$/);
  const { file } = await listen(["-i", "any", "-c", "4", "-w", "all.pcapng", "icmp"], hosts);
  const reader = openCapture(file);
  const passed = [...reader].map((one) => reader.interfaces[one.interface].name);
  assertEquals(passed, ["lo0", "lo0", "eth0", "eth0"]);
  const { out: objects } = await listen(["-i", "any", "-c", "1", "--json", "icmp"]);
  assertEquals(JSON.parse(objects).interface, "eth0");
});

Deno.test("tcpdump: an interface that is not there", async () => {
  await using sim = await createSim();
  const { signal } = new AbortController();
  const wish = { interface: "eth7", onlyOurs: false };
  const target = new LocalTarget(sim.stacks[0]);
  await assertRejects(() => liveFrames(target, wish, signal, () => {}), RequestError, "eth7");
});
