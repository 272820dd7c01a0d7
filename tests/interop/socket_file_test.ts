/**
 * Two processes with a stack each, joined by a socket file: bulk data both ways, the death of
 * either, and its return.
 */

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Content } from "../../examples/start/content.ts";
import { linesOf } from "./kit/lines.ts";

const PEER = new URL("./cases/socket_file_peer.ts", import.meta.url).pathname;
const ROOT = new URL("../../", import.meta.url).pathname;
const BYTES = 64 << 20;
/** More than can be sent before a process is killed. */
const ENDLESS = 2 ** 45;
const LIMIT_MS = 90_000;

type Words = Record<string, unknown>;

/** A process with a stack, which may reach the socket file and nothing else. */
class Peer {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(side: "listen" | "connect", path: string, signal: AbortSignal) {
    const may = [`--allow-net=unix:${path}`, `--allow-read=${path},${ROOT}`];
    const args = ["run", "--no-prompt", "--no-check", ...may, `--allow-write=${path}`];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...args, PEER, side, path],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      signal,
    }).spawn();
    this.#lines = linesOf(this.#process.stdout as ReadableStream<Uint8Array<ArrayBuffer>>);
    this.#input = this.#process.stdin.getWriter();
  }

  async tell(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
  }

  /** What it says next. */
  async hear(): Promise<Words> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process says nothing more");
    return JSON.parse(value);
  }

  async ask(command: string): Promise<Words> {
    await this.tell(command);
    return await this.hear();
  }

  /** Downloads from the other; what was begun is told first. */
  async fetch(): Promise<Words> {
    assertEquals(await this.ask(`fetch ${BYTES}`), { begun: true });
    return await this.hear();
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#lines.return(undefined);
    await this.#input.abort().catch(() => {});
  }

  /** Ends it in an orderly way. */
  async end(): Promise<void> {
    await this.#input.close();
    assert((await this.#process.status).success);
    await this.#lines.return(undefined);
  }
}

function expected(): Words {
  const hash = createHash("sha256");
  const content = new Content(BYTES, 77);
  while (content.done < BYTES) hash.update(content.next());
  return { length: BYTES, sha256: hash.digest("hex") };
}

Deno.test("socket file: 64 MiB between two processes; either dies and comes back", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/cable`;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), LIMIT_MS);
  const whole = expected();
  try {
    let left = new Peer("listen", path, over.signal);
    assertEquals(await left.hear(), { ready: false });
    assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
    let right = new Peer("connect", path, over.signal);
    assertEquals(await right.hear(), { ready: true });
    assertEquals(await right.fetch(), whole);
    assertEquals(await left.fetch(), whole);

    // Who connects dies: the other's interface stays, and its download fails when nobody answers.
    assertEquals(await left.ask(`fetch ${ENDLESS}`), { begun: true });
    await right.kill();
    assertEquals(await left.hear(), { fetched: "ETIMEDOUT" });
    const alone = await left.ask("look");
    assertEquals([alone.connected, alone.reason, alone.reconnects], [false, undefined, 0]);
    right = new Peer("connect", path, over.signal);
    assertEquals(await right.hear(), { ready: true });
    assertEquals(await right.fetch(), whole);
    assertEquals(await left.fetch(), whole);
    const again = await left.ask("look");
    assertEquals([again.connected, again.reconnects, again.rxInvalid], [true, 1, 0]);

    // Who listens dies, and leaves its file: it is taken over, and who was left dials again. The
    // one that comes back knows nothing of the old connection, and says so.
    assertEquals(await left.ask(`fetch ${ENDLESS}`), { begun: true });
    await left.kill();
    assert(Deno.lstatSync(path).isSocket);
    left = new Peer("listen", path, over.signal);
    assertEquals(await left.hear(), { ready: false });
    assertEquals(await right.hear(), { served: "ECONNRESET" });
    assertEquals(await right.fetch(), whole);
    assertEquals(await left.fetch(), whole);
    const joined = await right.ask("look");
    assertEquals([joined.connected, joined.reason, joined.reconnects], [true, undefined, 1]);
    await Promise.all([right.end(), left.end()]);
    assertEquals([...Deno.readDirSync(folder)], []);
  } finally {
    clearTimeout(timer);
    over.abort();
    await Deno.remove(folder, { recursive: true });
  }
});
