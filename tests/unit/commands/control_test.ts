/** The control socket: requests through it, its file, and clients that do not behave. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { netstat } from "../../../commands/cli/netstat.ts";
import { nc } from "../../../commands/cli/nc.ts";
import { ping } from "../../../commands/cli/ping.ts";
import { route } from "../../../commands/cli/route.ts";
import {
  type CaptureEvent,
  ControlTarget,
  RequestError,
  serveControl,
} from "../../../commands/mod.ts";
import { noInput } from "../../../commands/request.ts";
import { createStack } from "../../../mod.ts";
import { run } from "./kit.ts";

/** A stack of loopback only behind a socket file in a folder of its own. */
async function served(options: { clients?: number; patience_ms?: number } = {}) {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/control`;
  const stack = await createStack();
  const server = await serveControl(stack, { path, ...options });
  return {
    stack,
    server,
    path,
    target: new ControlTarget(path),
    async [Symbol.asyncDispose]() {
      await server.close();
      await stack.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function answersOf(path: string, sent: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  const bytes = new TextEncoder().encode(sent);
  let text = "";
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // it has hung up: what it said before can be read all the same
  }
  try {
    const buffer = new Uint8Array(65_536);
    for (let got; (got = await connection.read(buffer)) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, got));
    }
  } catch {
    // it has hung up without reading all
  }
  return text;
}

Deno.test("control: commands work through the socket as they do here", async () => {
  await using it = await served();
  const { stack, target, path } = it;
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  using _listener = stack.listen({ port: 80 });
  assertEquals((await run(netstat, ["-a"], target)).out, (await run(netstat, ["-a"], stack)).out);
  const pinged = await run(ping, ["-c", "2", "-i", "0.01", "127.0.0.1"], target);
  assertMatch(pinged.out, /2 packets transmitted, 2 packets received/);
  const refused = await run(route, ["delete", "10.0.0.0/8"], target);
  assertEquals(refused.err, "route: ioctl: ESRCH: no such route\n");
  const strange = run(route, ["add", "x", "y"], target);
  assertMatch((await strange).err, /EINVAL/);
});

Deno.test("control: nc in both directions, larger than any buffer", async () => {
  await using it = await served();
  const { stack, target } = it;
  const input = "0123456789abcdef".repeat(100_000);
  using listener = stack.listen({ port: 7 });
  const echo = (async () => {
    using conn = await listener.accept();
    await conn.readable.pipeTo(conn.writable);
  })();
  const { out, status, err } = await run(nc, ["127.0.0.1", "7"], target, { input });
  assertEquals([out === input, status, err], [true, 0, ""]);
  await echo;
});

Deno.test("control: a capture goes on until who wants it hangs up", async () => {
  await using it = await served();
  const { stack, target } = it;
  const end = new AbortController();
  const events: CaptureEvent[] = [];
  const context = { signal: end.signal, input: noInput() };
  for await (const event of target.ask("capture", { filter: "icmp" }, context)) {
    const one = event as CaptureEvent;
    events.push(one);
    if (one.kind === "start") await run(ping, ["-c", "1", "127.0.0.1"], stack);
    if (events.length === 3) end.abort();
  }
  const [start, request] = events;
  assert(start.kind === "start" && start.interfaces.length === 1);
  assertEquals(start.interfaces[0], { name: "lo0", linktype: 101 });
  assert(request.kind === "frame" && request.data.length === 84 && request.data[20] === 8);
  assert(Math.abs(request.timestamp_us - Date.now() * 1000) < 60_000_000);
  // its packet socket goes as soon as the stack notices
  while (stack.netstat().sockets.length > 0) await new Promise((r) => setTimeout(r, 1));
});

Deno.test("control: requests that make no sense are refused, and nothing stays", async () => {
  await using it = await served();
  const { stack, path, target } = it;
  const wrong: [string, RegExp][] = [
    ["not json\n", /"error"/],
    ['{"ask":5}\n', /a request is a line/],
    ["null\n", /a request is a line/],
    ['{"ask":"toString"}\n', /there is no request \\"toString\\"/],
    ['{"ask":"ping","params":{"address":7}}\n', /address is no text/],
    ['{"ask":"ping","params":{"address":"1.2.3.4","count":"many"}}\n', /count is a number/],
    ['{"ask":"ping","params":{"address":"1.2.3.4","count":1.5}}\n', /whole number/],
    ['{"ask":"capture","params":{"filter":"frob ("}}\n', /"error"/],
    ['{"ask":"capture","params":{"interface":"eth7"}}\n', /there is no interface eth7/],
    ['{"ask":"netcat","params":{"host":"1.2.3.4","port":70000}}\n', /port is a number/],
    ["x".repeat(400_000), /a line has more than/],
  ];
  for (const [sent, answer] of wrong) assertMatch(await answersOf(path, sent), answer, sent);
  assertEquals(stack.netstat().sockets, []);
  const asked = target.ask("frob", {}, { signal: new AbortController().signal, input: noInput() });
  await assertRejects(() => Array.fromAsync(asked), RequestError, "there is no request");
});

Deno.test("control: clients that say nothing are hung up on, and too many refused", async () => {
  await using it = await served({ clients: 1, patience_ms: 50 });
  const { path } = it;
  using silent = await Deno.connect({ transport: "unix", path });
  assertMatch(await answersOf(path, '{"ask":"netstat"}\n'), /1 clients are served already/);
  assertEquals(await silent.read(new Uint8Array(1)), null);
  assertMatch(await answersOf(path, '{"ask":"netstat"}\n'), /"done":true/);
});

Deno.test("control: socket files that are stale, in use, impossible or gone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/control`;
  await using stack = await createStack();
  // a process that was killed leaves its file behind
  const script = `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} }); Deno.exit(0)`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
  assert((await Deno.lstat(path)).isSocket);
  const server = await serveControl(stack, { path });
  await assertRejects(() => serveControl(stack, { path }), Error, "somebody listens there");
  await server.close();
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  const gone = await run(netstat, [], new ControlTarget(path));
  assertMatch(gone.err, /control: no stack is there; start one with --control/);
  await Deno.writeTextFile(path, "no socket");
  await assertRejects(() => serveControl(stack, { path }), Error, "it is no socket");
  assertEquals(await Deno.readTextFile(path), "no socket");
  const nowhere = `${folder}/none/control`;
  await assertRejects(() => serveControl(stack, { path: nowhere }), Error, "no such folder");
  const long = `${folder}/${"x".repeat(120)}`;
  await assertRejects(() => serveControl(stack, { path: long }), Error, "at most 107 bytes");
  await Deno.remove(folder, { recursive: true });
});
