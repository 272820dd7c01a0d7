/**
 * The commands as programs: `deno task netstat`, `deno task ping` and so on.
 *
 * @module
 */

import { arp } from "./cli/arp.ts";
import { type CommandIo, type Place, runCommand } from "./cli/command.ts";
import { ifconfig } from "./cli/ifconfig.ts";
import { nc } from "./cli/nc.ts";
import { netstat } from "./cli/netstat.ts";
import { ping } from "./cli/ping.ts";
import { controlPath, readFile } from "./cli/place.ts";
import { route } from "./cli/route.ts";
import { traceroute } from "./cli/traceroute.ts";
import { ControlTarget } from "./control_client.ts";
import { openSnapshot } from "./local.ts";
import type { Target } from "./request.ts";

const COMMANDS = [arp, ifconfig, nc, netstat, ping, route, traceroute];

/** The stack that the options and the environment name. */
async function open({ control, snapshot }: Place): Promise<Target> {
  if (snapshot !== undefined) return await openSnapshot(await readFile(snapshot));
  return new ControlTarget(controlPath(control));
}

function writeAll(file: { writeSync(bytes: Uint8Array): number }, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((one) => one.name).join(", ");
    console.error(`there is no command ${name ?? ""}; there are ${names}`);
    return 2;
  }
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => interrupt.abort());
  }
  const io: CommandIo = {
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    input: name === "nc" ? Deno.stdin.readable : new Blob([]).stream(),
    signal: interrupt.signal,
    colour: Deno.stdout.isTerminal() && !Deno.noColor,
  };
  return await runCommand(command, args, io, open);
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  // who reads our output has seen enough
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  Deno.exit(0);
}
