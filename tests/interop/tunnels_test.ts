/** Stacks in two processes, joined by each kind of tunnel: every byte must come through. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { content, digest } from "./cases/tunnel_content.ts";

const PEER = new URL("./cases/tunnel_peer.ts", import.meta.url).pathname;

/** A kind of tunnel, and what the process that joins it may do: nothing else. */
interface Kind {
  readonly name: string;
  readonly kind: string;
  readonly permissions: (address: { hostname: string; port: number }, folder: string) => string[];
}

/** To reach a socket file takes three permissions. */
function files(folder: string): string[] {
  const sockets = ["stream", "server", "server.client", "server.client.tx"];
  const net = sockets.map((name) => `unix:${folder}/${name}`).join();
  return [`--allow-net=${net}`, `--allow-read=${folder}`, `--allow-write=${folder}`];
}

const KINDS: readonly Kind[] = [
  { name: "a UDP tunnel", kind: "udp", permissions: () => ["--allow-net=127.0.0.1"] },
  {
    name: "a UDP tunnel without unstable interfaces",
    kind: "udp",
    permissions: () => ["--no-config", "--allow-net=127.0.0.1"],
  },
  {
    name: "a tunnel of socket files",
    kind: "udp-files",
    permissions: (_, folder) => files(folder),
  },
  {
    name: "a WebSocket, from a sandbox that may reach nothing else",
    kind: "websocket",
    permissions: ({ hostname, port }) => ["--no-config", `--allow-net=${hostname}:${port}`],
  },
  {
    name: "a stream over TCP",
    kind: "stream",
    permissions: ({ hostname, port }) => ["--no-config", `--allow-net=${hostname}:${port}`],
  },
  {
    name: "a stream over a socket file",
    kind: "stream-file",
    permissions: (_, folder) => files(folder),
  },
];

function peer(
  signal: AbortSignal,
  permissions: readonly string[],
  ...args: string[]
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...permissions, PEER, ...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).spawn();
}

/** Answers with the next line that a process says; throws what it complains of if it says none. */
function lines(process: Deno.ChildProcess): () => Promise<string> {
  const complaints = new Response(process.stderr).text();
  const texts = process.stdout.pipeThrough(new TextDecoderStream() as ReadableWritablePair);
  const reader: ReadableStreamDefaultReader<string> = texts.getReader();
  let text = "";
  return async () => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`said nothing more, but: ${await complaints}`);
      text += value;
    }
    const end = text.indexOf("\n");
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    return line;
  };
}

/** Closes the standard input of a process, and waits until it has ended well. */
async function end(process: Deno.ChildProcess, next: () => Promise<string>): Promise<void> {
  await process.stdin.close();
  const error = await assertRejects(next, Error);
  assertEquals(error.message, "said nothing more, but: ");
  assert((await process.status).success);
}

for (const { name, kind, permissions } of KINDS) {
  Deno.test(`tunnels: two processes exchange 3 MiB over ${name}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "godwit_" });
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), 60_000);
    try {
      const server = peer(over.signal, ["-A", "--unstable-net"], kind, "serve", folder);
      const said = lines(server);
      const where = await said();
      const may = permissions(JSON.parse(where), folder);
      const client = peer(over.signal, may, kind, "call", where);
      const answered = lines(client);
      const expected = { length: content().length, sha256: await digest(content()) };
      assertEquals(JSON.parse(await answered()), expected);
      assertEquals(JSON.parse(await said()), expected);
      await Promise.all([end(client, answered), end(server, said)]);
    } finally {
      clearTimeout(timer);
      over.abort();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
