/** The example of programs in Workers: with no other permission than to read its own modules. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../../", import.meta.url).pathname;
const EXAMPLE = `${ROOT}examples/processes/main.ts`;

Deno.test("processes example: a client asks, a server answers, and the end is seen", async () => {
  const args = ["run", "--no-prompt", "--no-check", `--allow-read=${ROOT}`, EXAMPLE];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  const lines = decoder.decode(stdout).trimEnd().split("\n");
  assertEquals(lines.map((line) => line.replace(/\d+ µs/g, "N µs")), [
    "server: listening on port 7",
    "client: HELLO FROM ANOTHER THREAD",
    "client: a round trip takes N µs with calls that block, N µs with promises",
    "listening sockets before the server was ended: 1, after: 0",
  ]);
});
