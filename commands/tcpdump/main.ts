/**
 * `deno task tcpdump`: prints capture files, and the frames of stacks that run.
 *
 * @module
 */

import { controlPath, fileError, readFile } from "../cli/place.ts";
import type { Netstat } from "../../mod.ts";
import { noInput } from "../request.ts";
import { ControlTarget } from "../control_client.ts";
import { liveFrames } from "./live.ts";
import { tcpdump, type TcpdumpHost } from "./run.ts";

const CHUNK_CHARACTERS = 65_536;

/** All of the standard input. */
async function standardInput(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
}

/** Writes everything; ends the program if nobody reads on, as `head` does not. */
function writeAll(file: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    throw error;
  }
}

let pending = "";

function flush(): void {
  writeAll(Deno.stdout, new TextEncoder().encode(pending));
  pending = "";
}

const host: TcpdumpHost = {
  read: (path) => path === "-" ? standardInput() : readFile(path),
  create: async (path) => {
    if (path === "-") return (bytes) => writeAll(Deno.stdout, bytes);
    const file = await Deno.create(path).catch((error) => {
      throw fileError(path, error);
    });
    return (bytes) => writeAll(file, bytes);
  },
  out: (text) => {
    pending += text;
    if (pending.length > CHUNK_CHARACTERS) flush();
  },
  live: (wish) => {
    const interrupt = new AbortController();
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(name, () => interrupt.abort());
    }
    const target = new ControlTarget(controlPath(wish.control));
    return liveFrames(target, wish, interrupt.signal, (words) => host.err(words));
  },
  interfaces: async (control) => {
    const context = { signal: new AbortController().signal, input: noInput() };
    const target = new ControlTarget(controlPath(control));
    for await (const report of target.ask("netstat", {}, context)) {
      return (report as Netstat).interfaces;
    }
    return [];
  },
  flush,
  err: (text) => writeAll(Deno.stderr, new TextEncoder().encode(text)),
};

const status = await tcpdump(Deno.args, host);
flush();
// who listens for Ctrl-C would wait for it
Deno.exit(status);
