/** `deno task start --serve` and `--get`: two processes, each with the permissions it needs. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { linesOf } from "../../interop/kit/lines.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

function start(path: string, ...args: string[]): Deno.ChildProcess {
  const may = [`--allow-net=unix:${path}`, `--allow-read=${path},${ROOT}`, `--allow-write=${path}`];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...may, `${ROOT}examples/start.ts`, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
}

async function get(path: string, ...args: string[]): Promise<[number, string, string]> {
  const { code, stdout, stderr } = await start(path, "--get", path, ...args).output();
  const text = new TextDecoder();
  return [code, text.decode(stdout), text.decode(stderr)];
}

Deno.test("start --serve, --get: one client after the other; a server that goes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/cable`;
  const [none, , complaint] = await get(path);
  assertEquals(none, 1);
  assertMatch(complaint, /^start: connect: ENOENT: /m);

  const server = start(path, "--serve", path);
  const errors = new Response(server.stderr).text();
  const lines = linesOf(server.stdout as ReadableStream<Uint8Array<ArrayBuffer>>);
  const said = async () => (await lines.next()).value as string;
  assertEquals(await said(), `serving http://10.9.0.2/ behind ${path}; in another terminal, try:`);
  for (let i = 0; i < 2; i++) await said();
  for (let i = 0; i < 2; i++) {
    const [code, out] = await get(path, "--size", "5MiB");
    assertEquals(code, 0, out);
    assertStringIncludes(out, "as expected");
    const [, sha256] = /sha256 (\w{64})/.exec(out)!;
    assertEquals(await said(), `GET /data/5242880  200  5 MiB  sha256 ${sha256}`);
  }
  const [other, wrong] = await get(path, "--size", "1000", "--seed", "2");
  assertEquals(other, 1);
  assertStringIncludes(wrong, "NOT AS EXPECTED");
  await said();

  const client = start(path, "--get", path, "--size", "1TiB");
  const progress = client.stdout.getReader();
  await progress.read();
  server.kill("SIGTERM");
  assert((await server.status).success, await errors);
  await lines.return(undefined);
  await progress.cancel();
  const [{ code }, words] = await Promise.all([client.status, new Response(client.stderr).text()]);
  assertEquals(code, 1);
  assertMatch(words, /start: .*(has closed the connection|was lost|ECONNRE)/);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
