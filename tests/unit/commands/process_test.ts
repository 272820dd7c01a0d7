/** The commands as programs, on a stack in another process. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { openCapture } from "../../../drivers/capture.ts";
import { linesOf } from "../../interop/kit/lines.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

function deno(args: string[], env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  });
}

/** A capture that is asked to end leaves a good file. */
async function endsWell(control: string, file: string): Promise<void> {
  const env = { GODWIT_CONTROL: control };
  const child = deno([`${ROOT}commands/tcpdump/main.ts`, "-i", "any", "-w", file], env).spawn();
  const told = linesOf(child.stderr as ReadableStream<Uint8Array<ArrayBuffer>>);
  for (const name of ["lo0", "eth0"]) {
    assertMatch((await told.next()).value!, new RegExp(`^listening on ${name}`));
  }
  const request = ["ping", "-c", "1", "127.0.0.1"];
  await deno([`${ROOT}commands/main.ts`, ...request], env).output();
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  assertEquals((await told.next()).value, "0 packets dropped");
  await told.return(undefined);
  await child.stdout.cancel();
  const reader = openCapture(await Deno.readFile(file));
  assert([...reader].length >= 2);
  assertEquals(reader.interfaces.map(({ name }) => name), ["lo0", "eth0"]);
}

Deno.test("commands as processes: netstat, a wrong option, the end", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const control = `${folder}/control`;
  const server = deno([
    `${ROOT}examples/start.ts`,
    "--serve",
    `${folder}/cable`,
    "--control",
    control,
  ]).spawn();
  const errors = new Response(server.stderr).text();
  const lines = linesOf(server.stdout as ReadableStream<Uint8Array<ArrayBuffer>>);
  assertEquals((await lines.next()).value, `commands reach the stack by --control ${control}`);
  const command = async (...args: string[]) => {
    const main = `${ROOT}commands/main.ts`;
    const { code, stdout, stderr } = await deno([main, ...args], { GODWIT_CONTROL: control })
      .output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  };
  const shown = await command("netstat", "-an");
  assertEquals([shown.code, shown.err], [0, ""]);
  assertMatch(shown.out, /\ntcp +0 +0 +10\.9\.0\.2:80 +\*:\* +LISTEN +\d+\n/);
  const wrong = await command("netstat", "--frob");
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertMatch(wrong.err, /^netstat: unknown option '--frob'\nusage: netstat \[options\]/);
  await endsWell(control, `${folder}/trace.pcapng`);
  server.kill("SIGTERM");
  assert((await server.status).success, await errors);
  await lines.return(undefined);
  const gone = await command("ping", "-c", "1", "127.0.0.1");
  assertEquals(gone.code, 1);
  assertMatch(gone.err, /^ping: .*control: no stack is there/);
  await Deno.remove(folder, { recursive: true });
});
