/** The example of a network over a WebSocket: a visitor that may use nothing else is answered. */

import { assert, assertEquals } from "@std/assert";

const EXAMPLE = new URL("../../../examples/websocket.ts", import.meta.url).pathname;

function start(permission: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", permission, EXAMPLE, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

Deno.test("websocket example: answers two visitors, one after the other", async () => {
  const server = start("--allow-net", "serve", "0");
  const reader = server.stdout.pipeThrough(new TextDecoderStream() as ReadableWritablePair)
    .getReader();
  const { value } = await reader.read();
  const port = /^listening on (\d+)\n$/.exec(value)?.[1];
  assert(port, value);
  for (let i = 0; i < 2; i++) {
    const where = `127.0.0.1:${port}`;
    const client = start(`--allow-net=${where}`, "call", `ws://${where}/`);
    const { success, stdout } = await client.output();
    assertEquals([success, new TextDecoder().decode(stdout)], [true, "HELLO FROM A SANDBOX\n"]);
  }
  server.kill();
  await server.status;
  await reader.cancel();
});
